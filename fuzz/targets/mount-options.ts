import path from 'node:path';
import fc from 'fast-check';
import { encodeProgram } from '../../src/kernel/index.ts';
import { formatJson, type Mount, parseRuntimeSpec } from '../../src/oci/index.ts';
import { compileCreate, defaultSpec, features } from '../../src/runtime/index.ts';
import { compileOptions } from '../machine.ts';
import { accepted, check } from '../target.ts';

/** mount_bind, field `flags`: the operation refuses another source. */
const sourceIsProcfs = 32;

const words = features().mountOptions ?? [];
const option = fc.oneof(
  fc.constantFrom(...words),
  fc.constantFrom(
    'size=64k',
    'mode=755',
    'idmap=uids=0-1-1;gids=0-1-1',
    'ridmap=uids=@0-1-1#2-3-4',
    'idmap=uids=',
    'context="x"',
    'r',
    'rr',
    'ror',
    '=',
    'a=b=c',
  ),
  fc.string({ maxLength: 12 }),
);
const piece = fc.constantFrom('', '.', '..', 'proc', 'sys', 'dev', 'self', 'attr', 'a', 'b', '...', ' ');
const place = fc.tuple(fc.constantFrom('/', '', '//'), fc.array(piece, { maxLength: 5 })).map(([start, pieces]) => start + pieces.join('/'));
const mount: fc.Arbitrary<Mount> = fc.record(
  {
    destination: place,
    type: fc.constantFrom('bind', 'tmpfs', 'proc', 'sysfs', 'devpts', 'cgroup', 'cgroup2', 'mqueue', 'none', '', 'x'),
    source: place,
    options: fc.array(option, { maxLength: 6 }),
  },
  { requiredKeys: ['destination'] },
) as fc.Arbitrary<Mount>;

/** Mounts of the configuration: each option is known or the filesystem's own, and nothing but procfs itself gets to /proc by its name. */
export function mountOptions(runs: number, seed: number): void {
  check(words.length > 40, 'features names no mount options');
  const property = fc.property(fc.array(mount, { minLength: 1, maxLength: 3 }), (mounts) => {
    const spec = accepted(() => parseRuntimeSpec(formatJson({ ...defaultSpec(), mounts })));
    for (const options of spec === undefined ? [] : compileOptions) {
      const operations = accepted(() => compileCreate(spec as NonNullable<typeof spec>, options)) ?? [];
      accepted(() => encodeProgram(operations));
      for (const op of operations) {
        if ((op.op !== 'mount_fs' && op.op !== 'mount_bind') || op.root === undefined) continue;
        check(op.target.startsWith('/') && path.posix.normalize(op.target) === op.target, `target ${op.target}`);
        const isProc = op.target === '/proc' || op.target.startsWith('/proc/');
        if (isProc && op.op === 'mount_fs') check(op.fstype === 'proc' && op.target === '/proc', `${op.fstype} on ${op.target}`);
        if (isProc && op.op === 'mount_bind') check(op.target !== '/proc' || ((op.flags ?? 0) & sourceIsProcfs) !== 0, `${op.source} on ${op.target}`);
      }
    }
  });
  fc.assert(property, { numRuns: runs, seed });
}
