import { StrakeError } from '../../base/index.ts';
import type { Action } from './gate.ts';

/** Who may do what to which repositories. */
export interface AccessRules {
  /** `user` is `''` for who is anonymous. */
  may(user: string, repository: string, action: Action): boolean;
  /** Whether there is anything for who is anonymous. */
  readonly forAnonymous: boolean;
}

/** Whoever has a password may do everything. */
export const allForUsers: AccessRules = { may: (user) => user !== '', forAnonymous: false };

const actions: readonly string[] = ['pull', 'push', 'delete'];

/**
 * Reads a file of rules, a line each: `USER PATTERN ACTION[,ACTION…]`. USER is a name, `*` for all who have a password, or `-` for everybody, also without one.
 * PATTERN is a repository's name, in which `*` stands for any part of one component and `**` for any part of the name. What no rule allows is not allowed.
 * `#` begins a comment. Throws InvalidArgument with the number of the line.
 */
export function parseAccessRules(text: string): AccessRules {
  const rules = text.split('\n').flatMap((line, index) => {
    const words = line.replace(/(^|\s)#.*$/, '').trim();
    return words === '' ? [] : [parseRule(words, index + 1)];
  });
  return {
    may: (user, repository, action) => rules.some((rule) => matchesUser(rule.user, user) && rule.actions.has(action) && rule.pattern.test(repository)),
    forAnonymous: rules.some(({ user }) => user === '-'),
  };
}

interface Rule {
  readonly user: string;
  readonly pattern: RegExp;
  readonly actions: ReadonlySet<string>;
}

function parseRule(line: string, number: number): Rule {
  const [user, pattern, list, ...more] = line.split(/\s+/);
  if (user === undefined || pattern === undefined || list === undefined || more.length > 0) throw invalid(number, 'it has to be USER PATTERN ACTIONS');
  if (!/^[a-z0-9._/*-]{1,255}$/.test(pattern)) throw invalid(number, `${JSON.stringify(pattern)} can match no name of a repository`);
  const named = list === '*' ? actions : list.split(',');
  const unknown = named.find((action) => !actions.includes(action));
  if (unknown !== undefined) throw invalid(number, `${JSON.stringify(unknown)} is none of ${actions.join(', ')}`);
  return { user, pattern: toExpression(pattern), actions: new Set(named) };
}

function toExpression(pattern: string): RegExp {
  const parts = pattern.split(/(\*\*|\*)/).map((part) => (part === '**' ? '.*' : part === '*' ? '[^/]*' : part.replaceAll('.', '\\.')));
  return new RegExp(`^${parts.join('')}$`);
}

function matchesUser(rule: string, user: string): boolean {
  return rule === '-' || (user !== '' && (rule === '*' || rule === user));
}

function invalid(number: number, problem: string): StrakeError {
  return new StrakeError('InvalidArgument', `line ${number} of the access rules: ${problem}`, { fields: { layer: 'registry' } });
}
