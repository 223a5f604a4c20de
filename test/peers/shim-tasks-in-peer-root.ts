/** Run by shims.test.ts inside the peer root: the suite of all task managers, over shims as `strake cri` has them, the real one and ours. */
import { describe } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { silentLogger } from '../../src/base/index.ts';
import { openShimTasks } from '../../src/cmd/cri/shim-tasks.ts';
import { initPath, openTestCore } from '../../src/core/fixtures.ts';
import { type TaskPlace, ToldEvents, tasksConformance } from '../../src/core/tasks/conformance.ts';
import { readCgroupLayout, ZygoteLauncher } from '../../src/kernel/index.ts';

const namespace = 'tasks';

async function open(): Promise<TaskPlace> {
  await using cleanup = new AsyncDisposableStack();
  const state = mkdtempSync('/run/strake-shim-tasks-');
  cleanup.defer(() => rmSync(state, { recursive: true }));
  const core = cleanup.use(openTestCore());
  const launcher = cleanup.use(new ZygoteLauncher({ initPath, socketPath: path.join(state, 'zygote.sock') }));
  const told = new ToldEvents();
  const stop = new AbortController();
  const heard = (async () => {
    for await (const { topic, payload } of core.inNamespace(namespace).events.subscribe({ topics: ['/tasks'], signal: stop.signal }))
      told.add(`${topic} ${payload['containerId']}`);
  })();
  cleanup.defer(async () => {
    stop.abort();
    await heard;
  });
  const place = { core, namespace, state, execRoot: state, launcher, layout: readCgroupLayout(), availableCapabilities: [], log: silentLogger };
  const { tasks } = await openShimTasks(place, cleanup);
  const kept = cleanup.move();
  return {
    tasks,
    events: () => told.all,
    told: async (event) => await told.wait(event),
    [Symbol.asyncDispose]: async () => await kept.disposeAsync(),
  };
}

describe.each(['io.containerd.runc.v2', '/strake/containerd-shim-strake-v2'])('%s', (name) => {
  tasksConformance(open, { isRemote: true, shim: { name, options: undefined } });
});
