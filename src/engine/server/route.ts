import type { Reply } from './reply.ts';
import type { ApiRequest } from './request.ts';

export type Handler = (request: ApiRequest) => Promise<Reply> | Reply;

/**
 * One method and pattern: `{name}` stands for one path segment, `{name:path}` for one or more (image names, file paths).
 * Patterns are tried in order.
 */
export interface Route {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  readonly pattern: string;
  readonly handler: Handler;
}

export const get = (pattern: string, handler: Handler): Route => ({ method: 'GET', pattern, handler });
export const head = (pattern: string, handler: Handler): Route => ({ method: 'HEAD', pattern, handler });
export const post = (pattern: string, handler: Handler): Route => ({ method: 'POST', pattern, handler });
export const put = (pattern: string, handler: Handler): Route => ({ method: 'PUT', pattern, handler });
export const del = (pattern: string, handler: Handler): Route => ({ method: 'DELETE', pattern, handler });
