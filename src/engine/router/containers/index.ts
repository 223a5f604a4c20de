export type { ContainersBackend } from './backend.ts';
export { parseConfig } from './parse-config.ts';
export { parseConsoleSize } from './parse-host-config.ts';
export { containerRoutes, terminalSize } from './routes.ts';
