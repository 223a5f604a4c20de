import { StrakeError } from '../../base/index.ts';

const maxKeyBytes = 4096;

export function checkSnapshotKey(key: string): void {
  if (key === '' || Buffer.byteLength(key) > maxKeyBytes || key.includes('\0'))
    throw new StrakeError('InvalidArgument', `snapshot key ${JSON.stringify(key.slice(0, 80))} is not valid`, { fields: { layer: 'core' } });
}
