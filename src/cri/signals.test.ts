import { expect, test } from 'bun:test';
import { criTypes } from '../api/cri/index.ts';
import { criSignal, signalNumber, stopSignalName } from './signals.ts';

test.each([
  ['TERM', 15],
  ['SIGTERM', 15],
  ['sigquit', 3],
  ['9', 9],
  ['SIGRTMIN', 34],
  ['SIGRTMIN+3', 37],
  ['RTMAX-1', 63],
  ['SIGCLD', 17],
])('%s is %d', (name, number) => {
  expect(signalNumber(name)).toBe(number);
});

test.each(['', '0', '65', 'SIGNONSENSE', 'RTMIN-1', 'RTMAX+1'])('%j is no signal', (name) => {
  expect(() => signalNumber(name)).toThrow('invalid signal');
});

test('what ends a container: the pod’s word, its image’s, SIGTERM; told by the interface’s number', () => {
  const { Signal } = criTypes;
  expect([
    stopSignalName(Signal.RUNTIME_DEFAULT, undefined),
    stopSignalName(Signal.RUNTIME_DEFAULT, 'SIGQUIT'),
    stopSignalName(Signal.SIGRTMINPLUS3, 'SIGQUIT'),
  ]).toEqual(['SIGTERM', 'SIGQUIT', 'SIGRTMIN+3']);
  expect(['SIGTERM', 'QUIT', 'SIGRTMIN+3', '15'].map(criSignal)).toEqual([Signal.SIGTERM, Signal.SIGQUIT, Signal.SIGRTMINPLUS3, Signal.RUNTIME_DEFAULT]);
  expect(() => stopSignalName(99 as criTypes.Signal, undefined)).toThrow('unknown stop signal 99');
});
