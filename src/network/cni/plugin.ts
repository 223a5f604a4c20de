import { accessSync, constants, statSync } from 'node:fs';
import path from 'node:path';
import { type ErrorCode, StrakeError } from '../../base/index.ts';
import { runCommand } from '../../kernel/index.ts';
import { isObject, type JsonObject } from './network-config.ts';

export type PluginVerb = 'ADD' | 'DEL' | 'CHECK' | 'GC' | 'STATUS';

export interface PluginCall {
  readonly type: string;
  readonly verb: PluginVerb;
  /** where plugins are looked for, the first first */
  readonly directories: readonly string[];
  /** of the attachment; none for GC and STATUS */
  readonly attachment?: { readonly containerId: string; readonly netns: string; readonly interfaceName: string; readonly args: string } | undefined;
  /** what it reads on stdin */
  readonly config: JsonObject;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Of errors: SPEC.md, "Error"; a plugin's own begin at 100. */
const classes: Readonly<Record<number, ErrorCode>> = {
  1: 'FailedPrecondition', // incompatible version
  2: 'InvalidArgument', // unsupported field
  3: 'NotFound', // unknown container
  4: 'InvalidArgument', // wrong environment
  7: 'InvalidArgument', // wrong configuration
  11: 'Unavailable', // try again later
  50: 'Unavailable', // not to be had now
  51: 'Unavailable', // nor are there ways out
};
const maxWords = 1000;

/** The program of a plugin. FailedPrecondition when no directory has it. */
export function findPlugin(type: string, directories: readonly string[]): string {
  const found = directories.map((directory) => path.join(directory, type)).find(isProgram);
  if (found === undefined)
    throw new StrakeError('FailedPrecondition', `network plugin ${type} is not in ${directories.join(', ')}`, {
      fields: { layer: 'network', remedy: 'install the CNI plugins that the configuration names' },
    });
  return found;
}

/** Runs a plugin to its end: the object that it prints, undefined for nothing. Its failure has its class, its name and its words. */
export async function callPlugin(call: PluginCall): Promise<JsonObject | undefined> {
  const { type, verb, directories, attachment, config, timeoutMs, signal } = call;
  const fail = (code: ErrorCode, words: string) =>
    new StrakeError(code, `network plugin ${type} failed (${verb}): ${words.slice(0, maxWords)}`, { fields: { layer: 'network', operation: verb } });
  const { failure, output, words } = await runCommand({
    path: findPlugin(type, directories),
    args: [],
    cwd: '/',
    env: {
      // Plugins are written in Go: for some milliseconds of work more threads cost more than they bring, a quarter of a plugin's time.
      GOMAXPROCS: '1',
      CNI_COMMAND: verb,
      CNI_PATH: directories.join(':'),
      ...(attachment === undefined
        ? {}
        : {
            CNI_CONTAINERID: attachment.containerId,
            CNI_NETNS: attachment.netns,
            CNI_IFNAME: attachment.interfaceName,
            CNI_ARGS: attachment.args,
          }),
    },
    stdin: Buffer.from(JSON.stringify(config)),
    timeoutMs,
    signal,
    layer: 'network',
  });
  const text = output.toString().trim();
  const answer = text === '' ? undefined : parse(text);
  if (failure === undefined) {
    if (text !== '' && answer === undefined) throw fail('Internal', `it answered what cannot be read: ${JSON.stringify(text.slice(0, maxWords))}`);
    return answer;
  }
  if (answer === undefined) throw fail('Internal', [text, words, failure].filter(Boolean).join(': '));
  const { code, msg, details } = answer;
  const said = [msg, details].filter((part) => typeof part === 'string' && part !== '');
  throw fail((typeof code === 'number' ? classes[code] : undefined) ?? 'Internal', said.length > 0 ? said.join('; ') : failure);
}

function parse(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
