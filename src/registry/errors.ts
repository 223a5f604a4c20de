import { type ErrorCode, type ErrorFields, StrakeError } from '../base/index.ts';

/** The error codes of distribution-spec 1.1 ("Error Codes"), and those that distribution adds; each with our class and its HTTP status. */
const codes = {
  BLOB_UNKNOWN: ['NotFound', 404],
  BLOB_UPLOAD_INVALID: ['InvalidArgument', 400],
  BLOB_UPLOAD_UNKNOWN: ['NotFound', 404],
  DIGEST_INVALID: ['InvalidArgument', 400],
  MANIFEST_BLOB_UNKNOWN: ['FailedPrecondition', 400],
  MANIFEST_INVALID: ['InvalidArgument', 400],
  MANIFEST_TOO_LARGE: ['OutOfRange', 413],
  MANIFEST_UNKNOWN: ['NotFound', 404],
  NAME_INVALID: ['InvalidArgument', 400],
  NAME_UNKNOWN: ['NotFound', 404],
  PAGINATION_NUMBER_INVALID: ['InvalidArgument', 400],
  RANGE_INVALID: ['OutOfRange', 416],
  SIZE_INVALID: ['InvalidArgument', 400],
  TAG_INVALID: ['InvalidArgument', 400],
  UNAUTHORIZED: ['Unauthenticated', 401],
  DENIED: ['PermissionDenied', 403],
  UNSUPPORTED: ['Unimplemented', 405],
  TOOMANYREQUESTS: ['ResourceExhausted', 429],
} as const satisfies Readonly<Record<string, readonly [ErrorCode, number]>>;

export type RegistryErrorCode = keyof typeof codes;

export interface RegistryErrorOptions extends ErrorFields {
  /** What the client can use to find its mistake. */
  readonly detail?: unknown;
  /** Headers of the answer. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** An error that the wire has a code for. */
export function registryError(
  code: RegistryErrorCode,
  message: string,
  { cause, ...fields }: RegistryErrorOptions & { readonly cause?: unknown } = {},
): StrakeError {
  return new StrakeError(codes[code][0], message, { cause, fields: { layer: 'registry', registryCode: code, ...fields } });
}

export interface WireError {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly detail: unknown;
  readonly headers: Readonly<Record<string, string>>;
}

/** Classes of errors that arose below the registry. What has none of these is not the client's business. */
const byClass: Readonly<Partial<Record<ErrorCode, readonly [code: string, status: number]>>> = {
  InvalidArgument: ['UNSUPPORTED', 400],
  Unavailable: ['UNAVAILABLE', 503],
  ResourceExhausted: ['INSUFFICIENT_STORAGE', 507],
  DeadlineExceeded: ['TIMEOUT', 504],
};

/** The one mapper from errors to this wire. */
export function wireError(error: unknown): WireError {
  if (error instanceof StrakeError) {
    const { registryCode, detail, headers } = error.fields as RegistryErrorOptions & { readonly registryCode?: RegistryErrorCode };
    const own = registryCode === undefined ? byClass[error.code] : ([registryCode, codes[registryCode][1]] as const);
    if (own !== undefined) return { code: own[0], status: own[1], message: error.message, detail, headers: headers ?? {} };
  }
  return { code: 'UNKNOWN', status: 500, message: 'unknown error', detail: undefined, headers: {} };
}
