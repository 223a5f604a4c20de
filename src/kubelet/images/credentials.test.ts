import { expect, test } from 'bun:test';
import { credentialsFor } from './credentials.ts';

const auth = (user: string) => ({ auth: Buffer.from(`${user}:secret`).toString('base64') });
const secret = {
  type: 'kubernetes.io/dockerconfigjson',
  entries: new Map([
    [
      '.dockerconfigjson',
      Buffer.from(
        JSON.stringify({
          auths: {
            'https://index.docker.io/v1/': auth('hub'),
            'r.example': auth('all'),
            'r.example/team': auth('team'),
            '*.wild.example:5000': { username: 'wild', password: 'p:w' },
          },
        }),
      ),
    ],
  ]),
};

test.each([
  ['busybox:1', ['hub']],
  ['docker.io/library/busybox', ['hub']],
  ['r.example/other/image', ['all']],
  ['r.example/team/image', ['team', 'all']],
  ['r.example/teams/image', ['all']],
  ['r.example.evil/team/image', []],
  ['a.wild.example:5000/image', ['wild']],
  ['a.b.wild.example:5000/image', []],
  ['team/image', ['hub']],
])('%s is pulled as %j', (image, users) => {
  expect(credentialsFor(image, [secret]).map(({ username }) => username ?? '')).toEqual(users);
});

test('a secret that says nothing, and one of the older kind', () => {
  const old = { type: 'kubernetes.io/dockercfg', entries: new Map([['.dockercfg', Buffer.from(JSON.stringify({ 'r.example': auth('old') }))]]) };
  const broken = { type: 'kubernetes.io/dockerconfigjson', entries: new Map([['.dockerconfigjson', Buffer.from('{')]]) };
  const opaque = { type: 'Opaque', entries: new Map<string, Buffer>() };
  expect(credentialsFor('r.example/image', [broken, opaque, old])).toEqual([
    { serverAddress: 'r.example', username: 'old', password: 'secret', identityToken: '' },
  ]);
});
