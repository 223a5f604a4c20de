import { StrakeError } from '../../base/index.ts';
import type { HttpResponse } from './request.ts';

/** A whole body; OutOfRange beyond the limit, by what is announced or by what comes. `what` names it in the error. */
export async function readLimited(response: HttpResponse, limitBytes: number, what: string): Promise<Buffer> {
  const tooLarge = () => {
    response.discard();
    return new StrakeError('OutOfRange', `${what} is larger than ${limitBytes} bytes`, { fields: { layer: 'distribution' } });
  };
  if (Number(response.headers['content-length'] ?? 0) > limitBytes) throw tooLarge();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body) {
    size += chunk.length;
    if (size > limitBytes) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}
