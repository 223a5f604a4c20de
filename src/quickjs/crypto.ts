import * as system from 'strake:system';
import { Buffer } from './buffer.ts';
import { succeeded } from './failure.ts';

/** `node:crypto`, of getrandom(2) */
export function randomBytes(count: number): Buffer {
  const bytes = new ArrayBuffer(count);
  succeeded(system.random(bytes), 'getrandom');
  return Buffer.from(bytes);
}
