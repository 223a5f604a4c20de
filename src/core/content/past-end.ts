import { StrakeError } from '../../base/index.ts';

/** For who reads behind a blob's end, in containerd's words. */
export function pastEnd(digest: string, sizeBytes: number): StrakeError {
  return new StrakeError('OutOfRange', `read past object length ${sizeBytes} bytes`, { fields: { layer: 'core', digest } });
}
