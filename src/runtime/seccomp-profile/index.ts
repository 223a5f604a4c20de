export { parseSeccompProfile } from './parse.ts';
export type { SeccompProfile } from './profile.ts';
export type { ProfileTarget } from './resolve.ts';
export { defaultSeccompProfile, resolveSeccompProfile } from './resolve.ts';
