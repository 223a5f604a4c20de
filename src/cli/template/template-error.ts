/** A format that cannot be parsed or does not fit the data; worded as docker words Go's template errors. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
}
