import { execInContainer } from '../../lifecycle/exec.ts';
import type { Command } from '../command.ts';
import { minArgs } from '../flags.ts';
import { descriptorCount } from './create-flags.ts';

export const exec: Command = {
  usage: 'exec [options] <container-id> <command> [command options]',
  flags: {
    'additional-gids': { kind: 'list', alias: 'g' },
    apparmor: { kind: 'string' },
    cgroup: { kind: 'list' },
    cap: { kind: 'list', alias: 'c' },
    'console-socket': { kind: 'string' },
    cwd: { kind: 'string' },
    detach: { kind: 'bool', alias: 'd' },
    env: { kind: 'list', alias: 'e' },
    'ignore-paused': { kind: 'bool' },
    'no-new-privs': { kind: 'bool' },
    'no-subreaper': { kind: 'bool' },
    'pid-file': { kind: 'string' },
    'pidfd-socket': { kind: 'string' },
    'preserve-fds': { kind: 'string' },
    'process-label': { kind: 'string' },
    process: { kind: 'string', alias: 'p' },
    trace: { kind: 'string' },
    tty: { kind: 'bool', alias: 't' },
    user: { kind: 'string', alias: 'u' },
  },
  flagsEndAfter: 1,
  run(context, flags) {
    minArgs('exec', flags.args, 1);
    const [id = '', ...args] = flags.args;
    return execInContainer(context, {
      id,
      args,
      processFile: flags.string('process') || undefined,
      cwd: flags.string('cwd') || undefined,
      env: flags.list('env'),
      user: flags.string('user') || undefined,
      additionalGids: flags.list('additional-gids'),
      capabilities: flags.list('cap'),
      noNewPrivileges: flags.string('no-new-privs') === undefined ? undefined : flags.bool('no-new-privs'),
      apparmor: flags.string('apparmor') || undefined,
      selinuxLabel: flags.string('process-label') || undefined,
      cgroups: flags.list('cgroup'),
      terminal: flags.bool('tty'),
      detach: flags.bool('detach'),
      pidFile: flags.string('pid-file') || undefined,
      pidfdSocket: flags.string('pidfd-socket') || undefined,
      preserveFds: descriptorCount(flags),
      consoleSocket: flags.string('console-socket') || undefined,
      ignorePaused: flags.bool('ignore-paused'),
    });
  },
};
