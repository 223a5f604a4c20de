import { randomBytes } from 'node:crypto';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { machineArch, nameRecordedCalls } from '../../kernel/index.ts';
import { formatJson, type RuntimeSpec } from '../../oci/index.ts';
import type { Learning } from '../compile/options.ts';
import { learnedProfile } from '../seccomp-profile/learned.ts';
import type { RuntimeContext } from './context.ts';

/** Where the calls are recorded until the container has ended: beside the profile, so that a directory that cannot be written to is noticed first. */
export function planLearning(file: string): Learning {
  const random = randomBytes(8);
  return { record: `${path.resolve(file)}.${random.toString('hex')}.calls`, pass: random.readBigUInt64LE() };
}

/** Writes the profile of what was recorded. The record goes. */
export function finishLearning({ machine, warn }: RuntimeContext, file: string, { record }: Learning, { linux }: RuntimeSpec): void {
  const calls = nameRecordedCalls(readFileSync(record, 'latin1'), machineArch[machine().arch]);
  for (const call of calls.unknown) warn(`a system call without a name is left out of the profile: ${call}`);
  writeFileSync(record, `${formatJson(learnedProfile(calls, linux?.seccomp), '\t')}\n`, { mode: 0o644 });
  renameSync(record, file);
}

/** After a container that never ran. */
export function abandonLearning({ record }: Learning): void {
  rmSync(record, { force: true });
}
