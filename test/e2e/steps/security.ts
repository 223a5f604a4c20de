import { expect } from 'bun:test';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Session } from '../../lib/session.ts';
import type { Step } from './step.ts';
import { busybox } from './step.ts';

/** Starts a sleeper with these flags and gives the fields of its /proc/PID/status, as the kernel has them. */
async function credentials(session: Session, label: string, ...flags: readonly string[]): Promise<Record<string, string>> {
  const name = session.container(label);
  await session.ok('run', '-d', '--name', name, ...flags, busybox, 'sleep', '1000');
  const pid = await session.pid(name);
  const fields = ['Uid', 'Gid', 'Groups', 'CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb', 'NoNewPrivs', 'Seccomp'];
  const status = Object.fromEntries(fields.map((field) => [field, session.engine.world.status(pid, field)]));
  session.note(`credentials of ${label}`, status);
  return status;
}

/** "MAJOR MINOR" of the machine's disks. */
function hostDisks(): string[] {
  return readFileSync('/proc/partitions', 'utf8')
    .split('\n')
    .slice(2)
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , , disk]) => disk !== undefined)
    .slice(0, 3)
    .map(([major, minor]) => `${major} ${minor}`);
}

export const securitySteps: readonly Step[] = [
  {
    name: 'default credentials: 14 capabilities, none inheritable, a seccomp filter',
    async play(session) {
      expect(await credentials(session, 'plain')).toMatchObject({
        CapInh: '0000000000000000',
        CapEff: '00000000a80425fb',
        CapBnd: '00000000a80425fb',
        NoNewPrivs: '0',
        Seccomp: '2',
      });
    },
  },
  {
    name: '--cap-drop ALL, --cap-add, and unknown names',
    async play(session) {
      expect((await credentials(session, 'dropped', '--cap-drop', 'ALL'))['CapBnd']).toBe('0000000000000000');
      expect((await credentials(session, 'one-cap', '--cap-drop', 'ALL', '--cap-add', 'NET_ADMIN'))['CapEff']).toBe('0000000000001000');
      expect((await session.docker(['run', '--rm', '--cap-drop', 'ALL', busybox, 'chown', '1:1', '/etc/passwd'])).code).toBe(1);
      await session.docker(['run', '--rm', '--cap-add', 'NONSENSE', busybox, 'true']);
    },
  },
  {
    name: '--privileged: all that the machine has',
    async play(session) {
      const status = await credentials(session, 'privileged', '--privileged');
      expect(status['Seccomp']).toBe('0');
      expect(status['CapInh']).toBe('0000000000000000');
      await session.ok(
        'run',
        '--rm',
        '--privileged',
        busybox,
        'sh',
        '-c',
        'mount -t tmpfs none /mnt 2>/dev/null || mkdir /mnt && mount -t tmpfs none /mnt && echo mounted; grep " /sys " /proc/mounts',
      );
    },
  },
  {
    name: '--security-opt no-new-privileges and seccomp=unconfined',
    async play(session) {
      expect((await credentials(session, 'nnp', '--security-opt', 'no-new-privileges'))['NoNewPrivs']).toBe('1');
      expect((await credentials(session, 'unconfined', '--security-opt', 'seccomp=unconfined'))['Seccomp']).toBe('0');
      await session.docker(['run', '--rm', '--security-opt', 'nonsense', busybox, 'true']);
    },
  },
  {
    name: 'the default seccomp profile refuses what it must',
    async play(session) {
      await session.docker(['run', '--rm', busybox, 'unshare', '-U', 'true']);
      await session.docker(['run', '--rm', busybox, 'mount', '-t', 'tmpfs', 'none', '/tmp']);
      await session.docker(['run', '--rm', '--cap-add', 'SYS_ADMIN', busybox, 'sh', '-c', 'mount -t tmpfs none /tmp && echo mounted']);
    },
  },
  {
    name: '--user by name, by number, with a group, and unknown',
    async play(session) {
      const status = await credentials(session, 'numbered', '--user', '1000:1001');
      expect(status).toMatchObject({ Uid: '1000\t1000\t1000\t1000', Gid: '1001\t1001\t1001\t1001', CapEff: '0000000000000000' });
      await session.ok('run', '--rm', '--user', 'www-data', busybox, 'sh', '-c', 'id; echo $HOME');
      await session.ok('run', '--rm', '--user', '33', busybox, 'id');
      await session.ok('run', '--rm', '--user', '4000', '--group-add', 'tty', '--group-add', '77', busybox, 'sh', '-c', 'id; echo $HOME');
      await session.docker(['run', '--rm', '--user', 'nobody-knows', busybox, 'id']);
      await session.docker(['run', '--rm', '--user', '-1', busybox, 'id']);
      await session.docker(['run', '--rm', '--user', '4294967296', busybox, 'id']);
      await session.docker(['run', '--rm', '--user', '1000abc', busybox, 'id']);
    },
  },
  {
    name: '--read-only, with a tmpfs to write in',
    async play(session) {
      const name = session.container('read-only');
      await session.ok('run', '-d', '--read-only', '--tmpfs', '/scratch:size=1m,mode=1777', '--name', name, busybox, 'sleep', '1000');
      const mounts = readFileSync(session.engine.world.procPath(await session.pid(name), 'mounts'), 'utf8');
      expect(mounts).toMatch(/ \/ overlay ro,/);
      expect(mounts).toMatch(/ \/scratch tmpfs rw,.*size=1024k/);
      await session.docker(['exec', name, 'touch', '/file']);
      await session.ok('exec', name, 'sh', '-c', 'echo x >/scratch/file && cat /scratch/file');
      await session.docker(['exec', name, 'dd', 'if=/dev/zero', 'of=/scratch/big', 'bs=1M', 'count=2']);
    },
  },
  {
    name: 'masked and read-only paths of /proc and /sys',
    async play(session) {
      await session.ok(
        'run',
        '--rm',
        busybox,
        'sh',
        '-c',
        'head -c1 /proc/kcore | wc -c; ls /proc/acpi /sys/firmware 2>/dev/null | wc -l; cat /proc/keys | wc -c; cat /proc/timer_list | wc -c',
      );
      for (const path of [
        '/proc/sys/kernel/hostname',
        '/proc/sysrq-trigger',
        '/proc/irq/default_smp_affinity',
        '/sys/kernel/profiling',
        '/sys/fs/cgroup/memory/memory.limit_in_bytes',
      ]) {
        await session.docker(['run', '--rm', busybox, 'sh', '-c', `echo 1 >${path}`]);
      }
    },
  },
  {
    name: '--device gives one device and the right to it',
    async play(session) {
      await session.ok('run', '--rm', '--device', '/dev/loop-control:/dev/mine:r', busybox, 'sh', '-c', 'ls -l /dev/mine | cut -c1-10');
      await session.docker(['run', '--rm', busybox, 'sh', '-c', 'mknod /tmp/disk b 254 0 && head -c1 /tmp/disk']);
      await session.docker(['run', '--rm', '--device', '/dev/absent', busybox, 'true']);
    },
  },
  {
    name: 'a node of a disk of the machine cannot be opened; one that is allowed by rule can',
    async play(session) {
      const major = statSync('/dev/loop-control').rdev >> 8; // a character device that no container has by default: misc
      const open = `mknod /tmp/node c ${major} ${statSync('/dev/loop-control').rdev & 0xff} && { : </tmp/node; } && echo opened`;
      expect((await session.docker(['run', '--rm', busybox, 'sh', '-c', open])).stderr).toContain('Operation not permitted');
      expect((await session.docker(['run', '--rm', '--cap-add', 'ALL', busybox, 'sh', '-c', open])).stderr).toContain('Operation not permitted');
      expect(await session.ok('run', '--rm', '--device-cgroup-rule', `c ${major}:* rwm`, busybox, 'sh', '-c', open)).toBe('opened');
      expect(await session.ok('run', '--rm', '--privileged', busybox, 'sh', '-c', open)).toBe('opened');
      for (const disk of hostDisks()) {
        const node = `mknod /tmp/disk b ${disk} && { : </tmp/disk; } && echo opened`;
        expect((await session.engine.docker(['run', '--rm', busybox, 'sh', '-c', node])).stderr).toContain('Operation not permitted');
      }
      const name = session.container('executed');
      await session.ok('run', '-d', '--name', name, busybox, 'sleep', '1000');
      expect((await session.docker(['exec', '--privileged', name, 'sh', '-c', open])).stderr).toContain('Operation not permitted');
      const devices = readFileSync(join(session.engine.world.cgroupOf(await session.pid(name), 'devices'), 'devices.list'), 'utf8');
      session.note('devices.list', devices.trim().split('\n').sort());
    },
  },
  {
    name: '--security-opt seccomp=FILE: the file decides',
    async play(session) {
      const profile = (name: string, content: unknown): string => {
        const file = join(session.directory('seccomp'), name);
        writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
        return `seccomp=${file}`;
      };
      const refusing = profile('refusing.json', {
        defaultAction: 'SCMP_ACT_ALLOW',
        syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', errnoRet: 122 }],
      });
      expect((await session.docker(['run', '--rm', '--security-opt', refusing, busybox, 'mkdir', '/made'])).stderr).toContain('uota exceeded');
      await session.ok('run', '--rm', '--security-opt', refusing, busybox, 'unshare', '-U', 'true'); // what the default would refuse
      const byCapability = profile('capability.json', {
        defaultAction: 'SCMP_ACT_ALLOW',
        syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', includes: { caps: ['CAP_NET_ADMIN'] } }],
      });
      await session.ok('run', '--rm', '--security-opt', byCapability, busybox, 'mkdir', '/made');
      await session.docker(['run', '--rm', '--security-opt', byCapability, '--cap-add', 'NET_ADMIN', busybox, 'mkdir', '/made']);
      const killing = profile('killing.json', { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['uname'], action: 'SCMP_ACT_KILL_PROCESS' }] });
      expect((await session.docker(['run', '--rm', '--security-opt', killing, busybox, 'uname'])).code).toBe(159);
      const name = session.container('filtered');
      await session.ok('run', '-d', '--name', name, '--security-opt', refusing, busybox, 'sleep', '1000');
      await session.docker(['exec', name, 'mkdir', '/made']);
      await session.docker(['run', '--rm', '--security-opt', profile('broken.json', '{'), busybox, 'true']);
      const nonsense = profile('action.json', { defaultAction: 'SCMP_ACT_NONSENSE' });
      const refused = await session.engine.docker(['run', '--rm', '--security-opt', nonsense, busybox, 'true']);
      expect(refused).toMatchObject({ code: 125, stderr: expect.stringContaining('SCMP_ACT_NONSENSE') }); // in words of their own
      await session.docker(['run', '--rm', '--security-opt', 'seccomp=/absent.json', busybox, 'true']);
    },
  },
];
