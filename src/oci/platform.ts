import type { Platform } from './image-spec.ts';

/** Names that other systems use for an architecture (containerd platforms/database.go). */
const architectureAliases: ReadonlyMap<string, { readonly architecture: string; readonly variant?: string }> = new Map([
  ['x86_64', { architecture: 'amd64' }],
  ['x86-64', { architecture: 'amd64' }],
  ['x64', { architecture: 'amd64' }],
  ['i386', { architecture: '386' }],
  ['ia32', { architecture: '386' }],
  ['aarch64', { architecture: 'arm64' }],
  ['armhf', { architecture: 'arm', variant: 'v7' }],
  ['armel', { architecture: 'arm', variant: 'v6' }],
]);

/** One spelling of a platform: aliases replaced, and the variant that every machine of the architecture has left out. */
export function normalizePlatform(platform: Platform): Platform {
  const os = platform.os.toLowerCase();
  const given = platform.architecture.toLowerCase();
  const alias = architectureAliases.get(given);
  const architecture = alias?.architecture ?? given;
  let variant = platform.variant?.toLowerCase() || alias?.variant;
  if (variant !== undefined && /^\d/.test(variant)) variant = `v${variant}`;
  if (architecture === 'arm64' && variant === 'v8') variant = undefined;
  if (architecture === 'amd64' && variant === 'v1') variant = undefined;
  if (architecture === 'arm' && variant === undefined) variant = 'v7';
  const { variant: _spelled, ...rest } = platform;
  return { ...rest, os, architecture, ...(variant === undefined ? {} : { variant }) };
}

/** `linux/arm/v7` → Platform; undefined for what is not `os/arch[/variant]`. */
export function parsePlatform(text: string): Platform | undefined {
  const match = /^(\w[\w.-]*)\/(\w[\w.-]*)(?:\/(\w[\w.-]*))?$/.exec(text);
  if (!match) return undefined;
  const [, os = '', architecture = '', variant] = match;
  return normalizePlatform({ os, architecture, ...(variant === undefined ? {} : { variant }) });
}

export function formatPlatform({ os, architecture, variant }: Platform): string {
  return variant ? `${os}/${architecture}/${variant}` : `${os}/${architecture}`;
}

/** The platform of the machine that this runs on. */
export function hostPlatform(): Platform {
  return normalizePlatform({ os: process.platform, architecture: process.arch });
}

/**
 * Platforms that run on `platform`, best first, by containerd's rules (platforms/compare.go): arm takes lower variants,
 * arm64 falls back to arm, amd64 to lower variants and then to 386.
 */
export function runnablePlatforms(platform: Platform): readonly Platform[] {
  const wanted = normalizePlatform(platform);
  const { os, architecture, variant } = wanted;
  const of = (name: string, variants: readonly (string | undefined)[]): Platform[] =>
    variants.map((entry) => ({ os, architecture: name, ...(entry === undefined ? {} : { variant: entry }) }));
  const armDown = (from: number) => ['v8', 'v7', 'v6', 'v5'].slice(8 - from);
  if (architecture === 'amd64') {
    const level = variant === undefined ? 1 : Number(/^v([1-4])$/.exec(variant)?.[1] ?? 0);
    const lower = Array.from({ length: Math.max(0, level - 1) }, (_, index) => (level - index > 1 ? `v${level - index}` : undefined));
    return [...of('amd64', level === 0 ? [variant] : lower), ...of('amd64', [undefined]), ...of('386', [undefined])];
  }
  if (architecture === 'arm') {
    const level = Number(/^v([5-8])$/.exec(variant ?? '')?.[1] ?? 0);
    return level === 0 ? of('arm', [variant]) : of('arm', armDown(level));
  }
  if (architecture === 'arm64') return [...(variant === undefined ? [] : of('arm64', [variant])), ...of('arm64', [undefined]), ...of('arm', armDown(8))];
  return [wanted];
}

/** The candidate that fits best, or undefined. A candidate that names no platform is never chosen. */
export function choosePlatform<T>(candidates: readonly T[], platformOf: (candidate: T) => Platform | undefined, wanted: Platform): T | undefined {
  for (const runnable of runnablePlatforms(wanted)) {
    const found = candidates.find((candidate) => {
      const platform = platformOf(candidate);
      return platform !== undefined && formatPlatform(normalizePlatform(platform)) === formatPlatform(runnable);
    });
    if (found !== undefined) return found;
  }
  return undefined;
}
