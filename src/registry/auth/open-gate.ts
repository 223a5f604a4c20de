import { registryError } from '../errors.ts';
import type { Client, Gate } from './gate.ts';

const everybody: Client = { name: '', mayEnter: true, mayList: true, may: () => true, sees: () => true };

/** Everybody may do everything. */
export const openGate: Gate = {
  identify: async () => everybody,
  refusal: () => registryError('DENIED', 'requested access to the resource is denied'),
};
