export {
  labelsOf,
  labelsText,
  numberOf,
  readableLabelsOf,
  textOf,
  timeOf,
  typedValueOf,
  typedValuesOf,
  typedValuesText,
  typedValueText,
} from './columns.ts';
export type { MetadataOptions, Row } from './database.ts';
export { MetadataDatabase } from './database.ts';
