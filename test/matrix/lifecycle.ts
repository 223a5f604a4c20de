import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { busybox } from '../e2e/steps/step.ts';
import { until } from '../lib/until.ts';
import { containerCgroup, readCgroup } from '../runtime/lib/cgroup.ts';
import type { Chain } from './chains.ts';

/** One container's life, a step after the other: each stands on those before. */
export interface LifecycleStep {
  readonly name: string;
  play(life: Life): Promise<void>;
}

const counting = 'trap "echo ended; exit 7" TERM; trap "echo usr1" USR1; i=0; while :; do i=$((i+1)); echo $i; usleep 20000; done';

/** A chain, and what the steps know of the container. */
export class Life {
  readonly chain: Chain;
  /** The init of `main`, as the world counts. */
  pid = 0;

  constructor(chain: Chain) {
    this.chain = chain;
  }

  get engine() {
    return this.chain.engine;
  }

  async ok(...argv: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.engine.docker(argv);
    if (code !== 0) throw new Error(`docker ${argv.join(' ')}: exit ${code}: ${stderr.trim()}`);
    return stdout.trim();
  }

  async state(name: string, format: string): Promise<string> {
    return await this.ok('inspect', '--format', format, name);
  }

  /** What the kernel has written down for `main`. */
  limit(v1Controller: string, v1File: string, v2File: string): string {
    return readCgroup(containerCgroup(this.engine.world, this.pid), v1Controller, v1File, v2File);
  }

  /** Lines that `main` has counted, which must be 1, 2, 3 … without a gap. */
  async counted(): Promise<number> {
    const numbers = (await this.ok('logs', 'main')).split('\n').filter((line) => /^\d+$/.test(line));
    assert.deepEqual(
      numbers.map(Number).filter((value, index) => value !== index + 1),
      [],
      'the log has a gap',
    );
    return numbers.length;
  }

  /** It is the same process still, and can be spoken to; its log has no gap and grows. */
  async expectUntouched(): Promise<void> {
    assert.equal(await this.state('main', '{{.State.Pid}} {{.State.Running}}'), `${this.pid} true`);
    assert.equal(await this.ok('exec', 'main', 'echo', 'here'), 'here');
    const before = await this.counted();
    await until('the log to grow', async () => (await this.counted()) > before);
  }
}

const step = (name: string, play: LifecycleStep['play']): LifecycleStep => ({ name, play });

