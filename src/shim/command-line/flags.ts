import { parseArgs } from 'node:util';
import { StrakeError } from '../../base/index.ts';

/** What containerd calls a shim with (containerd, core/runtime/v2/README.md, "Commands"). Flags have one dash or two. */
export interface ShimFlags {
  readonly action: string;
  readonly namespace: string;
  readonly id: string;
  readonly bundle: string;
  /** containerd's gRPC socket */
  readonly address: string;
  readonly debug: boolean;
  readonly version: boolean;
  readonly info: boolean;
  /** of `serve`, which is ours: the directory of a shim's state */
  readonly directory: string;
}

const texts = ['namespace', 'id', 'bundle', 'address', 'publish-binary', 'socket', 'debug-socket', 'directory'] as const;
const switches = ['debug', 'v', 'version', 'info'] as const;

export function parseShimFlags(args: readonly string[]): ShimFlags {
  const names = new Set<string>([...texts, ...switches]);
  // Go's flags: one dash is as good as two.
  const dashed = args.map((word) => {
    const name = /^-([a-z][a-z-]*)(=.*)?$/s.exec(word)?.[1];
    return name !== undefined && names.has(name) ? `-${word}` : word;
  });
  try {
    const { values, positionals } = parseArgs({
      args: dashed,
      allowPositionals: true,
      options: Object.fromEntries([
        ...texts.map((name) => [name, { type: 'string' }] as const),
        ...switches.map((name) => [name, { type: 'boolean' }] as const),
      ]),
    });
    const given: Readonly<Record<string, unknown>> = values;
    const text = (name: (typeof texts)[number]) => String(given[name] ?? '');
    const on = (name: (typeof switches)[number]) => given[name] === true;
    return {
      action: positionals[0] ?? '',
      namespace: text('namespace'),
      id: text('id'),
      bundle: text('bundle'),
      address: text('address'),
      directory: text('directory'),
      debug: on('debug'),
      version: on('v') || on('version'),
      info: on('info'),
    };
  } catch (cause) {
    throw new StrakeError('InvalidArgument', (cause as Error).message, { cause, fields: { layer: 'shim' } });
  }
}
