export type { Command, CommandEnd } from './run-command.ts';
export { runCommand } from './run-command.ts';
