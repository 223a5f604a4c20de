import { expect, test } from 'bun:test';
import { learnedProfile } from './learned.ts';

const calls = { architectures: ['SCMP_ARCH_X86_64'], names: ['clone', 'read', 'socket'], unknown: [] };
const allow = 'SCMP_ACT_ALLOW';
const family = (value: number) => ({ names: ['socket', 'bind'], action: allow, args: [{ index: 0, value, op: 'SCMP_CMP_EQ' }] });

test('names alone, where the container had no filter', () => {
  expect(learnedProfile(calls, undefined)).toEqual({
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: 1,
    architectures: ['SCMP_ARCH_X86_64'],
    syscalls: [{ names: ['clone', 'read', 'socket'], action: allow }],
  });
});

test('conditions of the container’s own filter stay, unless it allows the call without one too', () => {
  const own = {
    defaultAction: 'SCMP_ACT_ERRNO',
    syscalls: [family(1), family(2), { names: ['clone'], action: allow, args: [] }, { ...family(3), names: ['clone'] }],
  };
  expect(learnedProfile(calls, own).syscalls).toEqual([
    { names: ['clone', 'read'], action: allow },
    { ...family(1), names: ['socket'] },
    { ...family(2), names: ['socket'] },
  ]);
});

test('an errno that a program may count on stays, EPERM is the default', () => {
  const refuse = (errnoRet?: number) => ({ names: ['clone3'], action: 'SCMP_ACT_ERRNO', ...(errnoRet === undefined ? {} : { errnoRet }) });
  const own = { defaultAction: allow, syscalls: [refuse(38), refuse(1), refuse()] };
  expect(learnedProfile(calls, own).syscalls?.slice(1)).toEqual([refuse(38)]);
});
