import { expect, test } from 'bun:test';
import { openGate } from '../auth/open-gate.ts';
import { startTestRegistry } from '../fixtures-registry.ts';
import { formatBytes, formatTime } from './format.ts';
import { html } from './html.ts';
import { createPages } from './pages.ts';

test('what is put into markup is text', () => {
  expect(html`<a href="${'"><script>'}">${html`<b>${1}</b>`}${[html`x`, html`&`]}</a>`.text).toBe('<a href="&#34;&#62;&#60;script&#62;"><b>1</b>x&</a>');
});

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1 kB'],
  [1_234_567, '1.23 MB'],
  [45_600_000_000, '45.6 GB'],
  [1e18, '1000 PB'],
])('%d bytes are %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test('times are UTC, to the minute', () => {
  expect(formatTime(new Date('2026-01-31T12:34:56Z'))).toBe('2026-01-31 12:34');
});

test('repositories, tags, layers and sizes', async () => {
  await using registry = await startTestRegistry({
    wrap(api, storage) {
      const pages = createPages({ storage, gate: openGate });
      return async (request) => (await pages(request)) ?? (await api(request));
    },
  });
  const get = async (path: string) => {
    const response = await fetch(`${registry.url}${path}`);
    return { status: response.status, policy: response.headers.get('content-security-policy'), text: await response.text() };
  };
  expect((await get('/')).text).toContain('There is nothing here yet.');
  await registry.pushImage('team/app', 'v1', ['a layer', 'another']);
  const list = await get('/');
  expect(list.text).toContain('<a href="/repositories/team/app">team/app</a></td><td class="number">1</td><td class="number">1</td>');
  expect(list.policy).toContain("default-src 'none'");
  const { text } = await get('/repositories/team/app');
  expect(text).toContain('<h3>linux/amd64: 2 layers, ');
  expect(text).toContain(`<code>strake pull ${new URL(registry.url).host}/team/app:v1</code>`);
  for (let number = 0; number < 100; number++) await registry.pushImage('team/app', `w${number}`, []);
  expect((await get('/repositories/team/app')).text).toContain('<a rel="next" href="/repositories/team/app?last=w98">More</a>');
  expect((await get('/repositories/team/app?last=w98')).text).not.toContain('More');
  const missing = await get('/repositories/%3Cb%3E');
  expect([missing.status, missing.text.includes('<b>')]).toEqual([404, false]);
  expect((await get('/v2/')).status).toBe(200);
});
