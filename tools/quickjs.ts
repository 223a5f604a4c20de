import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { mirror } from './peers/recipe.ts';
import { capture } from './peers/shell.ts';

const version = '2025.04.26';
/** Debian's source of it, in trixie; the archive keeps it as long as trixie. */
const archiveFile = `pool/main/q/quickjs/quickjs_${version}.orig.tar.xz`;
const archiveSha256 = 'ec81da5b3249ed648dbc7df4a1654988910e66a118d9b71cb63534216efcfbbe';
const downloadTimeoutMs = 60_000;

/**
 * The directory of QuickJS's C sources: STRAKE_QUICKJS where it is set, else below `directory`, fetched once from the Debian mirror that apt uses.
 * Throws with the remedy where neither is to be had.
 */
export async function quickjsSource(directory: string): Promise<string> {
  const given = process.env['STRAKE_QUICKJS'];
  if (given !== undefined) return given;
  const source = path.join(directory, `quickjs-${version}`);
  if (existsSync(source)) return source;
  const stage = path.join(directory, `quickjs-${process.pid}`);
  mkdirSync(stage, { recursive: true });
  try {
    const archive = path.join(stage, 'orig.tar.xz');
    writeFileSync(archive, await download(`${debianMirror()}/${archiveFile}`));
    // Python reads xz by itself; tar needs a program for it.
    capture(['python3', '-m', 'tarfile', '-e', archive, stage]);
    rmSync(source, { recursive: true, force: true });
    renameSync(path.join(stage, `quickjs-${version}`), source);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`QuickJS ${version}: ${reason} (STRAKE_QUICKJS=DIR names a directory with its sources instead)`, { cause });
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
  return source;
}

async function download(url: string): Promise<Uint8Array> {
  const response = await fetch(url, { signal: AbortSignal.timeout(downloadTimeoutMs) });
  if (!response.ok) throw new Error(`${url}: HTTP status ${response.status}`);
  const bytes = new Uint8Array(await response.arrayBuffer());
  const digest = createHash('sha256').update(bytes).digest('hex');
  if (digest !== archiveSha256) throw new Error(`${url} has the SHA-256 ${digest}, not ${archiveSha256}`);
  return bytes;
}

/** STRAKE_DEBIAN_MIRROR, or where the machine's own packages come from. */
function debianMirror(): string {
  const named = mirror ?? capture(['apt-get', 'indextargets', '--format', '$(SITE)', 'Created-By: Packages']).split('\n')[0];
  if (!named) throw new Error('apt names no mirror, and STRAKE_DEBIAN_MIRROR is not set');
  return named;
}
