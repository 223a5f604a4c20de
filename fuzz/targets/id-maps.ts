import fc from 'fast-check';
import { encodeProgram } from '../../src/kernel/index.ts';
import { formatJson, parseRuntimeSpec } from '../../src/oci/index.ts';
import { compileCreate, defaultSpec } from '../../src/runtime/index.ts';
import { compileOptions } from '../machine.ts';
import { accepted, check } from '../target.ts';

const number = fc.oneof(
  fc.constantFrom<unknown>(0, 1, 1000, 100_000, 65_536, 2 ** 31, 2 ** 32 - 2, 2 ** 32 - 1, 2 ** 32, 2 ** 53, 1e21, -1, 0.5, '1', null, 2n ** 64n),
  fc.nat(),
);
const mappings = fc.array(fc.record({ containerID: number, hostID: number, size: number }, { noNullPrototype: true }), { maxLength: 4 });
const base = defaultSpec();
const namespaces = [...(base.linux?.namespaces ?? []), { type: 'user' }];

/** The text of a map says exactly the numbers of the configuration, each one that the kernel has. */
export function idMaps(runs: number, seed: number): void {
  const property = fc.property(mappings, mappings, fc.boolean(), (uidMappings, gidMappings, onMount) => {
    const mount = { destination: '/data', type: 'bind', source: '/src', options: ['bind', 'idmap'], uidMappings, gidMappings };
    const own = [{ containerID: 0, hostID: 1000, size: 1 }];
    const maps = onMount ? { uidMappings: own, gidMappings: own } : { uidMappings, gidMappings };
    const json = formatJson({ ...base, mounts: [...(base.mounts ?? []), ...(onMount ? [mount] : [])], linux: { ...base.linux, ...maps, namespaces } });
    const spec = accepted(() => parseRuntimeSpec(json));
    for (const options of spec === undefined ? [] : compileOptions) {
      const operations = accepted(() => compileCreate(spec as NonNullable<typeof spec>, options)) ?? [];
      accepted(() => encodeProgram(operations));
      for (const op of operations) {
        if (op.op === 'id_map' && op.kind !== 2) checkMap(op.text);
        else if (op.op === 'userns') [op.uids, op.gids].forEach(checkMap);
        else if (op.op === 'id_map_helper') op.ids.forEach(checkNumber);
      }
    }
  });
  fc.assert(property, { numRuns: runs, seed });
}

function checkMap(text: string): void {
  check(/^(\d+ \d+ \d+\n)+$/.test(text), `the map ${JSON.stringify(text)}`);
  text.trim().split(/\s/).forEach(checkNumber);
}

function checkNumber(text: string): void {
  check(/^(0|[1-9]\d*)$/.test(text) && Number(text) <= 2 ** 32 - 1, `the id ${text}`);
}
