import { expect } from 'bun:test';
import type { Step } from './step.ts';
import { busybox } from './step.ts';

export const listingSteps: readonly Step[] = [
  {
    name: 'ps: columns, filters, formats, quiet, size of the table',
    async play(session) {
      const up = session.container('ps-up');
      const down = session.container('ps-down');
      await session.ok('run', '-d', '--name', up, '--label', 'listing=yes', busybox, 'sleep', '1000');
      await session.docker(['run', '--name', down, '--label', 'listing=yes', busybox, 'sh', '-c', 'exit 3']);
      await session.ok('ps', '--filter', 'label=listing=yes');
      await session.ok('ps', '-a', '--filter', 'label=listing=yes');
      await session.ok(
        'ps',
        '-a',
        '--filter',
        'label=listing',
        '--filter',
        'status=exited',
        '--format',
        '{{.Names}} {{.Image}} {{.Command}} {{.State}} {{.Status}} {{.Labels}}',
      );
      await session.ok('ps', '-aq', '--no-trunc', '--filter', 'label=listing=yes');
      await session.ok('ps', '-a', '--filter', 'exited=3', '--filter', 'label=listing', '--format', '{{.Names}}');
      await session.ok('ps', '-a', '--filter', 'name=ps-', '--format', '{{.Names}} {{.Networks}} {{.Mounts}} {{.Ports}} {{.LocalVolumes}}');
      await session.ok('ps', '-a', '--filter', `ancestor=${busybox}`, '--filter', 'name=ps-up', '--format', 'json');
      await session.ok('ps', '-n', '1', '--format', '{{.Names}}');
      await session.docker(['ps', '--filter', 'nonsense=1']);
    },
  },
  {
    name: 'inspect: every field that clients read',
    async play(session) {
      const name = session.container('inspected');
      await session.ok('run', '-d', '--name', name, '--memory', '64m', '-e', 'A=1', '--label', 'k=v', '-v', '/anon', busybox, 'sleep', '1000');
      const facts = await session.inspect(name);
      session.note('keys', keysOf(facts));
      session.note('Config', { ...(facts['Config'] as object), Hostname: '<id>' });
      session.note('HostConfig', facts['HostConfig']);
      session.note('State', { ...(facts['State'] as object), Pid: '<pid>', StartedAt: '<time>' });
      session.note('paths', `${facts['Path']} ${facts['Args']} ${facts['Name']} ${facts['Driver']} ${facts['Platform']} ${facts['RestartCount']}`);
      await session.ok('inspect', '--format', '{{range .Mounts}}{{.Type}} {{.Destination}} {{.Driver}} {{.Mode}} {{.RW}} {{.Propagation}}{{end}}', name);
      await session.docker(['inspect', 'absent']);
      await session.docker(['inspect', '--type', 'container', 'absent']);
    },
  },
  {
    name: 'events: a container’s life in order, by filter, as JSON',
    async play(session) {
      const since = (Date.now() / 1000).toFixed(3);
      const name = session.container('eventful');
      await session.ok('run', '--name', name, '--label', 'k=v', busybox, 'sh', '-c', 'exit 2').catch(() => undefined);
      await session.quiet('rename', name, session.container('eventful-too'));
      await session.quiet('start', 'eventful-too');
      await session.quiet('wait', 'eventful-too');
      await session.quiet('rm', 'eventful-too');
      const until = (Date.now() / 1000 + 1).toFixed(3);
      const lines = await session.quiet(
        'events',
        '--since',
        since,
        '--until',
        until,
        '--filter',
        'type=container',
        '--format',
        '{{.Action}} {{.Actor.Attributes.name}} {{.Actor.Attributes.exitCode}}',
      );
      session.note('actions', lines);
      expect(lines.split('\n').map((line) => line.split(' ')[0])).toEqual(['create', 'attach', 'start', 'die', 'rename', 'start', 'die', 'destroy']);
      const dies = await session.quiet('events', '--since', since, '--until', until, '--filter', 'event=die', '--filter', 'label=k=v', '--format', 'json');
      const die = JSON.parse(dies.split('\n')[0] ?? '') as Record<string, unknown>;
      session.note('keys of an event', keysOf(die));
    },
  },
  {
    name: 'events: live, while they happen',
    async play(session) {
      const watcher = session.spawn(['events', '--filter', 'container=watched', '--format', '{{.Action}}']);
      const name = session.container('watched');
      await session.quiet('create', '--name', name, busybox, 'true');
      // The subscription is live once it shows an event; repeat a harmless one until then.
      await session.quiet('start', name);
      await session.quiet('rm', '-f', name);
      await watcher.output(/start\n(.*\n)*die\n(.*\n)*destroy\n/);
      await watcher.stop();
    },
  },
  {
    name: 'version and info name what clients ask for',
    async play(session) {
      session.note('api', await session.quiet('version', '--format', '{{.Server.APIVersion}} {{.Server.MinAPIVersion}} {{.Server.Os}}/{{.Server.Arch}}'));
      session.note(
        'info',
        await session.quiet(
          'info',
          '--format',
          '{{.Driver}} {{.CgroupDriver}} {{.CgroupVersion}} {{.OSType}} {{.Architecture}} {{.NCPU}} {{.MemTotal}} {{.KernelVersion}} {{.LoggingDriver}} {{.DefaultRuntime}}',
        ),
      );
    },
  },
];

/** The shape of a JSON value: its keys, in order of name, objects below with theirs. */
function keysOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.length > 0 ? [keysOf(value[0])] : [];
  if (value === null || typeof value !== 'object') return typeof value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, inner !== null && typeof inner === 'object' ? keysOf(inner) : '']),
  );
}
