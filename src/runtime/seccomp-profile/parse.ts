import { StrakeError } from '../../base/index.ts';
import type { SeccompArg } from '../../oci/index.ts';
import type { ProfileFilter, ProfileSyscall, SeccompProfile } from './profile.ts';

/** More than any profile has; the text comes from the client. */
const maxProfileBytes = 4 << 20;

type Fields = Readonly<Record<string, unknown>>;

/**
 * Reads the content of `--security-opt seccomp=FILE`. Undefined for a profile without an action and without rules, which Docker takes as
 * "no seccomp". InvalidArgument names the field that is wrong. Unknown fields are passed over, as Docker does.
 */
export function parseSeccompProfile(text: string): SeccompProfile | undefined {
  if (Buffer.byteLength(text) > maxProfileBytes) throw invalid(`it is larger than ${maxProfileBytes} bytes`);
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    throw new StrakeError('InvalidArgument', `decoding seccomp profile failed: ${error instanceof Error ? error.message : error}`, {
      cause: error,
      fields: { layer: 'runtime' },
    });
  }
  const fields = asObject(document, 'profile');
  const defaultAction = asString(fields['defaultAction'] ?? '', 'defaultAction');
  const rules = asArray(fields['syscalls'] ?? [], 'syscalls');
  if (defaultAction === '' && rules.length === 0) return undefined;
  const architectures = optional(fields['architectures'], (value) => asStrings(value, 'architectures'));
  const archMap = optional(fields['archMap'], (value) => asArray(value, 'archMap').map(parseArchMap));
  if (architectures?.length && archMap?.length) throw invalid("both 'architectures' and 'archMap' are specified, use either");
  return {
    defaultAction,
    syscalls: rules.map(parseSyscall),
    ...present(
      'defaultErrnoRet',
      optional(fields['defaultErrnoRet'], (value) => asNumber(value, 'defaultErrnoRet')),
    ),
    ...present('architectures', architectures?.length ? architectures : undefined),
    ...present('archMap', archMap),
    ...present(
      'flags',
      optional(fields['flags'], (value) => asStrings(value, 'flags')),
    ),
    ...present(
      'listenerPath',
      optional(fields['listenerPath'], (value) => asString(value, 'listenerPath')),
    ),
    ...present(
      'listenerMetadata',
      optional(fields['listenerMetadata'], (value) => asString(value, 'listenerMetadata')),
    ),
  };
}

function parseSyscall(value: unknown, index: number): ProfileSyscall {
  const where = `syscalls[${index}]`;
  const fields = asObject(value, where);
  const name = asString(fields['name'] ?? '', `${where}.name`);
  const names = asStrings(fields['names'] ?? [], `${where}.names`);
  if (name !== '' && names.length > 0) throw invalid("both 'name' and 'names' are specified, use either");
  return {
    names: name === '' ? names : [name],
    action: asString(fields['action'], `${where}.action`),
    ...present(
      'errnoRet',
      optional(fields['errnoRet'], (ret) => asNumber(ret, `${where}.errnoRet`)),
    ),
    ...present(
      'args',
      optional(fields['args'], (args) => asArray(args, `${where}.args`).map((arg, i) => parseArg(arg, `${where}.args[${i}]`))),
    ),
    ...present(
      'includes',
      optional(fields['includes'], (filter) => parseFilter(filter, `${where}.includes`)),
    ),
    ...present(
      'excludes',
      optional(fields['excludes'], (filter) => parseFilter(filter, `${where}.excludes`)),
    ),
  };
}

function parseArg(value: unknown, where: string): SeccompArg {
  const fields = asObject(value, where);
  return {
    index: asNumber(fields['index'], `${where}.index`),
    value: asNumber(fields['value'], `${where}.value`),
    ...present(
      'valueTwo',
      optional(fields['valueTwo'], (two) => asNumber(two, `${where}.valueTwo`)),
    ),
    op: asString(fields['op'], `${where}.op`),
  };
}

function parseFilter(value: unknown, where: string): ProfileFilter {
  const fields = asObject(value, where);
  return {
    ...present(
      'caps',
      optional(fields['caps'], (caps) => asStrings(caps, `${where}.caps`)),
    ),
    ...present(
      'arches',
      optional(fields['arches'], (arches) => asStrings(arches, `${where}.arches`)),
    ),
    ...present(
      'minKernel',
      optional(fields['minKernel'], (version) => asString(version, `${where}.minKernel`)),
    ),
  };
}

function parseArchMap(value: unknown, index: number) {
  const where = `archMap[${index}]`;
  const fields = asObject(value, where);
  return {
    architecture: asString(fields['architecture'], `${where}.architecture`),
    subArchitectures: asStrings(fields['subArchitectures'] ?? [], `${where}.subArchitectures`),
  };
}

/** null is absent, as Go writes it. */
function optional<T>(value: unknown, parse: (value: unknown) => T): T | undefined {
  return value === undefined || value === null ? undefined : parse(value);
}

function present<K extends string, T>(key: K, value: T | undefined): { readonly [P in K]?: T } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [P in K]?: T });
}

function asObject(value: unknown, where: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(`${where} is not an object`);
  return value as Fields;
}

function asArray(value: unknown, where: string): readonly unknown[] {
  if (!Array.isArray(value)) throw invalid(`${where} is not a list`);
  return value;
}

function asStrings(value: unknown, where: string): readonly string[] {
  return asArray(value, where).map((one, index) => asString(one, `${where}[${index}]`));
}

function asString(value: unknown, where: string): string {
  if (typeof value !== 'string') throw invalid(`${where} is not a string`);
  return value;
}

function asNumber(value: unknown, where: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw invalid(`${where} is not a number from 0 to 2^53-1`);
  return value;
}

function invalid(why: string): StrakeError {
  return new StrakeError('InvalidArgument', `invalid seccomp profile: ${why}`, { fields: { layer: 'runtime' } });
}
