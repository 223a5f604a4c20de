import type {
  DescMethod,
  DescMethodBiDiStreaming,
  DescMethodClientStreaming,
  DescMethodServerStreaming,
  DescMethodUnary,
  DescService,
  MessageInitShape,
  MessageShape,
} from '@bufbuild/protobuf';

/** What a handler knows of its call, over gRPC and ttrpc alike. */
export interface CallContext {
  /** Aborted at the deadline, and when the caller's connection ends. */
  readonly signal: AbortSignal;
  /** The call's metadata. */
  readonly requestHeader: Headers;
  /** What is left until the deadline; undefined: there is none. */
  readonly timeoutMs: () => number | undefined;
}

type Handler<Method extends DescMethod> =
  Method extends DescMethodUnary<infer I, infer O>
    ? (request: MessageShape<I>, context: CallContext) => Promise<MessageInitShape<O>> | MessageInitShape<O>
    : Method extends DescMethodServerStreaming<infer I, infer O>
      ? (request: MessageShape<I>, context: CallContext) => AsyncIterable<MessageInitShape<O>>
      : Method extends DescMethodClientStreaming<infer I, infer O>
        ? (requests: AsyncIterable<MessageShape<I>>, context: CallContext) => Promise<MessageInitShape<O>>
        : Method extends DescMethodBiDiStreaming<infer I, infer O>
          ? (requests: AsyncIterable<MessageShape<I>>, context: CallContext) => AsyncIterable<MessageInitShape<O>>
          : never;

/** One handler a method, by its name in TypeScript. What a handler throws becomes the call's status. */
export type ServiceImplementation<Service extends DescService> = { readonly [Name in keyof Service['method']]: Handler<Service['method'][Name]> };

/** A service and who answers for it. */
export interface ServedService {
  readonly description: DescService;
  readonly implementation: object;
}

export function servedService<Service extends DescService>(description: Service, implementation: ServiceImplementation<Service>): ServedService {
  return { description, implementation };
}

export interface CallOptions {
  /** Aborting gives the call up. A server of ttrpc is not told: it has no word for it. */
  readonly signal?: AbortSignal | undefined;
  /** The server is told; DeadlineExceeded when it did not answer within. */
  readonly timeoutMs?: number | undefined;
  readonly headers?: Headers | Readonly<Record<string, string>> | undefined;
}

type Call<Method extends DescMethod> =
  Method extends DescMethodUnary<infer I, infer O>
    ? (request: MessageInitShape<I>, options?: CallOptions) => Promise<MessageShape<O>>
    : Method extends DescMethodServerStreaming<infer I, infer O>
      ? (request: MessageInitShape<I>, options?: CallOptions) => AsyncIterable<MessageShape<O>>
      : Method extends DescMethodClientStreaming<infer I, infer O>
        ? (requests: AsyncIterable<MessageInitShape<I>>, options?: CallOptions) => Promise<MessageShape<O>>
        : Method extends DescMethodBiDiStreaming<infer I, infer O>
          ? (requests: AsyncIterable<MessageInitShape<I>>, options?: CallOptions) => AsyncIterable<MessageShape<O>>
          : never;

/** One function a method. What it throws is a StrakeError. */
export type ServiceClient<Service extends DescService> = { readonly [Name in keyof Service['method']]: Call<Service['method'][Name]> };
