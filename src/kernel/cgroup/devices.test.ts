import { expect, test } from 'bun:test';
import type { DeviceRule } from '../../oci/index.ts';
import { bpfInstructionBytes, compileDeviceProgram, ebpf } from './device-program.ts';
import { deviceLine, devicePolicy } from './device-rules.ts';

/** Runs a device program over a context. Throws on an instruction that it does not know, a jump out of the program, or no exit. */
function runDeviceProgram(program: Buffer, type: number, access: number, major: number, minor: number): boolean {
  const context = Buffer.alloc(12);
  context.writeUInt32LE(((access << 16) | type) >>> 0, 0);
  context.writeUInt32LE(major, 4);
  context.writeUInt32LE(minor, 8);
  const registers = new Array<number | undefined>(11).fill(undefined);
  registers[1] = 0;
  const value = (register: number) => {
    const found = registers[register];
    if (found === undefined) throw new Error(`register ${register} is read before it is written`);
    return found;
  };
  for (let pc = 0, steps = 0; steps < program.length; steps++, pc++) {
    const start = pc * bpfInstructionBytes;
    if (start < 0 || start >= program.length) throw new Error(`jump to ${pc}`);
    const code = program.readUInt8(start);
    const dst = program.readUInt8(start + 1) & 15;
    const src = program.readUInt8(start + 1) >> 4;
    const offset = program.readInt16LE(start + 2);
    const imm = program.readInt32LE(start + 4);
    if (code === ebpf.loadWord) registers[dst] = context.readUInt32LE(value(src) + offset);
    else if (code === ebpf.movImm) registers[dst] = imm;
    else if (code === ebpf.movReg32) registers[dst] = value(src);
    else if (code === ebpf.andImm32) registers[dst] = (value(dst) & imm) >>> 0;
    else if (code === ebpf.shiftRightImm32) registers[dst] = value(dst) >>> imm;
    else if (code === ebpf.jumpEqualImm) pc += value(dst) === imm ? offset : 0;
    else if (code === ebpf.jumpNotEqualImm) pc += value(dst) !== imm ? offset : 0;
    else if (code === ebpf.jumpNotEqualReg) pc += value(dst) !== value(src) ? offset : 0;
    else if (code === ebpf.exit) return value(0) === 1;
    else throw new Error(`instruction 0x${code.toString(16)}`);
  }
  throw new Error('no exit');
}

/** What the v1 controller answers (security/device_cgroup.c): an allowing exception must cover the access, a denying one meet it. */
function expectAllowed(rules: readonly DeviceRule[], type: 'b' | 'c', access: number, major: number, minor: number): boolean {
  const { defaultAllow, exceptions } = devicePolicy(rules);
  const hit = exceptions.some(
    (one) =>
      one.type === type &&
      (one.major ?? major) === major &&
      (one.minor ?? minor) === minor &&
      (defaultAllow ? (one.access & access) !== 0 : (one.access & access) === access),
  );
  return hit !== defaultAllow;
}

/** The rules that docker gives a container, and runc's at the end. */
const docker: DeviceRule[] = [
  { allow: false, access: 'rwm' },
  ...[3, 5, 8, 9].map((minor): DeviceRule => ({ allow: true, type: 'c', major: 1, minor, access: 'rwm' })),
  { allow: true, type: 'c', major: 136, access: 'rwm' },
  { allow: false, type: 'c', major: 10, minor: 229, access: 'rwm' },
  { allow: true, type: 'c', access: 'm' },
  { allow: true, type: 'b', access: 'm' },
];

const policies: [string, DeviceRule[]][] = [
  ['docker', docker],
  ['nothing', [{ allow: false, type: 'a' }]],
  ['everything', [{ allow: true, type: 'a' }]],
  ['everything but', [{ allow: false, type: 'b', major: 8, access: 'w' }]],
  ['merged', [{ allow: false }, { allow: true, type: 'c', major: 1, minor: 3, access: 'r' }, { allow: true, type: 'c', major: 1, minor: 3, access: 'w' }]],
  ['taken away', [{ allow: false }, { allow: true, type: 'c', major: 1, minor: 3 }, { allow: false, type: 'c', major: 1, minor: 3, access: 'w' }]],
];

test.each(policies)('the program of %s answers as v1 would, for every access', (_, rules) => {
  const program = compileDeviceProgram(devicePolicy(rules));
  for (const [letter, type] of [
    ['b', 1],
    ['c', 2],
  ] as const)
    for (let access = 1; access <= 7; access++)
      for (const [major, minor] of [
        [1, 3],
        [1, 4],
        [8, 0],
        [10, 229],
        [136, 0],
        [136, 255],
      ] as const)
        expect(`${letter} ${major}:${minor} ${access} ${runDeviceProgram(program, type, access, major, minor)}`).toBe(
          `${letter} ${major}:${minor} ${access} ${expectAllowed(rules, letter, access, major, minor)}`,
        );
});

test('docker’s rules as v1 lines', () => {
  const { defaultAllow, exceptions } = devicePolicy(docker);
  expect(defaultAllow).toBe(false);
  expect(exceptions.map(deviceLine)).toEqual(['c 1:3 rwm', 'c 1:5 rwm', 'c 1:8 rwm', 'c 1:9 rwm', 'c 136:* rwm', 'c *:* m', 'b *:* m']);
});

const refused: [string, DeviceRule[], string][] = [
  [
    'a hole in a wildcard',
    [{ allow: false }, { allow: true, type: 'c', access: 'rwm' }, { allow: false, type: 'c', major: 1, minor: 3 }],
    'device rule c 1:3 cuts a hole into a wildcard rule',
  ],
  ['a type', [{ allow: true, type: 'p' }], 'invalid device type "p"'],
  ['an access', [{ allow: true, type: 'c', access: 'rx' }], 'invalid device access "rx"'],
  ['a number', [{ allow: true, type: 'c', major: 2 ** 40 }], 'invalid device number 1099511627776'],
];
test.each(refused)('refuses %s', (_, rules, message) => expect(() => devicePolicy(rules)).toThrow(message));

test('too many rules', () => {
  const rules = [{ allow: false }, ...Array.from({ length: 2000 }, (_, minor): DeviceRule => ({ allow: true, type: 'c', major: 1, minor }))];
  expect(() => compileDeviceProgram(devicePolicy(rules))).toThrow('2000 device rules make a program of 10008 instructions, at most 4096 are possible');
});
