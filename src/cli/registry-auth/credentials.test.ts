import { afterAll, expect, test } from 'bun:test';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CredentialStore, hubServer, registryAuthHeader } from './credentials.ts';

const directory = mkdtempSync(path.join(tmpdir(), 'strake-auth-'));
afterAll(() => rmSync(directory, { recursive: true }));
let count = 0;

/** A configuration of its own, and helpers on the path. */
function place(config?: unknown): { readonly env: Readonly<Record<string, string>>; readonly file: string } {
  const home = path.join(directory, String(++count));
  mkdirSync(path.join(home, 'bin'), { recursive: true });
  const file = path.join(home, 'config.json');
  if (config !== undefined) writeFileSync(file, JSON.stringify(config));
  return { env: { DOCKER_CONFIG: home, PATH: `${path.join(home, 'bin')}:${process.env['PATH']}` }, file };
}

const basic = (text: string) => Buffer.from(text).toString('base64');
const login = { serverAddress: 'r.example:5000', username: 'ann', password: 'a:b', identityToken: '' };

test('a login in the file: kept for its owner alone, beside what else is there, found again, taken away', () => {
  const { env, file } = place({ detachKeys: 'ctrl-x', auths: { other: { auth: basic('u:p') } } });
  new CredentialStore(env).put(login);
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({
    detachKeys: 'ctrl-x',
    auths: { other: { auth: basic('u:p') }, 'r.example:5000': { auth: basic('ann:a:b') } },
  });
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(new CredentialStore(env).get('r.example:5000')).toEqual(login);
  expect(new CredentialStore(env).get('r.example')).toBe(undefined);
  expect([new CredentialStore(env).remove('r.example:5000'), new CredentialStore(env).remove('r.example:5000')]).toEqual([true, false]);
  expect(Object.keys(JSON.parse(readFileSync(file, 'utf8')).auths)).toEqual(['other']);
});

test.each([
  ['busybox', hubServer, { username: 'ann', password: 'pw', serveraddress: hubServer }],
  ['r.example/x:1', 'https://r.example/v2/', { username: 'ann', password: 'pw', serveraddress: 'r.example' }],
  ['r.example/x:1', 'elsewhere', undefined],
])('the header for %s with a login at %s', (image, server, header) => {
  const { env } = place({ auths: { [server]: { auth: basic('ann:pw') } } });
  const { 'X-Registry-Auth': text } = registryAuthHeader(image, env);
  expect(text === undefined ? undefined : JSON.parse(Buffer.from(text, 'base64url').toString())).toEqual(header);
});

test('without a file there is no login, and none is made by asking', () => {
  const { env, file } = place();
  expect([registryAuthHeader('busybox', env), existsSync(file)]).toEqual([{}, false]);
});

test('a file that is no JSON is an error that names it', () => {
  const { env, file } = place();
  writeFileSync(file, '{');
  expect(() => new CredentialStore(env)).toThrow(`${file} is not valid JSON`);
});

test('a credential helper is asked by its protocol, for the registry that it is for', () => {
  const { env } = place({ credHelpers: { 'r.example:5000': 'box' } });
  const kept = path.join(env['DOCKER_CONFIG'] ?? '', 'kept');
  const helper = path.join(env['DOCKER_CONFIG'] ?? '', 'bin/docker-credential-box');
  writeFileSync(
    helper,
    `#!/bin/sh\ncase $1 in\nstore) cat >'${kept}' ;;\nerase) rm -f '${kept}' ;;\nget) [ -e '${kept}' ] && exec cat '${kept}'; echo 'credentials not found in native keychain'; exit 1 ;;\nesac\n`,
  );
  chmodSync(helper, 0o755);
  expect(new CredentialStore(env).get('r.example:5000')).toBe(undefined);
  new CredentialStore(env).put({ ...login, identityToken: 'T' });
  expect(JSON.parse(readFileSync(kept, 'utf8'))).toEqual({ ServerURL: 'r.example:5000', Username: '<token>', Secret: 'T' });
  expect(new CredentialStore(env).get('r.example:5000')).toEqual({ ...login, username: '', password: '', identityToken: 'T' });
  expect(new CredentialStore(env).helper('other.example')).toBe(undefined);
  new CredentialStore(env).remove('r.example:5000');
  expect(existsSync(kept)).toBe(false);
});

test.each([
  ['../sh', 'is no name'],
  ['absent', 'credential helper docker-credential-absent get: '],
])('the helper %s is an error', (helper, message) => {
  const { env } = place({ credsStore: helper });
  expect(() => new CredentialStore(env).get('r.example')).toThrow(message);
});
