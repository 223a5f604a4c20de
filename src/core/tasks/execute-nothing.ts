import type { Op } from '../../kernel/index.ts';

const env = ['PATH=/usr/sbin:/usr/bin:/sbin:/bin'];

/** The end of a program that forks, which has to execute something: the machine's `true`. */
export const executeNothing: readonly Op[] = [
  { op: 'lookup_exec', side: 'init', file: 'true', env },
  { op: 'exec', side: 'init', argv: ['true'], env },
  { op: 'reap', side: 'host' },
];
