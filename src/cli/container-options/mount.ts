import path from 'node:path';
import { parseBytes } from '../format/units.ts';
import { UsageError } from '../usage-error.ts';

/** `--mount type=bind,source=/a,target=/b,readonly` as the Engine API's Mount object. Throws UsageError. */
export function parseMount(text: string): Readonly<Record<string, unknown>> {
  const mount: Record<string, unknown> = { Type: 'volume' };
  const bind: Record<string, unknown> = {};
  const volume: Record<string, unknown> = {};
  const tmpfs: Record<string, unknown> = {};
  const image: Record<string, unknown> = {};
  const fail = (why: string): never => {
    throw new UsageError(`invalid argument "${text}" for "--mount" flag: ${why}`);
  };
  for (const field of text.split(',')) {
    const [key = '', ...rest] = field.split('=');
    const value = rest.join('=');
    const flag = rest.length === 0 || /^(1|true)$/i.test(value);
    switch (key.toLowerCase()) {
      case 'type':
        mount['Type'] = value.toLowerCase();
        break;
      case 'source':
      case 'src':
        mount['Source'] = value.startsWith('.') ? path.resolve(value) : value;
        break;
      case 'target':
      case 'dst':
      case 'destination':
        mount['Target'] = value;
        break;
      case 'readonly':
      case 'ro':
        mount['ReadOnly'] = flag;
        break;
      case 'bind-propagation':
        bind['Propagation'] = value;
        break;
      case 'bind-recursive':
        if (value === 'disabled') bind['NonRecursive'] = true;
        else if (value === 'readonly') bind['ReadOnlyForceRecursive'] = true;
        else if (value === 'writable') bind['ReadOnlyNonRecursive'] = true;
        else if (value !== 'enabled') fail(`invalid value for ${key}: ${value}`);
        break;
      case 'volume-nocopy':
        volume['NoCopy'] = flag;
        break;
      case 'volume-subpath':
        volume['Subpath'] = value;
        break;
      case 'volume-label': {
        const [name = '', ...labelValue] = value.split('=');
        volume['Labels'] = { ...(volume['Labels'] as object | undefined), [name]: labelValue.join('=') };
        break;
      }
      case 'image-subpath':
        image['Subpath'] = value;
        break;
      case 'tmpfs-size':
        tmpfs['SizeBytes'] = parseBytes(value) ?? fail(`invalid value for ${key}: ${value}`);
        break;
      case 'tmpfs-mode':
        tmpfs['Mode'] = /^[0-7]+$/.test(value) ? Number.parseInt(value, 8) : fail(`invalid value for ${key}: ${value}`);
        break;
      default:
        fail(`unknown option '${key}' in '${field}'`);
    }
  }
  if (!mount['Target']) fail('target is required');
  for (const [kind, options] of Object.entries({ bind, volume, tmpfs, image }))
    if (kind !== mount['Type'] && Object.keys(options).length > 0) fail(`cannot mix '${kind}-*' options with mount type '${mount['Type']}'`);
  return {
    ...mount,
    ...(Object.keys(bind).length > 0 ? { BindOptions: bind } : {}),
    ...(Object.keys(volume).length > 0 ? { VolumeOptions: volume } : {}),
    ...(Object.keys(tmpfs).length > 0 ? { TmpfsOptions: tmpfs } : {}),
    ...(Object.keys(image).length > 0 ? { ImageOptions: image } : {}),
  };
}
