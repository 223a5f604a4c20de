export { AccountReader } from './accounts.ts';
export type { ResolvedUser } from './resolve-user.ts';
export { resolveUser } from './resolve-user.ts';
