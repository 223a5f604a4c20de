import { type ErrorCode, StrakeError } from '../../base/index.ts';
import { readLimited } from '../http/read-limited.ts';
import type { HttpResponse } from '../http/request.ts';
import { registryLimits } from '../limits.ts';

const codes: Readonly<Record<number, ErrorCode>> = {
  400: 'InvalidArgument',
  401: 'Unauthenticated',
  403: 'PermissionDenied',
  404: 'NotFound',
  408: 'Unavailable',
  416: 'OutOfRange',
  429: 'ResourceExhausted',
};

/** The error of a reply, with the first of the messages that distribution-spec's error body carries. */
export async function registryError(response: HttpResponse, url: URL): Promise<StrakeError> {
  const code = codes[response.status] ?? (response.status >= 500 ? 'Unavailable' : 'Internal');
  const detail = await readDetail(response);
  const message =
    detail === undefined
      ? `${url.host} answered ${response.status} for ${url.pathname}`
      : `${detail} (${url.host} answered ${response.status} for ${url.pathname})`;
  return new StrakeError(code, message, {
    fields: {
      layer: 'distribution',
      status: response.status,
      url: url.href,
      ...(detail === undefined ? {} : { detail }),
      ...retryAfter(response),
    },
  });
}

/** RFC 9110 10.2.3, in seconds; a date is not worth a clock. */
function retryAfter({ headers }: HttpResponse): { readonly retryAfterMs?: number } {
  const text = headers['retry-after'] ?? '';
  return /^\d{1,9}$/.test(text) ? { retryAfterMs: Math.min(Number(text) * 1000, registryLimits.retryAfterMs) } : {};
}

async function readDetail(response: HttpResponse): Promise<string | undefined> {
  try {
    const body = JSON.parse((await readLimited(response, registryLimits.errorBytes, 'error')).toString()) as {
      readonly errors?: readonly { readonly message?: unknown }[];
    };
    const message = body.errors?.[0]?.message;
    // It is shown on a terminal.
    return typeof message === 'string' ? message.replace(/[\p{Cc}]/gu, ' ').slice(0, 500) : undefined;
  } catch {
    // No body in the form that the specification has: the status says enough.
    return undefined;
  }
}
