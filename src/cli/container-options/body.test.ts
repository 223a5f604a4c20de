import { describe, expect, test } from 'bun:test';
import { parseFlags } from '../flags/parse.ts';
import { containerBody } from './body.ts';
import { containerFlags } from './flags.ts';

interface Body {
  readonly HostConfig: Readonly<Record<string, unknown>>;
  readonly [name: string]: unknown;
}

const body = (...argv: string[]) => containerBody(parseFlags(containerFlags, argv, { stopAtArgument: true }), { HOME: '/root', FROM_OUTSIDE: 'yes' }) as Body;

describe('containerBody', () => {
  test('a plain run', () => {
    const made = body('busybox', 'sh', '-c', 'true');
    expect(made).toMatchObject({
      Image: 'busybox',
      Cmd: ['sh', '-c', 'true'],
      Tty: false,
      OpenStdin: false,
      AttachStdout: true,
      AttachStderr: true,
      AttachStdin: false,
      Env: [],
    });
    expect(made['Entrypoint']).toBeUndefined();
    expect(made.HostConfig).toMatchObject({ NetworkMode: 'default', AutoRemove: false, RestartPolicy: { Name: 'no', MaximumRetryCount: 0 } });
    expect(made.HostConfig['Memory']).toBeUndefined();
  });

  const hostConfigs: readonly (readonly [readonly string[], Readonly<Record<string, unknown>>])[] = [
    [['--memory', '64m', '--cpus', '1.5', '--pids-limit', '-1'], { Memory: 67_108_864, NanoCpus: 1_500_000_000, PidsLimit: -1 }],
    [['--memory-swap', '-1'], { MemorySwap: -1 }],
    [
      ['--ulimit', 'nofile=10:20', '--ulimit', 'core=0'],
      {
        Ulimits: [
          { Name: 'nofile', Soft: 10, Hard: 20 },
          { Name: 'core', Soft: 0, Hard: 0 },
        ],
      },
    ],
    [
      ['--device', '/dev/null:/dev/x:r', '--device', '/dev/zero:rw'],
      {
        Devices: [
          { PathOnHost: '/dev/null', PathInContainer: '/dev/x', CgroupPermissions: 'r' },
          { PathOnHost: '/dev/zero', PathInContainer: '/dev/zero', CgroupPermissions: 'rw' },
        ],
      },
    ],
    [['--tmpfs', '/run:size=1m', '--tmpfs', '/tmp'], { Tmpfs: { '/run': 'size=1m', '/tmp': '' } }],
    [['-v', 'data:/data:ro', '-v', '/a:/b'], { Binds: ['data:/data:ro', '/a:/b'] }],
    [['--restart', 'on-failure:3'], { RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 3 } }],
    [
      ['-p', '127.0.0.1:8080:80/udp', '-p', '90'],
      { PortBindings: { '80/udp': [{ HostIp: '127.0.0.1', HostPort: '8080' }], '90/tcp': [{ HostIp: '', HostPort: '' }] } },
    ],
    [
      ['--mount', 'type=bind,source=/a,target=/b,readonly,bind-propagation=rshared'],
      { Mounts: [{ Type: 'bind', Source: '/a', Target: '/b', ReadOnly: true, BindOptions: { Propagation: 'rshared' } }] },
    ],
    [
      ['--mount', 'type=image,source=tools,target=/t,image-subpath=bin'],
      { Mounts: [{ Type: 'image', Source: 'tools', Target: '/t', ImageOptions: { Subpath: 'bin' } }] },
    ],
    [
      ['--mount', 'type=tmpfs,dst=/t,tmpfs-size=1m,tmpfs-mode=1777'],
      { Mounts: [{ Type: 'tmpfs', Target: '/t', TmpfsOptions: { SizeBytes: 1_048_576, Mode: 0o1777 } }] },
    ],
    [['--init=false'], { Init: false }],
  ];
  test.each(hostConfigs)('%j', (argv, expected) => expect(body(...argv, 'x').HostConfig).toMatchObject(expected));

  test('environment takes bare names from outside, and drops the unknown', () => {
    expect(body('-e', 'A=1', '-e', 'FROM_OUTSIDE', '-e', 'NOT_SET', 'x')['Env']).toEqual(['A=1', 'FROM_OUTSIDE=yes']);
  });

  test('an empty entry point clears that of the image', () => expect(body('--entrypoint', '', 'x')['Entrypoint']).toEqual(['']));

  test.each([
    [['--memory', 'much'], 'invalid argument "much" for "-m, --memory" flag: invalid size: \'much\''],
    [['--ulimit', 'nofile'], 'invalid argument "nofile" for "--ulimit" flag: invalid ulimit argument: nofile'],
    [['--mount', 'type=bind,source=/a'], 'target is required'],
    [['-p', 'a:b:c:d'], 'invalid publish opts format: a:b:c:d'],
    [['-a', 'nowhere'], 'valid streams are STDIN, STDOUT and STDERR'],
  ])('%j is refused', (argv, message) => expect(() => body(...argv, 'x')).toThrow(message));
});
