/** Mounts whose fields say where those before them are: types that begin with `format/` (containerd core/mount/manager). */
import { StrakeError } from '../../base/index.ts';

export interface PlainMount {
  readonly type: string;
  readonly source: string;
  readonly target: string;
  readonly options: readonly string[];
}

export interface MadeMount extends PlainMount {
  readonly mountPoint: string;
}

const prefix = 'format/';

export function isFormatted({ type }: PlainMount): boolean {
  return type.startsWith(prefix);
}

/** With `{{ source N }}`, `{{ target N }}`, `{{ mount N }}` and `{{ overlay FIRST LAST }}` replaced by what they stand for: of mounts that are made, counted from 0. */
export function formatMount(mount: PlainMount, made: readonly MadeMount[]): PlainMount {
  if (!isFormatted(mount)) return mount;
  const format = (text: string) =>
    text.replaceAll(/\{\{\s*(\w+)((?:\s+-?\d+)*)\s*\}\}/g, (whole, word: string, numbers: string) => placeOf(whole, word, numbers, made));
  return { type: mount.type.slice(prefix.length), source: format(mount.source), target: format(mount.target), options: mount.options.map(format) };
}

function placeOf(whole: string, word: string, numbers: string, made: readonly MadeMount[]): string {
  const [first, last, ...rest] = (numbers.match(/-?\d+/g) ?? []).map(Number);
  if (first === undefined) throw invalid(`${whole} is not known`);
  const at = (index: number): MadeMount => {
    const mount = made[index];
    if (mount === undefined) throw invalid(`${whole}: index out of bounds: ${index}, has ${made.length} active mounts`);
    return mount;
  };
  if (word === 'overlay' && last !== undefined && rest.length === 0) {
    const [step, count] = [first > last ? -1 : 1, Math.abs(last - first) + 1];
    if (count > made.length) throw invalid(`${whole}: invalid range: ${first}-${last}, has ${made.length} active mounts`);
    return Array.from({ length: count }, (_, index) => at(first + index * step).mountPoint).join(':');
  }
  if (last !== undefined) throw invalid(`${whole} is not known`);
  if (word === 'source') return at(first).source;
  if (word === 'target') return at(first).target;
  if (word === 'mount') return at(first).mountPoint;
  throw invalid(`${whole} is not known`);
}

function invalid(message: string): StrakeError {
  return new StrakeError('InvalidArgument', message, { fields: { layer: 'containerd' } });
}
