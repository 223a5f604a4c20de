export { fixedNano, type LogEntry } from './entries.ts';
export { type ReadLogOptions, readLog } from './read-log.ts';
