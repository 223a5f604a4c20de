import { StrakeError } from '../base/index.ts';

/** The peer does not speak the protocol: its connection is cut. */
export function protocolError(message: string): StrakeError {
  return new StrakeError('InvalidArgument', message, { fields: { layer: 'streaming' } });
}
