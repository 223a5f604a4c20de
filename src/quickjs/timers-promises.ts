import * as system from 'strake:system';

/** `node:timers/promises`. Nothing else happens in this process meanwhile: it sleeps. */
export async function setTimeout(ms: number): Promise<void> {
  system.sleep(ms);
}
