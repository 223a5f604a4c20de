/** The instructions of a Dockerfile that change an image's configuration, as `commit --change` and `import --change` take them (moby builder/dockerfile/dispatchers.go). */
import { StrakeError } from '../../base/index.ts';
import type { Healthcheck, ImageProcessConfig } from '../../oci/index.ts';

type Change = (config: ImageProcessConfig, text: string) => ImageProcessConfig;

const defaultShell: readonly string[] = ['/bin/sh', '-c'];

/** Applies `CMD ["x"]`, `ENV a=b`, … in order. InvalidArgument for an instruction that makes more than configuration, or is malformed. */
export function applyChanges(config: ImageProcessConfig, changes: readonly string[]): ImageProcessConfig {
  return changes
    .flatMap((change) => change.split('\n'))
    .filter((line) => line.trim() !== '')
    .reduce(applyChange, config);
}

function applyChange(config: ImageProcessConfig, line: string): ImageProcessConfig {
  const [, word = '', text = ''] = /^\s*(\S+)\s*(.*)$/s.exec(line) ?? [];
  const name = word.toUpperCase();
  const change = Object.hasOwn(instructions, name) ? instructions[name] : undefined;
  if (change === undefined) throw invalid(`${word} is not a valid change command`);
  if (text.trim() === '' && name !== 'CMD' && name !== 'ENTRYPOINT') throw invalid(`${name} requires at least one argument`);
  return change(config, text.trim());
}

const instructions: Readonly<Record<string, Change>> = {
  CMD: (config, text) => ({ ...config, Cmd: command(config, text) }),
  ENTRYPOINT: (config, text) => ({ ...config, Entrypoint: command(config, text) }),
  ENV: (config, text) => {
    const pairs = keyValues('ENV', text);
    const names = new Set(pairs.map(([key]) => key));
    const kept = (config.Env ?? []).map((entry) => entry.split('=', 1)[0] ?? '');
    const merged = (config.Env ?? []).map((entry, index) => (names.has(kept[index] ?? '') ? `${kept[index]}=${lastOf(pairs, kept[index] ?? '')}` : entry));
    return { ...config, Env: [...merged, ...[...names].filter((key) => !kept.includes(key)).map((key) => `${key}=${lastOf(pairs, key)}`)] };
  },
  EXPOSE: (config, text) => ({
    ...config,
    ExposedPorts: {
      ...config.ExposedPorts,
      ...Object.fromEntries(
        words(text)
          .flatMap(ports)
          .map((port) => [port, {}]),
      ),
    },
  }),
  HEALTHCHECK: (config, text) => ({ ...config, Healthcheck: healthcheck(text) }),
  LABEL: (config, text) => ({ ...config, Labels: { ...config.Labels, ...Object.fromEntries(keyValues('LABEL', text)) } }),
  ONBUILD: (config, text) => ({ ...config, OnBuild: [...(config.OnBuild ?? []), text] }),
  SHELL: (config, text) => ({ ...config, Shell: jsonList(text) ?? fail('SHELL requires the arguments to be in JSON form') }),
  STOPSIGNAL: (config, text) => ({ ...config, StopSignal: only('STOPSIGNAL', text) }),
  USER: (config, text) => ({ ...config, User: only('USER', text) }),
  VOLUME: (config, text) => {
    const volumes = jsonList(text) ?? words(text);
    if (volumes.some((volume) => volume === '')) throw invalid('VOLUME specified can not be an empty string');
    return { ...config, Volumes: { ...config.Volumes, ...Object.fromEntries(volumes.map((volume) => [volume, {}])) } };
  },
  WORKDIR: (config, text) => ({ ...config, WorkingDir: text.startsWith('/') ? text : joinPath(config.WorkingDir ?? '', text) }),
};

/** A JSON list is the command itself; else the shell's. */
function command(config: ImageProcessConfig, text: string): readonly string[] {
  return jsonList(text) ?? (text === '' ? [] : [...(config.Shell ?? defaultShell), text]);
}

/** Undefined when the text is no list of texts in JSON: then it is taken by words. */
function jsonList(text: string): readonly string[] | undefined {
  if (!text.startsWith('[')) return undefined;
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) && list.every((entry) => typeof entry === 'string') ? list : undefined;
  } catch {
    return undefined;
  }
}

