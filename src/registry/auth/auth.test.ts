import { expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { hashSync } from 'bcryptjs';
import { errorCodes, startTestRegistry, type TestRegistryOptions } from '../fixtures-registry.ts';
import { parseAccessRules } from './access-rules.ts';
import { basicGate } from './basic.ts';
import { Passwords } from './passwords.ts';
import { TokenSigner, TokenVerifier } from './token.ts';
import { tokenGate } from './token-gate.ts';
import { createTokenServer } from './token-server.ts';

const rules = parseAccessRules('ann team/* *\n* public pull\n- public pull');
const basic = (user: string, password: string) => `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
const ann = basic('ann', 's3cret:x');

function passwordFile(): Disposable & { readonly passwords: Passwords; write(text: string): void } {
  const directory = mkdtempSync(path.join(tmpdir(), 'strake-htpasswd-'));
  const file = path.join(directory, 'htpasswd');
  const write = (text: string) => writeFileSync(file, text);
  write(`# users\nann:${hashSync('s3cret:x', 4)}\nbob:${hashSync('b', 4)}\n`);
  return { passwords: new Passwords(file), write, [Symbol.dispose]: () => rmSync(directory, { recursive: true }) };
}

test('passwords: right, wrong, of nobody, and after the file changed', async () => {
  using file = passwordFile();
  const { passwords } = file;
  const verify = async (user: string, password: string) => await passwords.verify(user, password);
  expect([await verify('ann', 's3cret:x'), await verify('ann', 's3cret:x'), await verify('ann', 'x'), await verify('eve', 'x')]).toEqual([
    true,
    true,
    false,
    false,
  ]);
  file.write(`ann:${hashSync('other', 4)}\n`);
  expect([await verify('ann', 's3cret:x'), await verify('ann', 'other'), await verify('bob', 'b')]).toEqual([false, true, false]);
  file.write('ann:$apr1$x$y\n');
  expect(verify('ann', 'other')).rejects.toThrow('line 1 of');
});

test('basic', async () => {
  using file = passwordFile();
  await using registry = await startTestRegistry({ options: { gate: basicGate(file.passwords, rules) } });
  const ask = async (target: string, authorization?: string, method = 'GET') =>
    await registry.fetch(target, { method, headers: authorization === undefined ? {} : { authorization } });
  const door = await ask('');
  expect([door.headers.get('www-authenticate'), await errorCodes(door)]).toEqual(['Basic realm="strake registry", charset="UTF-8"', '401 UNAUTHORIZED']);
  expect((await ask('', ann)).status).toBe(200);
  for (const wrong of [basic('ann', 'x'), basic('eve', 'x'), basic('', ''), 'Basic !', 'Bearer x']) expect((await ask('', wrong)).status).toBe(401);
  expect((await ask('team/a/blobs/uploads/', ann, 'POST')).status).toBe(202);
  expect(await errorCodes(await ask('public/blobs/uploads/', ann, 'POST'))).toBe('403 DENIED');
  expect(await errorCodes(await ask('team/a/tags/list', basic('bob', 'b')))).toBe('403 DENIED');
  expect(await errorCodes(await ask('team/a/tags/list'))).toBe('401 UNAUTHORIZED');
});

test('the catalogue shows what one may pull, and a mount takes from nowhere else', async () => {
  using file = passwordFile();
  await using open = await startTestRegistry();
  const digest = await open.pushBlob('hidden', 'x');
  await open.pushImage('team/a', 'v1', ['y']);
  await open.pushImage('public', 'v1', ['y']);
  await using registry = await startTestRegistry({ root: open.root, options: { gate: basicGate(file.passwords, rules) } });
  const headers = { authorization: ann };
  expect(await (await registry.fetch('_catalog', { headers })).json()).toEqual({ repositories: ['public', 'team/a'] });
  const first = await registry.fetch('_catalog?n=1', { headers });
  expect([await first.json(), first.headers.get('link')]).toEqual([{ repositories: ['public'] }, '</v2/_catalog?n=1&last=public>; rel="next"']);
  expect((await registry.fetch('_catalog?n=1&last=public', { headers })).headers.get('link')).toBeNull();
  for (const from of ['&from=hidden', ''])
    expect((await registry.fetch(`team/a/blobs/uploads/?mount=${digest}${from}`, { method: 'POST', headers })).status).toBe(202);
});

