import { createLineLogger, errorMessage } from '../base/index.ts';
import { writeLogLine } from './daemon/write-log-line.ts';
import { type KubeletFlags, kubeletUsage, parseKubeletFlags } from './kubelet/flags.ts';
import { runKubelet } from './kubelet/run-kubelet.ts';

/** `strake kubelet ARGV…`: runs pods until a signal; resolves with the exit status. */
export async function main(argv: readonly string[]): Promise<number> {
  let flags: KubeletFlags;
  try {
    flags = parseKubeletFlags(argv);
  } catch (error) {
    process.stderr.write(`strake kubelet: ${errorMessage(error)}\nSee 'strake kubelet --help'.\n`);
    return 125;
  }
  if (flags.help) {
    process.stdout.write(kubeletUsage());
    return 0;
  }
  return await runKubelet(flags, createLineLogger({ level: flags.logLevel, format: flags.logFormat, write: writeLogLine }));
}
