import * as system from 'strake:system';

/** `node:os`: the machine's numbers. */
export const constants = {
  get errno() {
    return system.errnos();
  },
  get signals() {
    return system.signals();
  },
};
