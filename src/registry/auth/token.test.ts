import { expect, test } from 'bun:test';
import { createHmac, generateKeyPairSync } from 'node:crypto';
import { formatScope, parseScopes } from './scope.ts';
import { type TokenClaims, TokenSigner, TokenVerifier } from './token.ts';

const signer = new TokenSigner(TokenSigner.newKey());
const verifier = new TokenVerifier({ publicKeyPem: signer.publicKeyPem, issuer: 'us', service: 'here' });
const nowMs = 1_700_000_000_000;
const claims: TokenClaims = {
  iss: 'us',
  sub: 'ann',
  aud: 'here',
  nbf: nowMs / 1000,
  exp: nowMs / 1000 + 300,
  access: [{ type: 'repository', name: 'a', actions: ['pull'] }],
};
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

test('a token that is right', () => {
  expect(verifier.verify(signer.sign(claims), nowMs)).toMatchObject(claims);
  expect(verifier.verify(signer.sign({ ...claims, aud: ['x', 'here'] }), nowMs)?.sub).toBe('ann');
});

const [header = '', body = '', signature = ''] = signer.sign(claims).split('.');
test.each([
  ['another issuer', signer.sign({ ...claims, iss: 'them' })],
  ['another service', signer.sign({ ...claims, aud: 'there' })],
  ['too late', signer.sign({ ...claims, exp: nowMs / 1000 - 61 })],
  ['too early', signer.sign({ ...claims, nbf: nowMs / 1000 + 61 })],
  ['another key', new TokenSigner(TokenSigner.newKey()).sign(claims)],
  ['changed claims', `${header}.${encode({ ...claims, sub: 'root' })}.${signature}`],
  ['no signature', `${encode({ alg: 'none' })}.${body}.`],
  ['no algorithm', `${encode({ alg: 'none' })}.${body}.${signature}`],
  // The public key as the secret of an HMAC: whoever believes the header takes it.
  [
    'another algorithm',
    ((content: string) => `${content}.${createHmac('sha256', signer.publicKeyPem).update(content).digest('base64url')}`)(`${encode({ alg: 'HS256' })}.${body}`),
  ],
  ['no claims', `${header}.${encode(null)}.${signature}`],
  ['no token', 'x'],
  ['too long', `${'a'.repeat(20_000)}.b.c`],
])('%s', (_name, token) => {
  expect(verifier.verify(token, nowMs)).toBeUndefined();
});

test('claims of another shape are none', () => {
  expect(verifier.verify(signer.sign({ ...claims, access: [null] } as unknown as TokenClaims), nowMs)).toBeUndefined();
});

test('the key says which algorithm', () => {
  const pem = (pair: { readonly publicKey: { export(options: object): unknown } }) => pair.publicKey.export({ type: 'spki', format: 'pem' }) as string;
  const open = (publicKeyPem: string) => new TokenVerifier({ publicKeyPem, issuer: 'us', service: 'here' });
  for (const pair of [generateKeyPairSync('rsa', { modulusLength: 2048 }), generateKeyPairSync('ed25519')])
    expect(open(pem(pair)).verify(signer.sign(claims), nowMs)).toBeUndefined();
  expect(() => open(pem(generateKeyPairSync('x25519')))).toThrow('tokens cannot be signed with a key of type x25519');
  expect(() => open(pem(generateKeyPairSync('ec', { namedCurve: 'P-384' })))).toThrow('tokens cannot be signed with a key of type ec');
});

test('scopes', () => {
  const text = ['repository:a/b:pull,push registry:catalog:*', 'repository(plugin):c:pull', 'nonsense', 'repository::pull'];
  expect(parseScopes(text).map(formatScope)).toEqual(['repository:a/b:pull,push', 'registry:catalog:*', 'repository:c:pull']);
  expect(parseScopes(Array.from({ length: 100 }, () => 'repository:a:pull'))).toHaveLength(64);
});
