// A container that may write to its cgroup makes it deeper than any path or number of descriptors: nothing in there may outlive the container.
import { expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { containerCgroups, Scene } from './lib/scene.ts';

const depth = 1_500;
/** Makes the directories one below the other, and moves a process to the deepest. */
const dig = `import os, sys
os.chdir(sys.argv[1])
for _ in range(${depth}):
    os.mkdir('deep')
    os.chdir('deep')
open('cgroup.procs', 'w').write(sys.argv[2])
`;

test('a process at the bottom of deep cgroups ends with the container, and all of them are removed', async () => {
  await using scene = new Scene();
  const id = scene.id();
  const pidFile = path.join(scene.dir, 'pid');
  expect(scene.runc('run', '--detach', '--bundle', scene.bundle({ process: { args: ['sleep', '1000'] } }), id).error).toBe('');
  expect(scene.runc('exec', '--detach', '--pid-file', pidFile, id, 'sleep', '1000').error).toBe('');
  const pid = readFileSync(pidFile, 'utf8');
  const dug = containerCgroups(id).filter((dir) => existsSync(`${dir}/cgroup.kill`) || dir.includes('/pids/'));
  expect(dug.length).toBeGreaterThan(0);
  for (const dir of dug) expect(spawnSync('python3', ['-c', dig, dir, pid], { encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
  expect(readFileSync(`/proc/${pid}/cgroup`, 'utf8')).toContain('/deep/deep/deep');
  expect(scene.runc('delete', '--force', id)).toEqual({ status: 0, stdout: '', error: '' });
  expect(existsSync(`/proc/${pid}`)).toBe(false);
  expect(containerCgroups(id)).toEqual([]);
});
