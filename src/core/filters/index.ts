export { fieldsOf } from './fields.ts';
export type { FieldOf, Filter } from './parse-filter.ts';
export { parseFilters } from './parse-filter.ts';
