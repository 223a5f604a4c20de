import type { FlagTable } from '../../cli/flags/flags.ts';
import { formatFlags } from '../../cli/flags/help.ts';
import { parseFlags } from '../../cli/flags/parse.ts';
import { UsageError } from '../../cli/usage-error.ts';
import { duration, type NodeFlags, nodeFlags, nodeFlagTable } from '../kubelet/flags.ts';

export type KubeCommand =
  | { readonly kind: 'help' }
  | { readonly kind: 'play'; readonly file: string; readonly flags: NodeFlags; readonly wait: boolean; readonly timeoutMs: number }
  | { readonly kind: 'down'; readonly file: string; readonly flags: NodeFlags }
  | { readonly kind: 'generate'; readonly name: string; readonly flags: NodeFlags };

const table = {
  ...nodeFlagTable,
  wait: { kind: 'bool', help: 'play: stay, restart and probe, and end the pods at a signal' },
  timeout: { kind: 'string', value: 'TIME', help: 'play: give up waiting for the pods after this time (default "2m")' },
} as const satisfies FlagTable;

export function parseKubeCommand(argv: readonly string[]): KubeCommand {
  const { values, args, help } = parseFlags(table, argv, { stopAtArgument: false });
  if (help || args.length === 0) return { kind: 'help' };
  const [verb, argument, ...rest] = args;
  if (argument === undefined || rest.length > 0) throw new UsageError(`'strake kube ${verb}' takes one argument`);
  // What it does is said by its output; the log is for what goes wrong.
  const flags = nodeFlags({ ...values, 'log-level': values['log-level'] ?? 'warn' });
  if (verb === 'play') return { kind: 'play', file: argument, flags, wait: values.wait, timeoutMs: duration('timeout', values.timeout, 120_000) };
  if (verb === 'down') return { kind: 'down', file: argument, flags };
  if (verb === 'generate') return { kind: 'generate', name: argument, flags };
  throw new UsageError(`unknown command: strake kube ${verb}`);
}

export function kubeUsage(): string {
  return `Usage:  strake kube play|down FILE [OPTIONS]
        strake kube generate POD [OPTIONS]

Run the pods of a file of Kubernetes' manifests on a container runtime, end them, or write the manifest of one that runs.
FILE may be "-". Pods that were played go on when the command has ended; a kubelet of the same --root-dir restarts and probes them.

Options:
${formatFlags(table)}`;
}
