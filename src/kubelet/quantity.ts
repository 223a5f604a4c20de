import { StrakeError } from '../base/index.ts';

/** Powers of ten by which a decimal suffix multiplies, from kubernetes.io, "Quantity". */
const decimal: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };
const binary: Readonly<Record<string, bigint>> = { Ki: 10n, Mi: 20n, Gi: 30n, Ti: 40n, Pi: 50n, Ei: 60n };
const nano = 1_000_000_000n;
/** Beyond it a quantity is no number of bytes or of CPUs, and the digits would cost memory. */
const maxExponent = 24;

/**
 * A quantity of Kubernetes in billionths: `1500m`, `128Mi`, `0.5`, `1e3`. What is finer is rounded up, as Kubernetes does.
 * @throws StrakeError InvalidArgument
 */
function parseNano(text: string): bigint {
  const match = /^([+-]?)(\d{1,30})?(?:\.(\d{0,30}))?(?:([KMGTPE]i)|([numkMGTPE]?)|[eE]([+-]?\d{1,3}))$/.exec(text);
  const [, sign, whole = '', fraction = '', binarySuffix, decimalSuffix = '', exponentText] = match ?? [];
  const exponent = exponentText === undefined ? (decimal[decimalSuffix] ?? 0) : Number(exponentText);
  if (match === null || whole + fraction === '' || Math.abs(exponent) > maxExponent) {
    throw new StrakeError('InvalidArgument', `${JSON.stringify(text)} is no quantity`, {
      fields: { layer: 'kubelet', remedy: 'write a number such as 500m, 1.5, 64Mi' },
    });
  }
  const digits = BigInt(whole + fraction) * (binarySuffix === undefined ? 1n : 1n << (binary[binarySuffix] ?? 0n));
  const power = exponent - fraction.length + 9;
  const value = power >= 0 ? digits * 10n ** BigInt(power) : divideUp(digits, 10n ** BigInt(-power));
  return sign === '-' ? -value : value;
}

function divideUp(value: bigint, by: bigint): bigint {
  return (value + by - 1n) / by;
}

/** In whole units, rounded up: bytes. */
export function quantityUnits(text: string): bigint {
  return divideUp(parseNano(text), nano);
}

/** In thousandths, rounded up: CPUs. */
export function quantityMilli(text: string): bigint {
  return divideUp(parseNano(text), nano / 1000n);
}

export function isQuantity(text: string): boolean {
  try {
    return parseNano(text) >= 0n;
  } catch {
    return false;
  }
}
