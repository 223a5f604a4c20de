import { createLineLogger, errorMessage } from '../base/index.ts';
import { type ContainerdSettings, containerdUsage, parseContainerdFlags } from './containerd/flags.ts';
import { runContainerd } from './containerd/run-containerd.ts';
import { writeLogLine } from './daemon/write-log-line.ts';

/** `strake containerd ARGV…`: serves containerd's API until a signal; resolves with the exit status. */
export async function main(argv: readonly string[]): Promise<number> {
  let settings: ContainerdSettings;
  try {
    settings = parseContainerdFlags(argv);
  } catch (error) {
    process.stderr.write(`strake containerd: ${errorMessage(error)}\nSee 'strake containerd --help'.\n`);
    return 125;
  }
  if (settings.help) {
    process.stdout.write(containerdUsage());
    return 0;
  }
  return await runContainerd(settings, createLineLogger({ level: settings.logLevel, format: settings.logFormat, write: writeLogLine }));
}
