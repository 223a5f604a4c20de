/** The stdio of a process as containerd's clients name it: FIFOs by their path, `file://PATH`, `binary://PATH?ARGUMENTS` (containerd, pkg/cio and core/runtime/v2/README, "Logging"). */
import { StrakeError } from '../../base/index.ts';
import type { OutputRoute } from '../../runtime/index.ts';
import { hostEnvironment } from './host-environment.ts';
import type { StdioOptions } from './tasks.ts';

export interface StdioUris {
  readonly stdin: string;
  readonly stdout: string;
  readonly stderr: string;
  readonly terminal: boolean;
}

/** Of the container that a logging program is started for. */
export interface LoggedContainer {
  readonly id: string;
  readonly namespace: string;
}

/** Empty texts are streams that lead nowhere. InvalidArgument for a scheme or a path that nothing can be sent to. */
export function stdioOfUris({ stdin, stdout, stderr, terminal }: StdioUris, container: LoggedContainer): StdioOptions {
  const out = outputRoute(stdout, container);
  // A terminal has one output; what logs stdout gets stderr with it.
  const err = terminal || out?.kind === 'program' ? undefined : out?.kind === 'file' ? out : outputRoute(stderr, container);
  if (err?.kind === 'program') throw invalid(stderr, 'a logging program reads both streams: name it as stdout');
  return {
    terminal,
    openStdin: stdin !== '',
    stdinOnce: false,
    routes: { stdin: stdin === '' ? undefined : absolute(stdin), stdout: out, stderr: err },
  };
}

function outputRoute(text: string, { id, namespace }: LoggedContainer): OutputRoute | undefined {
  if (text === '') return undefined;
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//.exec(text)?.[1];
  if (scheme === undefined) return { kind: 'fifo', path: absolute(text) };
  if (scheme !== 'fifo' && scheme !== 'file' && scheme !== 'binary') throw invalid(text, `unknown STDIO scheme ${scheme}`);
  const url = parseUrl(text);
  const path = absolute(decodeURIComponent(url.pathname));
  if (scheme !== 'binary') return { kind: scheme, path };
  const words = [...new Set(url.searchParams.keys())].flatMap((name) => [name, url.searchParams.get(name) ?? '']);
  return { kind: 'program', argv: [path, ...words], env: [`CONTAINER_ID=${id}`, `CONTAINER_NAMESPACE=${namespace}`, ...hostEnvironment()] };
}

function parseUrl(text: string): URL {
  const url = URL.parse(text);
  if (url === null) throw invalid(text, 'not a URI');
  if (url.host !== '') throw invalid(text, 'the path is not absolute');
  return url;
}

function absolute(path: string): string {
  if (!path.startsWith('/') || path.includes('\0')) throw invalid(path, 'the path is not absolute');
  return path;
}

function invalid(text: string, why: string): StrakeError {
  return new StrakeError('InvalidArgument', `invalid stdio ${JSON.stringify(text.slice(0, 300))}: ${why}`, { fields: { layer: 'core' } });
}
