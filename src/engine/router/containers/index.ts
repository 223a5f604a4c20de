export type { ContainersBackend } from './backend.ts';
export { parseConsoleSize } from './parse-host-config.ts';
export { containerRoutes, terminalSize } from './routes.ts';