export const lifecycle: readonly LifecycleStep[] = [
  step('run', async (life) => {
    const { code, stdout, stderr } = await life.engine.docker(['run', '--rm', busybox, 'sh', '-c', 'echo out; echo err >&2; exit 42']);
    assert.deepEqual([code, stdout, stderr], [42, 'out\n', 'err\n']);
  }),
  step('run of what is not there: 127', async (life) => assert.equal((await life.engine.docker(['run', '--rm', busybox, '/absent'])).code, 127)),
  step('run -i', async (life) => {
    const { code, stdout } = await life.engine.docker(['run', '--rm', '-i', busybox, 'sha256sum'], { stdin: 'x'.repeat(100_000) });
    assert.deepEqual([code, stdout], [0, `${new Bun.CryptoHasher('sha256').update('x'.repeat(100_000)).digest('hex')}  -\n`]);
  }),
  step('run -it', async (life) => {
    const terminal = life.engine.dockerPty(['run', '--rm', '-it', busybox, 'sh'], { cols: 77, rows: 33 });
    terminal.type('until [ "$(stty size)" = "33 77" ]; do usleep 1000; done; stty size; exit 5\n');
    await terminal.shows(/^33 77\r$/m);
    assert.equal(await terminal.end(), 5);
  }),
  step('run -d', async (life) => {
    assert.match(await life.ok('run', '-d', '--name', 'main', '--memory', '64m', busybox, 'sh', '-c', counting), /^[0-9a-f]{64}$/);
    life.pid = Number(await life.state('main', '{{.State.Pid}}'));
    assert.equal(life.engine.world.alive(life.pid), true);
  }),
  step('ps', async (life) => assert.equal(await life.ok('ps', '--format', '{{.Names}} {{.State}}'), 'main running')),
  step('its limit is in the kernel', async (life) => assert.equal(life.limit('memory', 'memory.limit_in_bytes', 'memory.max'), String(64 << 20))),
  step('exec', async (life) => assert.equal(await life.ok('exec', '-e', 'K=v', '-w', '/tmp', 'main', 'sh', '-c', 'echo $K $PWD'), 'v /tmp')),
  step('exec: its exit code', async (life) => assert.equal((await life.engine.docker(['exec', 'main', 'sh', '-c', 'exit 9'])).code, 9)),
  step('exec -it', async (life) => {
    const terminal = life.engine.dockerPty(['exec', '-it', 'main', 'sh']);
    terminal.type('tty; exit 6\n');
    await terminal.shows(/^\/dev\/pts\/\d+\r$/m);
    assert.equal(await terminal.end(), 6);
  }),
  step('exec -i', async (life) => assert.equal((await life.engine.docker(['exec', '-i', 'main', 'cat'], { stdin: 'through' })).stdout, 'through')),
  step('logs', async (life) => {
    await until('lines', async () => (await life.counted()) > 3);
    assert.equal(await life.ok('logs', '--tail', '1000', 'main').then((text) => text.split('\n')[0]), '1');
  }),
  step('top', async (life) => assert.match(await life.ok('top', 'main'), /sh -c trap/)),
  step('stats', async (life) => assert.match(await life.ok('stats', '--no-stream', '--format', '{{.Name}} {{.MemUsage}}', 'main'), /^main .*64MiB$/)),
  step('cp in and out', async (life) => {
    const file = join(life.engine.work, 'copied');
    await Bun.write(file, 'of the host');
    await life.ok('cp', file, 'main:/tmp/in');
    await life.ok('cp', 'main:/tmp/in', `${file}-back`);
    assert.equal(readFileSync(`${file}-back`, 'utf8'), 'of the host');
  }),
  step('pause', async (life) => {
    await life.ok('pause', 'main');
    assert.equal(await life.state('main', '{{.State.Status}}'), 'paused');
    const before = await life.counted();
    assert.notEqual((await life.engine.docker(['exec', 'main', 'true'])).code, 0);
    assert.equal(await life.counted(), before);
  }),
  step('unpause', async (life) => {
    await life.ok('unpause', 'main');
    await life.expectUntouched();
  }),
  step('update', async (life) => {
    await life.ok('update', '--memory', '96m', '--memory-swap', '-1', '--pids-limit', '77', 'main');
    assert.equal(life.limit('memory', 'memory.limit_in_bytes', 'memory.max'), String(96 << 20));
    assert.equal(life.limit('pids', 'pids.max', 'pids.max'), '77');
  }),
  step('memory runs out: 137, OOMKilled', async (life) => {
    // containerd's shim watches for the killer from the end of `start` on.
    await life.ok(
      'run',
      '-d',
      '--name',
      'greedy',
      '--memory',
      '64m',
      busybox,
      'sh',
      '-c',
      'until [ -e /go ]; do usleep 10000; done; exec dd if=/dev/zero of=/dev/null bs=200M',
    );
    await life.ok('exec', '-d', 'greedy', 'touch', '/go');
    assert.equal(await life.ok('wait', 'greedy'), '137');
    // runc's shim watches memory beside the process, and may tell of it after the end.
    await until('137, OOMKilled', async () => (await life.state('greedy', '{{.State.ExitCode}} {{.State.OOMKilled}}')) === '137 true');
    await life.ok('rm', 'greedy');
  }),
  step('another restart of the engine', async (life) => {
    await life.chain.restartEngine();
    await life.expectUntouched();
  }),
  step('a restart of containerd', async (life) => {
    await life.chain.restartContainerd();
    await until('the engine to speak to it', async () => (await life.engine.docker(['exec', 'main', 'true'])).code === 0);
    await life.expectUntouched();
  }),
  step('run after the restarts', async (life) => assert.equal(await life.ok('run', '--rm', busybox, 'echo', 'again'), 'again')),
  step('kill: a signal that is heard', async (life) => {
    await life.ok('kill', '--signal', 'USR1', 'main');
    await until('what it says', async () => (await life.ok('logs', 'main')).includes('usr1'));
  }),
  step('stop: SIGTERM is heard', async (life) => {
    const waiting = life.engine.dockerSpawn(['wait', 'main']);
    await life.ok('stop', 'main');
    assert.equal((await waiting.finished).stdout, '7\n');
    assert.equal(await life.state('main', '{{.State.Status}} {{.State.ExitCode}} {{.State.OOMKilled}}'), 'exited 7 false');
    assert.equal(life.engine.world.alive(life.pid), false);
  }),
  step('start again', async (life) => {
    await life.ok('start', 'main');
    life.pid = Number(await life.state('main', '{{.State.Pid}}'));
    assert.equal(await life.ok('exec', 'main', 'cat', '/tmp/in'), 'of the host');
  }),
  step('restart', async (life) => {
    await life.ok('restart', '-t', '1', 'main');
    const pid = Number(await life.state('main', '{{.State.Pid}}'));
    assert.notEqual(pid, life.pid);
    life.pid = pid;
  }),
  step('kill: 137', async (life) => {
    await life.ok('kill', 'main');
    assert.equal(await life.ok('wait', 'main'), '137');
  }),
  step('users, volumes, tmpfs, read-only', async (life) => {
    const shared = join(life.engine.work, 'shared');
    await life.engine.world.output(['mkdir', '-p', shared]);
    const flags = ['--user', '1:2', '--read-only', '--tmpfs', '/scratch', '-v', `${shared}:/shared:ro`, '--cap-drop', 'ALL'];
    const script =
      'id -u; id -g; touch /x 2>/dev/null || echo ro; touch /shared/x 2>/dev/null || echo ro; grep -c " /scratch tmpfs" /proc/mounts; grep CapBnd /proc/self/status';
    assert.equal(await life.ok('run', '--rm', ...flags, busybox, 'sh', '-c', script), '1\n2\nro\nro\n1\nCapBnd:\t0000000000000000');
  }),
  step('--init', async (life) => {
    assert.match(await life.ok('run', '--rm', '--init', busybox, 'ps', '-o', 'pid,args'), /^\s*1 \S*(init|tini)/m);
  }),
  step('--pid host', async (life) => {
    assert.equal(
      await life.ok('run', '--rm', '--pid', 'host', busybox, 'readlink', '/proc/self/ns/pid'),
      await life.engine.world.output(['readlink', '/proc/self/ns/pid']).then((text) => text.trim()),
    );
  }),
  step('rm', async (life) => {
    await life.ok('rm', 'main');
    assert.equal(await life.ok('ps', '-aq'), '');
  }),
];
