export { labelsOf, labelsText, numberOf, readableLabelsOf, textOf, timeOf } from './columns.ts';
export type { MetadataOptions, Row } from './database.ts';
export { MetadataDatabase } from './database.ts';
