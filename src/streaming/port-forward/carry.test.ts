import { expect, test } from 'bun:test';
import { carryPort } from './carry.ts';

async function* given(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

/** Ends when it is closed. */
function silence() {
  const { promise, resolve: close } = Promise.withResolvers<void>();
  const output = async function* (): AsyncGenerator<Uint8Array> {
    await promise;
    yield* given();
  };
  return { output, close };
}

function record() {
  const seen: string[] = [];
  const say = (what: string) => async (data?: Uint8Array) => void seen.push(data === undefined ? what : `${what} ${Buffer.from(data)}`);
  return { seen, say };
}

test('both directions, each with its end', async () => {
  const { seen, say } = record();
  const stream = { input: given('a', 'b'), write: say('to the client'), end: () => void say('the port has ended')(), signal: new AbortController().signal };
  await carryPort(stream, { output: () => given('x', 'y'), write: say('to the port'), end: say('the client has ended'), close: () => void say('closed')() });
  expect(seen.filter((line) => line.includes('port'))).toEqual(['to the port a', 'to the port b', 'the port has ended']);
  expect(seen.filter((line) => line.includes('client'))).toEqual(['to the client x', 'to the client y', 'the client has ended']);
  expect(seen.at(-1)).toBe('closed');
});

test('a port that breaks is the error, whatever the client still sends; a client that leaves is none', async () => {
  const { seen, say } = record();
  const broken = async function* (): AsyncGenerator<Uint8Array> {
    yield Buffer.from('x');
    throw new Error('reset');
  };
  const port = { output: broken, write: async () => Promise.reject(new Error('not taken')), end: say('end'), close: () => void say('closed')() };
  const stream = { input: given('a'), write: say('client'), end: () => undefined, signal: new AbortController().signal };
  await expect(carryPort(stream, port)).rejects.toThrow('reset');
  expect(seen).toEqual(['client x', 'closed']);

  const leaving = new AbortController();
  const { output, close } = silence();
  const carried = carryPort({ ...stream, input: given(), signal: leaving.signal }, { ...port, output, close });
  leaving.abort();
  await carried;
});
