import { StrakeError } from '../../base/index.ts';
import { type ApiVersion, checkApiVersion } from './api-version.ts';
import type { Handler, Route } from './route.ts';

export interface RouteMatch {
  readonly handler: Handler;
  readonly params: Readonly<Record<string, string>>;
  readonly path: string;
  readonly apiVersion: ApiVersion;
}

export type Router = (method: string, path: string) => RouteMatch;

interface CompiledRoute {
  readonly method: string;
  readonly expression: RegExp;
  readonly handler: Handler;
}

const versionPrefix = /^\/v([0-9]+(?:\.[0-9]+)*)(?=\/)/;

/** Finds the route of a method and a raw (encoded) path. NotFound as Docker says it, or InvalidArgument for a version not spoken. */
export function createRouter(routes: readonly Route[]): Router {
  const compiled = routes.map(compileRoute);
  return (method, rawPath) => {
    const version = versionPrefix.exec(rawPath);
    const path = decodePath(version === null ? rawPath : rawPath.slice(version[0].length));
    for (const route of compiled) {
      const match = route.method === method ? route.expression.exec(path) : null;
      if (match !== null) return { handler: route.handler, params: match.groups ?? {}, path, apiVersion: checkApiVersion(version?.[1]) };
    }
    throw new StrakeError('NotFound', 'page not found');
  };
}

/** The version prefix of a raw path. */
export function requestedVersion(rawPath: string): string | undefined {
  return versionPrefix.exec(rawPath)?.[1];
}

function compileRoute(route: Route): CompiledRoute {
  const source = route.pattern
    .split(/(\{[^}]+\})/)
    .map((part) => {
      const named = /^\{(\w+)(:path)?\}$/.exec(part);
      if (named === null) return part.replace(/[.*+?^$()|[\]\\]/g, '\\$&');
      return `(?<${named[1]}>${named[2] === undefined ? '[^/]+' : '.+'})`;
    })
    .join('');
  return { method: route.method, expression: new RegExp(`^${source}$`, 's'), handler: route.handler };
}

/** Decoded before matching, as Docker does: `docker.io%2Flibrary%2Fbusybox` is the same image as with slashes. */
function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch (cause) {
    throw new StrakeError('InvalidArgument', `invalid path ${JSON.stringify(path)}`, { cause });
  }
}
