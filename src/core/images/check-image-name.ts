import { StrakeError } from '../../base/index.ts';

const maxNameBytes = 4096;

export function checkImageName(name: string): void {
  if (name === '' || Buffer.byteLength(name) > maxNameBytes || name.includes('\0'))
    throw new StrakeError('InvalidArgument', `image name ${JSON.stringify(name.slice(0, 80))} is not valid`, { fields: { layer: 'core' } });
}
