import { connectCri, generateManifest } from '../../kubelet/index.ts';
import type { KubeCommand } from './flags.ts';

type Generate = Extract<KubeCommand, { kind: 'generate' }>;

/** Writes the manifest of a pod that runs to standard output. */
export async function generate({ name, flags }: Generate): Promise<number> {
  using cri = connectCri(flags.cri);
  process.stdout.write(await generateManifest(cri, name));
  return 0;
}
