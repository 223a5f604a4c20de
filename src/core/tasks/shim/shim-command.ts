import { StrakeError } from '../../../base/index.ts';
import { type Command, runCommand } from '../../../kernel/index.ts';

export type ShimCommand = Omit<Command, 'layer'>;

/** Runs a shim's executable to its end. What it prints; Unavailable when it fails, with its own words. */
export async function runShimCommand(command: ShimCommand): Promise<Buffer> {
  const { failure, output, words } = await runCommand({ ...command, layer: 'core' });
  if (failure !== undefined) throw new StrakeError('Unavailable', [words, failure].filter(Boolean).join(': '), { fields: { layer: 'core' } });
  return output;
}
