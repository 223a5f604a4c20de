import { pathByteLength, StrakeError } from '../../base/index.ts';
import type { LayerLimits } from './diff.ts';

/**
 * The path of an entry below the root, without `.`, empty parts and leading slashes; '' is the root itself. `..` is taken as a path of its own,
 * and refused where it leaves the root: the session would confine it, but nobody who means well writes it.
 */
export function normalizePath(name: string, { pathBytes, pathDepth }: Pick<LayerLimits, 'pathBytes' | 'pathDepth'>): string {
  checkText(name, pathBytes);
  if (!/(?:^|\/)(?:\.{0,2}(?:\/|$))/.test(name)) {
    if (name.split('/', pathDepth + 1).length > pathDepth) throw tooDeep(name, pathDepth);
    return name;
  }
  const parts: string[] = [];
  for (const part of name.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) throw escapes(name);
  }
  if (parts.length > pathDepth) throw tooDeep(name, pathDepth);
  return parts.join('/');
}

/** Link targets and names: a text that the kernel can take. */
export function checkText(text: string, pathBytes: number): void {
  if (text.includes('\0')) throw invalid(`name ${JSON.stringify(text.slice(0, 200))} has a NUL byte`);
  if (text.length > pathBytes || pathByteLength(text) > pathBytes)
    throw new StrakeError('ResourceExhausted', `name ${JSON.stringify(text.slice(0, 80))}… is longer than ${pathBytes} bytes`, { fields: { layer: 'core' } });
}

export function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash === -1 ? '' : path.slice(0, slash);
}

export function baseOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function tooDeep(name: string, pathDepth: number): StrakeError {
  return new StrakeError('ResourceExhausted', `name ${JSON.stringify(name.slice(0, 80))}… is more than ${pathDepth} directories deep`, {
    fields: { layer: 'core' },
  });
}

function escapes(name: string): StrakeError {
  return invalid(`name ${JSON.stringify(name.slice(0, 200))} leaves the root`);
}

function invalid(problem: string): StrakeError {
  return new StrakeError('InvalidArgument', problem, { fields: { layer: 'core', operation: 'untar' } });
}
