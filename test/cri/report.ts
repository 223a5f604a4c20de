import type { NamedResult } from '../suites/known-failing.ts';

/** What is read of ginkgo's JSON report (ginkgo v2, types.Report). */
interface SuiteReport {
  readonly SpecReports: readonly SpecReport[] | null;
}

interface SpecReport {
  readonly ContainerHierarchyTexts: readonly string[] | null;
  readonly LeafNodeType: string;
  readonly LeafNodeText: string;
  readonly State: string;
  /** ns */
  readonly RunTime: number;
  readonly Failure?: { readonly Message: string };
}

/** A case, and how long it took. */
export interface CaseResult extends NamedResult {
  readonly ms: number;
}

/** The cases of a report that were meant to run; what a failed preparation of the whole suite says is a failed case of its own. */
export function readReport(text: string): CaseResult[] {
  const suites = JSON.parse(text) as readonly SuiteReport[];
  return suites
    .flatMap(({ SpecReports }) => SpecReports ?? [])
    .filter(({ LeafNodeType, State, Failure }) => (LeafNodeType === 'It' ? State !== 'pending' && !isFiltered(State, Failure) : isFailure(State)))
    .map(({ ContainerHierarchyTexts, LeafNodeType, LeafNodeText, State, RunTime, Failure }) => {
      const key = [...(ContainerHierarchyTexts ?? []), LeafNodeText === '' ? LeafNodeType : LeafNodeText].join(' ');
      return { key, name: key, outcome: outcomeOf(State), detail: Failure?.Message ?? '', ms: Math.round(RunTime / 1e6) };
    });
}

/** Not chosen by --ginkgo.focus and --ginkgo.skip: a skip without a word. */
function isFiltered(state: string, failure: SpecReport['Failure']): boolean {
  return state === 'skipped' && (failure?.Message ?? '') === '';
}

function isFailure(state: string): boolean {
  return outcomeOf(state) === 'not ok';
}

function outcomeOf(state: string): CaseResult['outcome'] {
  if (state === 'passed') return 'ok';
  return state === 'skipped' || state === 'pending' ? 'skip' : 'not ok';
}
