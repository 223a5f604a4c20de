import * as system from 'strake:system';

/** `node:os`: the machine's numbers. */
export const constants = { errno: system.errnos(), signals: system.signals() } as const;
