import { cpus, release, totalmem } from 'node:os';
import { peerVersions } from '../tools/peers/peer-root.ts';
import type { CaseResult } from './measure.ts';

/** What a case must reach: our median is at most this part of the peer's, or at most so much in all. */
interface Target {
  readonly case: RegExp;
  /** `best`: the least of the peers */
  readonly peer?: string;
  readonly ratio?: number;
  readonly atMost?: number;
  readonly text: string;
}

/** What the project sets itself. */
const targets: readonly Target[] = [
  { case: /--network none/, peer: 'docker', ratio: 1 / 5, text: 'at most 1/5 of docker (aim 1/8)' },
  { case: /--network none/, peer: 'podman', ratio: 1 / 3, text: 'at most 1/3 of podman' },
  { case: /--network none/, peer: 'ctr', ratio: 1 / 3, text: 'at most 1/3 of ctr' },
  { case: /default bridge/, peer: 'docker', ratio: 1 / 5, text: 'at most 1/5 of docker' },
  { case: /^the runtime alone/, peer: 'runc', ratio: 0.6, text: 'at most 0.6 of runc' },
  { case: /^the runtime alone/, peer: 'crun', ratio: 1.5, text: 'at most 1.5 of crun' },
  { case: /^exec/, peer: 'docker', ratio: 1 / 4, text: 'at most 1/4 of docker' },
  { case: /^memory of a container/, atMost: 1024, text: 'at most 1 MiB' },
  { case: /^pull/, peer: 'best', ratio: 0.7, text: 'at most 0.7 of the best' },
  { case: /^(push|save|load|commit) /, peer: 'best', ratio: 1, text: 'no slower than the best' },
  { case: /^the registry alone/, peer: 'docker-registry', ratio: 1, text: 'no slower than docker-registry' },
  { case: /^ctr /, peer: 'containerd', ratio: 1 / 2, text: 'at most 0.5 of containerd' },
  { case: /^task (create|start)/, peer: 'containerd', ratio: 1 / 2, text: 'at most 0.5 of containerd' },
  { case: /^CRI, /, peer: 'containerd', ratio: 0.4, text: 'at most 0.4 of containerd (aim 1/4)' },
  { case: /^2000 events/, atMost: 2000, text: 'at least 1,000 a second' },
  { case: /^memory of the daemons/, peer: 'docker', ratio: 1, text: 'no more than docker' },
];

export interface Verdict {
  readonly text: string;
  readonly reached: boolean;
  readonly value: string;
}

/** Every target that the results can decide. */
export function judge(results: readonly CaseResult[]): Verdict[] {
  return targets.flatMap((target) => results.filter((one) => target.case.test(one.name)).flatMap((result) => verdict(target, result)));
}

function verdict(target: Target, { name, unit, medians }: CaseResult): Verdict[] {
  const ours = ourMedian(medians);
  if (ours === undefined) return [];
  const peer = target.peer === 'best' ? bestPeer(medians) : target.peer;
  const limit = peer === undefined ? (target.atMost ?? 0) : (medians[peer] ?? 0) * (target.ratio ?? 1);
  const value = peer === undefined ? format(ours, unit) : `${(ours / (medians[peer] ?? Number.NaN)).toFixed(3)} of ${peer}`;
  return [{ text: `${name}: ${target.text}`, reached: ours <= limit, value }];
}

function bestPeer(medians: CaseResult['medians']): string | undefined {
  const peers = Object.entries(medians).filter(([label]) => !label.startsWith('strake'));
  return peers.sort(([, left], [, right]) => left - right)[0]?.[0];
}

function ourMedian(medians: CaseResult['medians']): number | undefined {
  return medians['strake'] ?? medians['strake-runc'];
}

function format(value: number, unit: string): string {
  return `${value < 100 ? value.toFixed(1) : value.toFixed(0)} ${unit}`;
}

/** When, where, and beside whom was measured. */
export function circumstances(date: Date): readonly string[] {
  const versions = Object.entries(peerVersions()).map(([name, version]) => `${name} ${version}`);
  const [cpu] = cpus();
  return [
    `${date.toISOString().slice(0, 16).replace('T', ' ')} UTC, ${cpus().length} × ${cpu?.model ?? 'unknown CPU'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}.`,
    `Peers, from Debian sid: ${versions.join(', ')}.`,
  ];
}

/** The report as Markdown. */
export function report(results: readonly CaseResult[], verdicts: readonly Verdict[], date: Date): string {
  const lines = [
    '# Results of `npm run bench`',
    '',
    ...circumstances(date),
    'Medians; every round measures all of a row one after the other, each from the start of the client’s process to its end.',
    'What is stored lies on an ext4 with a journal, in a file of its own (bench/disk.ts).',
    '',
  ];
  for (const { name, unit, rounds, medians } of results) {
    const ours = ourMedian(medians);
    lines.push(`## ${name}`, '', `| | median | ours / theirs |`, '|---|---:|---:|');
    for (const [label, value] of Object.entries(medians)) {
      lines.push(`| ${label} | ${format(value, unit)} | ${ours === undefined || label.startsWith('strake') ? '' : (ours / value).toFixed(3)} |`);
    }
    lines.push('', unit === 'ms' ? `${rounds} rounds.` : '', '');
  }
  if (verdicts.length > 0) {
    lines.push('## Targets', '', '| target | measured | |', '|---|---|---|');
    for (const { text, value, reached } of verdicts) lines.push(`| ${text} | ${value} | ${reached ? 'reached' : '**missed**'} |`);
    lines.push('');
  }
  return `${lines
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trimEnd()}\n`;
}
