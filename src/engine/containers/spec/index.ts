export type { BindSource, MountInput, TmpfsMount } from './mounts.ts';
export { containerMode, type JoinedNamespaces } from './namespaces.ts';
export { checkUlimit, commandLine, processEnvironment, replaceOrAppend } from './process.ts';
export { rememberProfiles } from './remember-profiles.ts';
export { resourceSpec } from './resources.ts';
export { parseSecurityOptions } from './security.ts';
export type { SecurityDefaults, SpecInput } from './spec.ts';
export { containerSpec } from './spec.ts';
