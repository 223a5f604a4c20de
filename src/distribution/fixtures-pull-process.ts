// A process that pulls as the daemon does: `ROOT REFERENCE`. A line of JSON for each progress; the last one says what came out.
import { writeSync } from 'node:fs';
import { silentLogger } from '../base/index.ts';
import { openTestTree } from '../core/fixtures.ts';
import { openLocalCore } from '../core/local-core.ts';
import { createPuller } from './pull.ts';

const [root = '', reference = ''] = process.argv.slice(2);
const tell = (value: unknown) => writeSync(1, `${JSON.stringify(value)}\n`);
using core = openLocalCore({ root, log: silentLogger, openFileTree: openTestTree });
await core.collectGarbage({ activeSnapshots: true });
await core.snapshots.cleanup();
const { record } = await createPuller({ ...core, retryDelayMs: 1 })({ reference, progress: tell });
await core.collectGarbage({ activeSnapshots: true });
tell({
  digest: record.target.digest,
  ingests: (await core.content.ingests()).length,
  blobs: (await Array.fromAsync(core.content.walk())).map(({ digest }) => digest).sort(),
  snapshots: (await Array.fromAsync(core.snapshots.walk())).map(({ key, kind }) => `${kind} ${key}`).sort(),
});
