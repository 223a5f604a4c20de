export type { CredentialSource, Credentials } from './auth/credentials.ts';
export { credentialsOf, dockerConfigCredentials } from './auth/credentials.ts';
export type { LoginOptions } from './login.ts';
export { checkLogin } from './login.ts';
export type { PullProgress } from './progress.ts';
export type { PulledImage, PullerOptions, PullImage, PullOptions } from './pull.ts';
export { createPuller } from './pull.ts';
