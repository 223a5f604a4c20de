import { StrakeError } from '../../base/index.ts';

const limitBytes = 10 << 20;

/** All of stdin. A person's terminal has nothing for us. */
export async function readInput(): Promise<Buffer> {
  if (process.stdin.isTTY) return Buffer.alloc(0);
  const parts: Buffer[] = [];
  let size = 0;
  for await (const chunk of process.stdin) {
    parts.push(chunk as Buffer);
    size += (chunk as Buffer).length;
    if (size > limitBytes) throw new StrakeError('ResourceExhausted', `more than ${limitBytes} bytes of parameters`, { fields: { layer: 'shim' } });
  }
  return Buffer.concat(parts);
}
