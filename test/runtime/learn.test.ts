/** `run --learn`: the profile of a container lets that container run again, and no other program. */
import { expect, test } from 'bun:test';
import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LinuxSeccomp } from '../../src/oci/index.ts';
import { defaultSeccompProfile } from '../../src/runtime/seccomp-profile/index.ts';
import { ensureProgram } from '../lib/compile.ts';
import { type TestSpec, useRuntimeWorld } from './lib/index.ts';

const runtime = useRuntimeWorld();

const script = (text: string, noNewPrivileges: boolean) => (spec: TestSpec) => {
  spec.process.args = ['sh', '-ec', text];
  spec.process['noNewPrivileges'] = noNewPrivileges;
};

async function learn(patch: (spec: TestSpec) => void): Promise<{ profile: LinuxSeccomp; stdout: string; code: number }> {
  const bundle = runtime.current.bundle(patch);
  const file = join(bundle.dir, 'profile.json');
  const { code, stdout, stderr } = await runtime.current.run(bundle, ['--learn', file]);
  expect(stderr).not.toContain('level=');
  expect(readdirSync(bundle.dir).sort()).toEqual(['config.json', 'profile.json', 'rootfs']);
  return { profile: JSON.parse(readFileSync(file, 'utf8')) as LinuxSeccomp, stdout, code: code ?? -1 };
}

const names = ({ syscalls }: LinuxSeccomp) => syscalls?.[0]?.names ?? [];

test.each([false, true])('what ran runs again, another program does not (no_new_privs %p)', async (noNewPrivileges) => {
  const work = 'echo a > /tmp/a; (cat /tmp/a; sleep 0.01) & wait; rm /tmp/a; exit 7';
  const { profile, stdout, code } = await learn(script(work, noNewPrivileges));
  expect([stdout, code]).toEqual(['a\n', 7]);
  expect(profile).toMatchObject({ defaultAction: 'SCMP_ACT_ERRNO', defaultErrnoRet: 1 });
  expect(names(profile)).toEqual([...names(profile)].sort());
  for (const name of ['execve', 'exit_group', 'wait4']) expect(names(profile)).toContain(name);
  // Of the runtime's own calls only the loss of the privilege that loading the filter takes.
  expect(['capset', 'seccomp', 'sendmsg', 'openat2'].filter((name) => names(profile).includes(name))).toEqual(noNewPrivileges ? [] : ['capset']);

  const filtered = (text: string) => (spec: TestSpec) => {
    script(text, noNewPrivileges)(spec);
    spec.linux['seccomp'] = profile;
  };
  expect(await runtime.current.run(filtered(work))).toMatchObject({ code: 7, stdout: 'a\n' });
  // created and started, with an exec beside
  await using container = await runtime.current.create(filtered(work));
  await container.start();
  await container.ended();
  expect(container.log).toBe('a\n');
  const other = await runtime.current.run(filtered('mkdir /tmp/x'));
  expect(other.code).not.toBe(0);
  expect(other.stderr).toContain("can't create directory '/tmp/x'");
});

test('threads, children and another ABI are seen', async () => {
  const bundle = runtime.current.bundle((spec) => {
    spec.process.args = ['/abi'];
  });
  copyFileSync(ensureProgram(join(import.meta.dirname, 'lib/learn-calls.c')), join(bundle.rootfs, 'abi'));
  const file = join(bundle.dir, 'profile.json');
  expect(await runtime.current.run(bundle, ['--learn', file])).toMatchObject({ code: 0, stderr: '' });
  const profile = JSON.parse(readFileSync(file, 'utf8')) as LinuxSeccomp;
  for (const name of ['sched_get_priority_max', 'sched_get_priority_min', 'getpid']) expect(names(profile)).toContain(name);
  if (process.arch === 'x64') expect(profile.architectures).toEqual(['SCMP_ARCH_X86', 'SCMP_ARCH_X86_64']);
  const again = runtime.current.bundle((spec) => {
    spec.process.args = ['/abi'];
    spec.linux['seccomp'] = profile;
  });
  copyFileSync(join(bundle.rootfs, 'abi'), join(again.rootfs, 'abi'));
  expect(await runtime.current.run(again)).toMatchObject({ code: 0 });
});

test('the container keeps the filter that it had: conditions and errnos of its own stay', async () => {
  const own = defaultSeccompProfile({ capabilities: [], arch: process.arch === 'arm64' ? 'aarch64' : 'x86_64', kernelVersion: '6.12' });
  const { profile, code } = await learn((spec) => {
    script('(true) & wait; mount -t tmpfs t /tmp || exit 3', true)(spec);
    spec.linux['seccomp'] = own;
  });
  expect(code).toBe(3);
  expect(names(profile)).not.toContain('mount');
  const clone = (profile.syscalls ?? []).filter((rule) => rule.names.includes('clone'));
  if (clone.length > 0) expect(clone).toEqual([expect.objectContaining({ args: [expect.objectContaining({ op: 'SCMP_CMP_MASKED_EQ' })] })]);
  expect(profile.syscalls).toContainEqual({ names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: 38 });
});

test('what cannot be learnt leaves nothing behind', async () => {
  const bundle = runtime.current.bundle((spec) => {
    spec.process.args = ['/no/such/program'];
  });
  const file = join(bundle.dir, 'profile.json');
  const missing = await runtime.current.run(bundle, ['--learn', file]);
  expect(missing.stderr.replaceAll('\\', '')).toContain('exec: "/no/such/program": stat /no/such/program: no such file or directory');
  const detached = await runtime.current.run(bundle, ['--detach', '--learn', file]);
  expect(detached.stderr).toContain('--learn cannot be used with --detach');
  const unwritable = await runtime.current.run(bundle, ['--learn', join(bundle.dir, 'none/profile.json')]);
  expect(unwritable.stderr).toContain('none/profile.json');
  writeFileSync(file, 'old');
  await runtime.current.run(bundle, ['--learn', file]);
  expect([readFileSync(file, 'utf8'), existsSync(join(bundle.dir, 'none'))]).toEqual(['old', false]);
  expect(readdirSync(bundle.dir).sort()).toEqual(['config.json', 'profile.json', 'rootfs']);
});
