import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { StrakeError } from '../../base/index.ts';

/** What docker's `config.json` says of registries; other settings are kept as they are. */
export interface ConfigFile {
  readonly auths?: Readonly<Record<string, StoredAuth>>;
  /** `docker-credential-NAME` for all registries, and for single ones. */
  readonly credsStore?: string;
  readonly credHelpers?: Readonly<Record<string, string>>;
}

export interface StoredAuth {
  /** base64 of `USER:PASSWORD` */
  readonly auth?: string;
  readonly identitytoken?: string;
}

/** Docker's own file, so that a login of either is one of both. */
export function configPath(env: Readonly<Record<string, string | undefined>>): string {
  return path.join(env['DOCKER_CONFIG'] || path.join(env['HOME'] || os.homedir(), '.docker'), 'config.json');
}

/** An empty one where there is no file. */
export function readConfig(file: string): ConfigFile {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
  try {
    const config: unknown = text.trim() === '' ? {} : JSON.parse(text);
    if (config !== null && typeof config === 'object' && !Array.isArray(config)) return config;
  } catch {
    // Told below.
  }
  throw new StrakeError('InvalidArgument', `${file} is not valid JSON`, { fields: { layer: 'cli', remedy: 'correct it, or move it away' } });
}

/** For its owner alone, and whole or not at all. */
export function writeConfig(file: string, config: ConfigFile): void {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  const temporary = `${file}.${process.pid}`;
  writeFileSync(temporary, `${JSON.stringify(config, undefined, '\t')}\n`, { mode: 0o600 });
  renameSync(temporary, file);
}