test('tokens: as much as one may do, for those who ask for it', async () => {
  using file = passwordFile();
  const signer = new TokenSigner(TokenSigner.newKey());
  const verifier = new TokenVerifier({ publicKeyPem: signer.publicKeyPem, issuer: 'us', service: 'here' });
  const server = createTokenServer({ signer, passwords: file.passwords, rules, issuer: 'us', service: 'here' });
  const gate = tokenGate({
    verifier,
    service: 'here',
    realm: ({ headers }) => `http://${headers.host}/token`,
    sees: (user, name) => rules.may(user, name, 'pull'),
  });
  const options: TestRegistryOptions = { options: { gate }, wrap: (api) => async (request) => await (request.path === '/token' ? server : api)(request) };
  await using registry = await startTestRegistry(options);
  const door = await registry.fetch('');
  expect([door.status, door.headers.get('www-authenticate')]).toEqual([401, `Bearer realm="${registry.url}/token",service="here"`]);
  const refused = await registry.fetch('team/a/blobs/uploads/', { method: 'POST' });
  expect(refused.headers.get('www-authenticate')).toBe(`Bearer realm="${registry.url}/token",service="here",scope="repository:team/a:pull,push"`);
  const token = async (scope: string, authorization?: string) => {
    const response = await fetch(`${registry.url}/token?service=here&scope=${scope}`, authorization === undefined ? {} : { headers: { authorization } });
    return response.status === 200 ? `Bearer ${((await response.json()) as { readonly token: string }).token}` : response.status;
  };
  const status = async (target: string, authorization: string | number, method = 'GET') =>
    (await registry.fetch(target, { method, headers: { authorization: `${authorization}` } })).status;
  const pusher = await token('repository:team/a:pull,push', ann);
  expect([await status('', pusher), await status('team/a/blobs/uploads/', pusher, 'POST'), await status('team/b/blobs/uploads/', pusher, 'POST')]).toEqual([
    200, 202, 401,
  ]);
  expect(await status('team/a/tags/list', await token('repository:team/a:pull', basic('bob', 'b')))).toBe(401);
  // A repository that is not there, but may be looked for.
  expect(await status('public/tags/list', await token('repository:public:pull,push'))).toBe(404);
  expect(await status('public/blobs/uploads/', await token('repository:public:pull,push'), 'POST')).toBe(401);
  expect([
    await status('_catalog', pusher),
    await status('_catalog', await token('registry:catalog:*', ann)),
    await status('_catalog', await token('registry:catalog:*')),
  ]).toEqual([401, 200, 401]);
  expect([await token('', basic('ann', 'x')), await token('', 'Basic !')]).toEqual([401, 401]);
  const form = async (fields: Record<string, string>) => await fetch(`${registry.url}/token`, { method: 'POST', body: new URLSearchParams(fields) });
  const granted = await form({ grant_type: 'password', username: 'ann', password: 's3cret:x', scope: 'repository:team/a:push', service: 'here' });
  expect(await status('team/a/blobs/uploads/', `Bearer ${((await granted.json()) as { readonly access_token: string }).access_token}`, 'POST')).toBe(202);
  for (const fields of [
    { grant_type: 'password', username: 'ann', password: 'x' },
    { grant_type: 'refresh_token', refresh_token: 'x' },
    { grant_type: 'password' },
  ])
    expect((await form(fields as Record<string, string>)).status).toBe(401);
});

test('read-only: nothing changes', async () => {
  await using open = await startTestRegistry();
  await open.pushImage('a', 'v1', ['x']);
  await using registry = await startTestRegistry({ root: open.root, options: { readOnly: true } });
  expect((await registry.fetch('a/manifests/v1')).status).toBe(200);
  for (const [method, target] of [
    ['POST', 'a/blobs/uploads/'],
    ['PUT', 'a/manifests/v2'],
    ['DELETE', 'a/manifests/v1'],
  ] as const)
    expect(await errorCodes(await registry.fetch(target, { method }))).toBe('405 UNSUPPORTED');
});
