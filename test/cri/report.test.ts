import { expect, test } from 'bun:test';
import { readReport } from './report.ts';

const it = (text: string, state: string, message?: string) => ({
  ContainerHierarchyTexts: ['[k8s.io] Image', 'pull'],
  LeafNodeType: 'It',
  LeafNodeText: text,
  State: state,
  RunTime: 1_500_000,
  ...(message === undefined ? {} : { Failure: { Message: message } }),
});
const outside = (type: string, state: string) => ({ ...it('', state, 'no socket'), ContainerHierarchyTexts: null, LeafNodeType: type });

test.each([
  ['a case that passed', it('works', 'passed'), ['ok', '[k8s.io] Image pull works', '']],
  ['that failed', it('works', 'failed', 'expected 1'), ['not ok', '[k8s.io] Image pull works', 'expected 1']],
  ['that broke', it('works', 'panicked', 'nil'), ['not ok', '[k8s.io] Image pull works', 'nil']],
  ['that took too long', it('works', 'timedout', 'A suite timeout occurred'), ['not ok', '[k8s.io] Image pull works', 'A suite timeout occurred']],
  ['that skipped itself', it('works', 'skipped', 'no AppArmor'), ['skip', '[k8s.io] Image pull works', 'no AppArmor']],
  ['that was not chosen', it('works', 'skipped'), undefined],
  ['a preparation that passed', outside('BeforeSuite', 'passed'), undefined],
  ['a preparation that failed', outside('BeforeSuite', 'failed'), ['not ok', 'BeforeSuite', 'no socket']],
])('%s', (_, spec, expected) => {
  const results = readReport(JSON.stringify([{ SpecReports: [spec] }]));
  expect(results.map(({ outcome, key, detail }) => [outcome, key, detail])).toEqual(expected === undefined ? [] : [expected as [string, string, string]]);
  for (const { ms } of results) expect(ms).toBe(2);
});

test('a suite without cases', () => expect(readReport(JSON.stringify([{ SpecReports: null }]))).toEqual([]));
