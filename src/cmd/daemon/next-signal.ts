/** The first of them ends the daemon; a second while it closes ends the process, should closing hang. */
export async function nextSignal(): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.once(name, () => {
      resolve(name);
      process.once(name, () => process.exit(1));
    });
  }
  // The terminal that it was started from may go; the daemon stays.
  process.on('SIGHUP', () => {});
  return await promise;
}
