import { parsePlatform } from '../oci/index.ts';
import { ExitStatus } from './exit-status.ts';

/** `--platform linux/arm64` as the JSON that save, load and push send. */
export function platformQuery(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const platform = parsePlatform(text.includes('/') ? text : `linux/${text}`);
  if (platform === undefined) throw new ExitStatus(1, `invalid platform: "${text}" is an invalid component`);
  return JSON.stringify(platform);
}