/** `key=value …` with quotes, or the older `key value with spaces`. */
function keyValues(name: string, text: string): readonly (readonly [string, string])[] {
  const parts = words(text);
  if (!(parts[0] ?? '').includes('=')) {
    const [, key = '', value] = /^(\S+)\s+(.*)$/s.exec(text) ?? [];
    if (value === undefined) throw invalid(`${name} must have two arguments`);
    return [[key, value]];
  }
  return parts.map((part) => {
    const equals = part.indexOf('=');
    if (equals < 0) throw invalid(`Syntax error - can't find = in "${part}". Must be of the form: name=value`);
    if (equals === 0) throw invalid(`${name} names can not be blank`);
    return [part.slice(0, equals), part.slice(equals + 1)];
  });
}

/** Splits at blanks that are neither quoted nor escaped, and takes the quotes away. */
function words(text: string): readonly string[] {
  return [...text.matchAll(/(?:\\.|"(?:\\.|[^"\\])*"|'[^']*'|[^\s"'\\])+/gs)].map(([word]) =>
    word.replace(
      /\\(.)|"((?:\\.|[^"\\])*)"|'([^']*)'/gs,
      (_all, escaped?: string, double?: string, single?: string) => escaped ?? double?.replace(/\\(["\\$])/g, '$1') ?? single ?? '',
    ),
  );
}

/** `80`, `80/udp`, `8000-8002/tcp` as the configuration has them. */
function ports(text: string): readonly string[] {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/i.exec(text);
  const first = Number(match?.[1]);
  const last = Number(match?.[2] ?? first);
  if (match === null || last < first || last > 65_535) throw invalid(`invalid containerPort: ${text}`);
  return Array.from({ length: last - first + 1 }, (_, index) => `${first + index}/${(match[3] ?? 'tcp').toLowerCase()}`);
}

const durationNs: Readonly<Record<string, number>> = { ns: 1, us: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };

function healthcheck(text: string): Healthcheck {
  if (/^none$/i.test(text)) return { Test: ['NONE'] };
  const { options, rest } = leadingOptions(text);
  const [, word = '', line = ''] = /^(\S+)\s*(.*)$/s.exec(rest) ?? [];
  if (word.toUpperCase() !== 'CMD') throw invalid(`Unknown type "${word.toUpperCase()}" in HEALTHCHECK (try CMD)`);
  if (line.trim() === '') throw invalid('Missing command after HEALTHCHECK CMD');
  const list = jsonList(line.trim());
  const names = { interval: 'Interval', timeout: 'Timeout', 'start-period': 'StartPeriod', 'start-interval': 'StartInterval' } as const;
  const times = Object.entries(names).flatMap(([flag, field]) => (options.has(flag) ? [[field, duration(flag, options.get(flag) ?? '')] as const] : []));
  const retries = options.get('retries');
  if (retries !== undefined && !/^\d{1,6}$/.test(retries)) throw invalid(`--retries must be a number, not ${retries}`);
  for (const flag of options.keys()) if (flag !== 'retries' && !Object.hasOwn(names, flag)) throw invalid(`unknown flag: --${flag}`);
  return {
    Test: list === undefined ? ['CMD-SHELL', line.trim()] : ['CMD', ...list],
    ...Object.fromEntries(times),
    ...(retries === undefined ? {} : { Retries: Number(retries) }),
  };
}

function leadingOptions(text: string): { readonly options: ReadonlyMap<string, string>; readonly rest: string } {
  const options = new Map<string, string>();
  let rest = text;
  for (let match = /^--([\w-]+)=(\S+)\s*/.exec(rest); match !== null; match = /^--([\w-]+)=(\S+)\s*/.exec(rest)) {
    options.set(match[1] ?? '', match[2] ?? '');
    rest = rest.slice(match[0].length);
  }
  return { options, rest };
}

function duration(flag: string, text: string): number {
  if (!/^(?:\d+(?:\.\d+)?(?:ns|us|ms|s|m|h))+$/.test(text)) throw invalid(`--${flag} is not a duration: ${text}`);
  return [...text.matchAll(/(\d+(?:\.\d+)?)(ns|us|ms|s|m|h)/g)].reduce((sum, [, count, unit]) => sum + Number(count) * (durationNs[unit ?? ''] ?? 0), 0);
}

function only(name: string, text: string): string {
  if (words(text).length !== 1) throw invalid(`${name} requires exactly one argument`);
  return words(text)[0] ?? '';
}

function joinPath(base: string, relative: string): string {
  const parts: string[] = [];
  for (const part of `${base}/${relative}`.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}

function lastOf(pairs: readonly (readonly [string, string])[], key: string): string {
  return pairs.findLast(([name]) => name === key)?.[1] ?? '';
}

function fail(message: string): never {
  throw invalid(message);
}

function invalid(message: string): StrakeError {
  return new StrakeError('InvalidArgument', message, { fields: { layer: 'engine' } });
}
