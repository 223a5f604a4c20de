import path from 'node:path';

/** Where strake-init and strake-hello are: beside the executable; when the sources run under bun or node, in dist/. */
export function programFile(name: string): string {
  const runsFromSource = /^(?:bun|node)(?:\.exe)?$/.test(path.basename(process.execPath));
  return path.join(runsFromSource ? path.join(import.meta.dirname, '../../../dist') : path.dirname(process.execPath), name);
}
