import { StrakeError } from '../../base/index.ts';

/** Engine API versions spoken here: Docker 1.12 to 28.5. */
export const minApiVersion = '1.24';
export const maxApiVersion = '1.51';

/** A version such as `1.43`, compared number by number. */
export class ApiVersion {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  atLeast(other: string): boolean {
    const ours = numbers(this.text);
    const theirs = numbers(other);
    for (let index = 0; index < Math.max(ours.length, theirs.length); index++) {
      const difference = (ours[index] ?? 0) - (theirs[index] ?? 0);
      if (difference !== 0) return difference > 0;
    }
    return true;
  }
}

const newest = new ApiVersion(maxApiVersion);

/** The version of a path without a prefix is the newest. Texts as Docker's: clients match on them to negotiate. */
export function checkApiVersion(text: string | undefined): ApiVersion {
  if (text === undefined) return newest;
  const version = new ApiVersion(text);
  if (!version.atLeast(minApiVersion))
    throw new StrakeError(
      'InvalidArgument',
      `client version ${text} is too old. Minimum supported API version is ${minApiVersion}, please upgrade your client to a newer version`,
    );
  if (!newest.atLeast(text)) throw new StrakeError('InvalidArgument', `client version ${text} is too new. Maximum supported API version is ${maxApiVersion}`);
  return version;
}

function numbers(text: string): number[] {
  return text.split('.').map(Number);
}
