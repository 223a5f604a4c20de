/** A resource and what is wanted of it, in distribution's token specification ("Token Scope Documentation"): `repository:a/b:pull,push`. */
export interface Scope {
  readonly type: string;
  readonly name: string;
  readonly actions: readonly string[];
}

/** Of one request for a token: those of an image with its mounts, with room. */
const maxScopes = 64;

/** Scopes of the parameters, each of which may hold several with spaces between. What is unreadable is left out. */
export function parseScopes(parameters: readonly string[]): Scope[] {
  return parameters
    .flatMap((text) => text.slice(0, 16 << 10).split(' '))
    .slice(0, maxScopes)
    .flatMap((text) => {
      const match = /^([a-z]+)(?:\([a-z]*\))?:([^:\s]+):([a-z*]+(?:,[a-z*]+)*)$/.exec(text);
      return match === null ? [] : [{ type: match[1] ?? '', name: match[2] ?? '', actions: (match[3] ?? '').split(',') }];
    });
}

export function formatScope({ type, name, actions }: Scope): string {
  return `${type}:${name}:${actions.join(',')}`;
}
