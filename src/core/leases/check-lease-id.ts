import { StrakeError } from '../../base/index.ts';

const maxIdBytes = 512;

export function checkLeaseId(id: string): void {
  if (id === '' || Buffer.byteLength(id) > maxIdBytes || id.includes('\0'))
    throw new StrakeError('InvalidArgument', `lease id ${JSON.stringify(id.slice(0, 80))} is not valid`, { fields: { layer: 'core' } });
}
