// Makes src/kubelet/manifests/shapes.gen.ts: which fields a manifest may have and of what type, from the models of @kubernetes/client-node.
// `--check` writes nothing and fails when the file differs.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const root = path.join(import.meta.dirname, '..');
const models = path.join(root, 'node_modules/@kubernetes/client-node/dist/gen/models');
const target = path.join(root, 'src/kubelet/manifests/shapes.gen.ts');
const kinds = ['V1Pod', 'V1ConfigMap', 'V1Secret', 'V1PersistentVolumeClaim', 'V1Deployment', 'V1ReplicaSet', 'V1StatefulSet', 'V1DaemonSet', 'V1Job'];
/** Where the models say `string` and Kubernetes reads a quantity, which may be a number, too. */
const quantities: Readonly<Record<string, readonly string[]>> = {
  V1ResourceRequirements: ['limits', 'requests'],
  V1VolumeResourceRequirements: ['limits', 'requests'],
  V1PodSpec: ['overhead'],
  V1EmptyDirVolumeSource: ['sizeLimit'],
  V1ResourceFieldSelector: ['divisor'],
};

interface Attribute {
  readonly baseName: string;
  readonly type: string;
  readonly format: string;
}

const shapes = new Map<string, Map<string, string>>();
for (const kind of kinds) await addShape(kind);
const text = generate();
if (!process.argv.includes('--check')) writeFileSync(target, text);
else if (readFileSync(target, 'utf8') !== text) {
  console.error(`${path.relative(root, target)} does not match @kubernetes/client-node: run \`npm run gen\``);
  process.exitCode = 1;
}

async function addShape(name: string): Promise<void> {
  if (shapes.has(name)) return;
  const fields = new Map<string, string>();
  shapes.set(name, fields);
  const module = (await import(path.join(models, `${name}.js`))) as Record<string, { readonly attributeTypeMap: readonly Attribute[] }>;
  for (const attribute of module[name]?.attributeTypeMap ?? []) {
    const type = typeOf(name, attribute);
    fields.set(attribute.baseName, type);
    const other = /\w*V1\w+/.exec(type)?.[0];
    if (other !== undefined) await addShape(other);
  }
}

/** A type as check-shape.ts reads it: a prefix `[]` for lists, `{}` for maps, then a name. */
function typeOf(model: string, { baseName, type, format }: Attribute): string {
  const list = /^Array<(.+)>$/.exec(type);
  if (list) return `[]${typeOf('', { baseName, type: list[1] ?? '', format })}`;
  const map = /^\{ \[key: string\]: (.+); \}$/.exec(type);
  if (map) return `{}${typeOf(model, { baseName, type: map[1] ?? '', format })}`;
  if (quantities[model]?.includes(baseName)) return 'Quantity';
  if (type === 'number') return format.startsWith('int') ? 'integer' : 'number';
  if (/^(Date|V1MicroTime)$/.test(type)) return 'time';
  if (/^(string|boolean|any|IntOrString|\w*V1\w+)$/.test(type)) return type;
  throw new Error(`${model}.${baseName} has the type ${type}, which is not known here`);
}

function generate(): string {
  const lines = [
    '// Made by tools/gen-kubernetes.ts from @kubernetes/client-node. Do not edit.',
    '',
    '/** For each type of a manifest its fields and their types. */',
    'export const shapes: Readonly<Record<string, Readonly<Record<string, string>>>> = {',
  ];
  for (const [name, fields] of [...shapes].sort(([a], [b]) => (a < b ? -1 : 1))) {
    lines.push(`  ${name}: { ${[...fields].map(([field, type]) => `${/^\w+$/.test(field) ? field : JSON.stringify(field)}: '${type}'`).join(', ')} },`);
  }
  return `${[...lines, '};', ''].join('\n')}`;
}
