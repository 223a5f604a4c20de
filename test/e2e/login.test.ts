/** `docker login` at a registry that asks for credentials, by password and by token: what is right succeeds, what is wrong says so, and pulls use it. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Engine } from '../lib/engine.ts';

const setupMs = 600_000;
const basic = '127.0.0.1:5002';
const bearer = '127.0.0.1:5003';

/** Two registries in one process: the first wants a password, the second a token from a server that wants the password. */
const registries = `
const http = require('node:http');
const right = 'Basic ' + Buffer.from('ann:s3cret:x').toString('base64');
const refuse = (response, challenge) => response.writeHead(401, { 'www-authenticate': challenge, 'content-type': 'application/json' })
  .end('{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}');
http.createServer((request, response) => {
  if (request.headers.authorization === right) response.end('{}');
  else refuse(response, 'Basic realm="test"');
}).listen(5002, '127.0.0.1');
http.createServer((request, response) => {
  if (request.url.startsWith('/token')) {
    if (request.headers.authorization === right) response.end('{"token":"abc"}');
    else refuse(response, 'Basic realm="test"');
  } else if (request.headers.authorization === 'Bearer abc') response.end('{}');
  else refuse(response, 'Bearer realm="http://127.0.0.1:5003/token",service="test"');
}).listen(5003, '127.0.0.1', () => console.log('listening'));
`;

let engine: Engine;

beforeAll(async () => {
  engine = await Engine.start('strake');
  await engine.world.spawn([process.execPath, '-e', registries]).output(/listening/);
}, setupMs);

afterAll(async () => {
  await engine?.[Symbol.asyncDispose]();
}, setupMs);

async function login(registry: string, password: string) {
  const { code, stdout, stderr } = await engine.docker(['login', '--username', 'ann', '--password-stdin', registry], { stdin: password });
  return { code, succeeded: stdout.includes('Login Succeeded'), stderr };
}

test.each([basic, bearer])('%s', async (registry) => {
  const wrong = await login(registry, 'wrong');
  expect(wrong.code).not.toBe(0);
  expect(wrong.stderr).toMatch(/^Error response from daemon: .*(authentication required|401)/m);
  expect(await login(registry, 's3cret:x')).toMatchObject({ code: 0, succeeded: true });
});

test('what is no registry is named', async () => {
  const { code, stderr } = await login('127.0.0.1:1', 'x');
  expect(code).not.toBe(0);
  expect(stderr).toContain('127.0.0.1:1');
});

test.each([basic, bearer])('strake login and logout: %s', async (registry) => {
  const config = join(engine.work, `config-${registry.replace(/\W/g, '-')}`);
  const strake = async (argv: readonly string[], stdin = '') => await engine.world.run([...engine.strake, ...argv], { stdin, env: { DOCKER_CONFIG: config } });
  const wrong = await strake(['login', '-u', 'ann', '--password-stdin', registry], 'wrong');
  expect(wrong).toMatchObject({ code: 1, stdout: '' });
  expect(existsSync(config)).toBe(false);
  const right = await strake(['login', '-u', 'ann', '--password-stdin', registry], 's3cret:x\n');
  expect(right).toMatchObject({ code: 0, stdout: 'Login Succeeded\n' });
  expect(right.stderr).toContain(`stored unencrypted in '${config}/config.json'`);
  expect(JSON.parse(readFileSync(join(config, 'config.json'), 'utf8'))).toEqual({ auths: { [registry]: { auth: btoa('ann:s3cret:x') } } });
  expect(await strake(['login', registry])).toMatchObject({
    code: 0,
    stdout: 'Authenticating with existing credentials... [Username: ann]\nLogin Succeeded\n',
  });
  expect(await strake(['logout', registry])).toMatchObject({ code: 0, stdout: `Removing login credentials for ${registry}\n` });
  expect(await strake(['logout', registry])).toMatchObject({ code: 0, stdout: `Not logged in to ${registry}\n` });
  expect(await strake(['login', registry])).toMatchObject({ code: 1, stderr: 'Error: Cannot perform an interactive login from a non TTY device\n' });
});
