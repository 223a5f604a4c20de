import type { Op } from '../../kernel/index.ts';
import { executeNothing } from './execute-nothing.ts';
import type { TaskNetwork } from './tasks.ts';

/** CLONE_NEWNET, sched.h */
const networkNamespace = 0x4000_0000;
/** O_RDONLY | O_CLOEXEC, asm-generic/fcntl.h */
const readOnly = 0o2000000;

/** Makes the network in the namespace of a process that waits for its start: where another runtime has made that. */
export function connectNetworkOps(pid: number, { hostOperations, initOperations }: TaskNetwork): readonly Op[] {
  return [
    { op: 'clone', side: 'host', flags: 0 },
    { op: 'open', side: 'init', out: 0, path: `/proc/${pid}/ns/net`, flags: readOnly, mode: 0 },
    { op: 'join', side: 'init', fd: 0, flags: networkNamespace },
    ...hostOperations,
    { op: 'lo_up', side: 'init' },
    ...initOperations,
    ...executeNothing,
  ];
}
