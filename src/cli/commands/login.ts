import { readFileSync } from 'node:fs';
import { isCode } from '../../base/index.ts';
import { defineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { ExitStatus } from '../exit-status.ts';
import { CredentialStore, type Credentials, hubServer } from '../registry-auth/credentials.ts';
import { askLine } from '../stdio/ask.ts';

interface AuthAnswer {
  readonly Status: string;
  readonly IdentityToken?: string;
}

export const login = defineCommand({
  name: 'login',
  usage: '[OPTIONS] [SERVER]',
  summary: 'Log in to a registry',
  flags: {
    username: { kind: 'string', short: 'u', help: 'Username' },
    password: { kind: 'string', short: 'p', help: 'Password or token; others can see it on the command line' },
    'password-stdin': { kind: 'bool', help: 'Take the password or token from stdin' },
  },
  minArgs: 0,
  maxArgs: 1,
  async run(context, { values, args }) {
    const server = serverOf(args[0]);
    const store = new CredentialStore(context.env);
    if (values.username === undefined && values.password === undefined && !values['password-stdin']) {
      const answer = await withStored(context, store.get(server));
      if (answer !== undefined) return 0;
    }
    const credentials = { serverAddress: server, ...(await ask(context, values, store.get(server)?.username ?? '')), identityToken: '' };
    const { Status: status, IdentityToken: identityToken = '' } = await authenticate(context, credentials);
    store.put(identityToken === '' ? credentials : { ...credentials, password: '', identityToken });
    if (store.helper(server) === undefined)
      context.err(`\nWARNING! Your credentials are stored unencrypted in '${store.file}'.\nConfigure a credential helper to remove this warning.\n\n`);
    context.out(`${status}\n`);
    return 0;
  },
});

/** Docker Hub when nothing is said. */
export function serverOf(given: string | undefined): string {
  return given === undefined || given === 'docker.io' ? hubServer : given;
}

async function authenticate({ client }: Context, { serverAddress, username, password, identityToken }: Credentials): Promise<AuthAnswer> {
  return await client.post<AuthAnswer>('/auth', {
    body: { serveraddress: serverAddress, username, password, ...(identityToken === '' ? {} : { identitytoken: identityToken }) },
  });
}

/** Docker tries the login that it has before it asks for another. */
async function withStored(context: Context, stored: Credentials | undefined): Promise<AuthAnswer | undefined> {
  if (stored === undefined) return undefined;
  context.out(`Authenticating with existing credentials...${stored.username === '' ? '' : ` [Username: ${stored.username}]`}\n`);
  try {
    const answer = await authenticate(context, stored);
    context.out(`${answer.Status}\n`);
    return answer;
  } catch (error) {
    if (!isCode(error, 'Unauthenticated')) throw error;
    context.err('Stored credentials invalid or expired\n');
    return undefined;
  }
}

async function ask(
  context: Context,
  values: { readonly username: string | undefined; readonly password: string | undefined; readonly 'password-stdin': boolean },
  usual: string,
): Promise<{ readonly username: string; readonly password: string }> {
  if (values.password !== undefined) {
    context.err('WARNING! Using --password via the CLI is insecure. Use --password-stdin.\n');
    if (values['password-stdin']) throw new ExitStatus(1, '--password and --password-stdin are mutually exclusive');
  }
  if (values['password-stdin']) {
    if (!values.username) throw new ExitStatus(1, 'Must provide --username with --password-stdin');
    return { username: values.username, password: readFileSync(0, 'utf8').replace(/\r?\n$/, '') };
  }
  if ((!values.username || !values.password) && !context.isTerminal(0))
    throw new ExitStatus(1, 'Error: Cannot perform an interactive login from a non TTY device');
  const username = values.username ?? ((await askLine(context, usual === '' ? 'Username: ' : `Username (${usual}): `)) || usual);
  if (username === '') throw new ExitStatus(1, 'Error: Username is required');
  const password = values.password ?? (await askLine(context, 'Password: ', { hidden: true }));
  if (password === '') throw new ExitStatus(1, 'Error: Password is required');
  return { username, password };
}
