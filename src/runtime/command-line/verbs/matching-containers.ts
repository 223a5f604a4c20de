import { errorMessage, StrakeError } from '../../../base/index.ts';
import type { RuntimeContext } from '../../lifecycle/context.ts';

/**
 * crun's `--regex`: does `act` to each container whose id the expression matches somewhere. One that fails is a warning and does not keep the others from
 * it; the status is 1 then.
 */
export async function eachMatching({ store, warn }: RuntimeContext, expression: string, act: (id: string) => void | Promise<void>): Promise<number> {
  const pattern = compileExpression(expression);
  let status = 0;
  for (const id of store.list().filter((name) => pattern.test(name))) {
    try {
      await act(id);
    } catch (error) {
      warn(`${id}: ${errorMessage(error)}`);
      status = 1;
    }
  }
  return status;
}

function compileExpression(expression: string): RegExp {
  try {
    return new RegExp(expression);
  } catch (cause) {
    throw new StrakeError('InvalidArgument', `invalid regular expression ${expression}`, { cause, fields: { layer: 'runtime' } });
  }
}
