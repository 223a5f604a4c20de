import { existsSync } from 'node:fs';
import { StrakeError } from '../../base/index.ts';
import type { CgroupManager } from '../lifecycle/cgroup.ts';
import type { ParsedFlags } from './flags.ts';

/** Who makes cgroups, by runc's `--systemd-cgroup` and crun's `--cgroup-manager`. FailedPrecondition for systemd, in runc's words where none runs. */
export function cgroupManager(globals: ParsedFlags): CgroupManager {
  const manager = globals.bool('systemd-cgroup') ? 'systemd' : globals.string('cgroup-manager') || 'cgroupfs';
  if (manager === 'cgroupfs' || manager === 'disabled') return manager;
  const refuse = (message: string) => new StrakeError('FailedPrecondition', message, { fields: { layer: 'runtime' } });
  if (manager !== 'systemd') throw refuse(`unknown cgroup manager ${JSON.stringify(manager)}: one of cgroupfs, disabled, systemd`);
  // sd_booted(3)
  if (!existsSync('/run/systemd/system')) throw refuse('systemd not running on this host, cannot use systemd cgroups manager');
  throw refuse('cgroups are not managed by systemd here: leave --systemd-cgroup away, and give cgroupsPath as a path');
}
