import { shapes } from './shapes.gen.ts';

export interface CheckedShape {
  /** The value without what is null (Kubernetes: not set), and with every quantity as a text. */
  readonly value: unknown;
  /** What no object of this kind can be read from. */
  readonly errors: readonly string[];
  /** Fields that Kubernetes does not know, and leaves out. */
  readonly unknown: readonly string[];
}

/** Deeper than any manifest goes; a schema of Kubernetes may name itself. */
const maxDepth = 64;

/** Reads a value as a type of shapes.gen.ts. */
export function checkShape(value: unknown, type: string): CheckedShape {
  const errors: string[] = [];
  const unknown: string[] = [];
  const read = (part: unknown, partType: string, path: string, depth: number): unknown => {
    if (depth > maxDepth) {
      errors.push(`${path}: is nested too deeply`);
      return undefined;
    }
    if (partType.startsWith('[]')) {
      if (!Array.isArray(part)) return refuse(path, 'a list', part);
      return part.filter((item) => item !== null).map((item, index) => read(item, partType.slice(2), `${path}[${index}]`, depth + 1));
    }
    const shape = shapes[partType];
    if (!partType.startsWith('{}') && shape === undefined) return readScalar(part, partType, path);
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return refuse(path, 'a mapping', part);
    const entries: (readonly [string, unknown])[] = [];
    for (const [key, item] of Object.entries(part)) {
      const itemPath = path === '' ? key : `${path}.${key}`;
      const itemType = shape === undefined ? partType.slice(2) : Object.hasOwn(shape, key) ? shape[key] : undefined;
      if (itemType === undefined) unknown.push(itemPath);
      else if (item !== null) entries.push([key, read(item, itemType, itemPath, depth + 1)]);
    }
    return Object.fromEntries(entries);
  };
  const refuse = (path: string, wanted: string, found: unknown): undefined => {
    errors.push(`${path || 'the document'}: must be ${wanted}, not ${describe(found)}`);
    return undefined;
  };
  const readScalar = (part: unknown, partType: string, path: string): unknown => {
    const wanted = scalars[partType];
    if (wanted === undefined || wanted.matches(part)) return partType === 'Quantity' ? String(part) : part;
    return refuse(path, wanted.name, part);
  };
  return { value: read(value, type, '', 0), errors, unknown };
}

interface Scalar {
  readonly name: string;
  matches(value: unknown): boolean;
}

const isText = (value: unknown): boolean => typeof value === 'string';
const isNumber = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(value);

/** `any` is not here: it is taken as it is. */
const scalars: Readonly<Record<string, Scalar>> = {
  string: { name: 'a text', matches: isText },
  time: { name: 'a time', matches: isText },
  boolean: { name: 'true or false', matches: (value) => typeof value === 'boolean' },
  integer: { name: 'a whole number', matches: Number.isSafeInteger },
  number: { name: 'a number', matches: isNumber },
  Quantity: { name: 'a quantity', matches: (value) => isText(value) || isNumber(value) },
  IntOrString: { name: 'a whole number or a text', matches: (value) => isText(value) || Number.isSafeInteger(value) },
};

function describe(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return value === null ? 'nothing' : 'a mapping';
  return JSON.stringify(value) ?? String(value);
}
