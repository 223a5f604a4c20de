import { errorMessage, type StrakeError } from '../../base/index.ts';

/** A regular expression as Go writes it: flags may stand at its beginning, as in `(?i)name`. */
export function compileExpression(text: string, mistake: (problem: string) => StrakeError): RegExp {
  const [prefix = '', flags = ''] = /^\(\?([ims]+)\)/.exec(text) ?? [];
  try {
    return new RegExp(text.slice(prefix.length), [...new Set(flags)].join(''));
  } catch (error) {
    throw mistake(errorMessage(error));
  }
}
