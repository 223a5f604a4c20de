/** dockerode, the client that most Node programs use, on our socket: pull, run, attach, exec, logs, events, remove. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import Dockerode from 'dockerode';
import type { EngineName } from '../lib/engine.ts';
import { Engine } from '../lib/engine.ts';
import { idleSnapshot, leaksSince } from '../lib/leaks.ts';
import { busybox } from './steps/step.ts';

const setupMs = 600_000;
const name: EngineName = process.env['STRAKE_E2E_ENGINES'] === 'docker' ? 'docker' : 'strake';
const reference = `${busybox}:latest`;

let engine: Engine;
let docker: Dockerode;

/** Collects what is written to it. */
function sink(): { readonly stream: PassThrough; readonly text: () => string } {
  const stream = new PassThrough();
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  return { stream, text: () => Buffer.concat(chunks).toString() };
}

beforeAll(async () => {
  engine = await Engine.start(name);
  docker = new Dockerode({ socketPath: engine.socket });
}, setupMs);

afterAll(async () => {
  await engine?.[Symbol.asyncDispose]();
}, setupMs);

describe(`dockerode on ${name}`, () => {
  test('pull follows progress to its end', async () => {
    const progress = await docker.pull(reference);
    const events = await new Promise<{ status: string }[]>((resolve, reject) => {
      docker.modem.followProgress(progress, (error: Error | null, output: { status: string }[]) => (error ? reject(error) : resolve(output)));
    });
    expect(events.at(-1)?.status).toBe(`Status: Downloaded newer image for ${reference}`);
    expect((await docker.listImages()).flatMap((image) => image.RepoTags)).toContain(reference);
  });

  test('run streams both outputs and gives the exit code', async () => {
    const out = sink();
    const err = sink();
    const [data, container] = (await docker.run(reference, ['sh', '-c', 'echo out; echo err >&2; exit 3'], [out.stream, err.stream], { Tty: false })) as [
      { StatusCode: number },
      Dockerode.Container,
    ];
    expect(data.StatusCode).toBe(3);
    expect(out.text()).toBe('out\n');
    expect(err.text()).toBe('err\n');
    await container.remove();
    await expect(container.inspect()).rejects.toMatchObject({ statusCode: 404 });
  });

  test('attach before start: input through the hijacked connection, its end, and the output', async () => {
    const container = await docker.createContainer({
      Image: reference,
      Cmd: ['cat'],
      OpenStdin: true,
      StdinOnce: true,
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: true,
    });
    const stream = await container.attach({ stream: true, stdin: true, stdout: true, stderr: true, hijack: true });
    const out = sink();
    docker.modem.demuxStream(stream, out.stream, out.stream);
    await container.start();
    stream.write('through the hijack\n');
    stream.end();
    expect(await container.wait()).toMatchObject({ StatusCode: 0 });
    if (!stream.destroyed) await once(stream, 'close');
    expect(out.text()).toBe('through the hijack\n');
    await container.remove();
  });

  test('exec, logs, stats, top, and removal of a running container', async () => {
    const container = await docker.createContainer({
      Image: reference,
      Cmd: ['sh', '-c', 'echo logged; exec sleep 1000'],
      HostConfig: { Memory: 64 << 20, NetworkMode: 'none' },
    });
    await container.start();
    const exec = await container.exec({ Cmd: ['sh', '-c', 'echo in exec; exit 5'], AttachStdout: true, AttachStderr: true });
    const stream = await exec.start({ hijack: true, stdin: false });
    const out = sink();
    docker.modem.demuxStream(stream, out.stream, out.stream);
    await once(stream, 'end');
    expect(out.text()).toBe('in exec\n');
    expect(await exec.inspect()).toMatchObject({ ExitCode: 5, Running: false });
    const logs = await container.logs({ stdout: true, stderr: true, follow: false });
    expect(logs.subarray(8).toString()).toBe('logged\n');
    const stats = await container.stats({ stream: false });
    expect(stats.memory_stats.limit).toBe(64 << 20);
    expect((await container.top()).Processes).toHaveLength(1);
    const info = await container.inspect();
    expect(engine.world.alive(info.State.Pid)).toBe(true);
    await container.remove({ force: true });
    expect(engine.world.alive(info.State.Pid)).toBe(false);
  });

  test('a terminal is raw, and resizes', async () => {
    const container = await docker.createContainer({
      Image: reference,
      Cmd: ['sh', '-c', 'read line; stty size; tty'],
      Tty: true,
      OpenStdin: true,
      HostConfig: { NetworkMode: 'none' },
    });
    const stream = await container.attach({ stream: true, stdin: true, stdout: true, stderr: true, hijack: true });
    const out = sink();
    stream.pipe(out.stream);
    await container.start();
    await container.resize({ h: 31, w: 97 });
    stream.write('go\n');
    expect(await container.wait()).toMatchObject({ StatusCode: 0 });
    if (!stream.readableEnded) await once(stream, 'end');
    expect(out.text()).toContain('31 97\r\n/dev/pts/0\r\n');
    await container.remove();
  });

  test('nothing is left', async () => {
    const before = await idleSnapshot(engine.peers);
    const [, container] = (await docker.run(reference, ['true'], sink().stream)) as [unknown, Dockerode.Container];
    await container.remove({ v: true });
    expect(await leaksSince(before, engine.peers)).toEqual([]);
  });
});
