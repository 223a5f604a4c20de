import { randomInt } from 'node:crypto';
import { StrakeError } from '../../../base/index.ts';
import { adjectives, surnames } from './words.ts';

const pattern = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;
const attempts = 12;

/** The name without its slash. Text is moby's. */
export function checkContainerName(given: string): string {
  const name = given.replace(/^\//, '');
  if (!pattern.test(name)) throw new StrakeError('InvalidArgument', `Invalid container name (${given}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`);
  return name;
}

/** `steady_lovelace`, one that is not `taken`; with a digit when luck is out. */
export function generateName(taken: (name: string) => boolean, id: string): string {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const name = `${adjectives[randomInt(adjectives.length)]}_${surnames[randomInt(surnames.length)]}${attempt < attempts / 2 ? '' : randomInt(10)}`;
    if (!taken(name)) return name;
  }
  return id.slice(0, 12);
}
