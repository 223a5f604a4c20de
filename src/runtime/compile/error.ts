import { StrakeError } from '../../base/index.ts';

/** The configuration asks for what this runtime or the machine cannot do. */
export function cannotHonour(field: string, why: string): StrakeError {
  return new StrakeError('Unimplemented', `${field} cannot be honoured: ${why}`, { fields: { layer: 'runtime', field } });
}

/** The configuration contradicts itself or the specification. */
export function invalid(field: string, why: string): StrakeError {
  return new StrakeError('InvalidArgument', `${field}: ${why}`, { fields: { layer: 'runtime', field } });
}
