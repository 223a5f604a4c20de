import { createLineLogger, errorMessage } from '../base/index.ts';
import { writeLogLine } from './daemon/write-log-line.ts';
import { type KubeCommand, kubeUsage, parseKubeCommand } from './kube/flags.ts';

/** `strake kube VERB…`: pods of manifests, by hand; resolves with the exit status. */
export async function main(argv: readonly string[]): Promise<number> {
  let command: KubeCommand;
  try {
    command = parseKubeCommand(argv);
  } catch (error) {
    process.stderr.write(`strake kube: ${errorMessage(error)}\nSee 'strake kube --help'.\n`);
    return 125;
  }
  if (command.kind === 'help') {
    process.stdout.write(kubeUsage());
    return 0;
  }
  const log = createLineLogger({ level: command.flags.logLevel, format: command.flags.logFormat, write: writeLogLine });
  try {
    if (command.kind === 'play') return await (await import('./kube/play.ts')).play(command, log);
    if (command.kind === 'down') return await (await import('./kube/down.ts')).down(command, log);
    return await (await import('./kube/generate.ts')).generate(command);
  } catch (error) {
    process.stderr.write(`strake kube: ${errorMessage(error)}\n`);
    return 1;
  }
}
