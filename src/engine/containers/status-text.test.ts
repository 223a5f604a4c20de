import { expect, test } from 'bun:test';
import type { Lifecycle } from './lifecycle.ts';
import { statusText } from './status-text.ts';
import { humanDuration, rfc3339Nano } from './time.ts';

const now = Date.parse('2026-01-02T00:00:00Z');
const at = (secondsAgo: number) => new Date(now - secondsAgo * 1000).toISOString();
const end = { exitCode: 3, oomKilled: false, error: '', startedAt: at(100) };

test.each<[Lifecycle, string]>([
  [{ status: 'created', exitCode: 0, error: '', finishedAt: at(0) }, 'Created'],
  [{ status: 'running', pid: 1, startedAt: at(3), finishedAt: at(9) }, 'Up 3 seconds'],
  [{ status: 'paused', pid: 1, startedAt: at(60), finishedAt: at(9) }, 'Up About a minute (Paused)'],
  [{ status: 'restarting', ...end, finishedAt: at(2) }, 'Restarting (3) 2 seconds ago'],
  [{ status: 'exited', ...end, finishedAt: at(120) }, 'Exited (3) 2 minutes ago'],
  [{ status: 'dead', ...end, finishedAt: at(120) }, 'Dead'],
  [{ status: 'removing', ...end, finishedAt: at(120) }, 'Removal In Progress'],
])('%j', (lifecycle, expected) => {
  expect(statusText(lifecycle, now)).toBe(expected);
});

test.each([
  [0.4, 'Less than a second'],
  [1, '1 second'],
  [59, '59 seconds'],
  [119, 'About a minute'],
  [3600, 'About an hour'],
  [3 * 3600, '3 hours'],
  [3 * 86400, '3 days'],
  [20 * 86400, '2 weeks'],
  [100 * 86400, '3 months'],
  [1000 * 86400, '2 years'],
])('%f seconds', (seconds, expected) => {
  expect(humanDuration(seconds * 1000)).toBe(expected);
});

test('times have no more digits than they need', () => {
  expect(rfc3339Nano(1000)).toBe('1970-01-01T00:00:01Z');
  expect(rfc3339Nano(1500.25)).toBe('1970-01-01T00:00:01.50025Z');
});
