export { fixedNano, type LogEntry } from './entries.ts';
export { readLog, type ReadLogOptions } from './read-log.ts';
