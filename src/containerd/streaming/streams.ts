/** Streams that one call opens and another uses, by namespace and name: archives, progress, credentials of a transfer. */
import type { Any } from '@bufbuild/protobuf/wkt';
import { StrakeError } from '../../base/index.ts';

/** One end of a stream: messages both ways. */
export interface MessageStream {
  readonly name: string;
  /** Resolves once the other end has taken it. Canceled when the other end is gone. */
  send(message: Any): Promise<void>;
  /** Undefined at the end: the other end has nothing more to say, or is gone. */
  receive(): Promise<Any | undefined>;
  /** Ends the stream for both, and frees its name. */
  close(): void;
}

/** Streams that wait to be used, of one namespace; clients have a handful. */
const maxStreams = 1024;

export class Streams {
  readonly #byNamespace = new Map<string, Map<string, MessageStream>>();

  /** AlreadyExists when the name is taken, ResourceExhausted when there are too many. */
  add(namespace: string, stream: MessageStream): void {
    const known = this.#byNamespace.get(namespace) ?? new Map<string, MessageStream>();
    if (known.has(stream.name))
      throw new StrakeError('AlreadyExists', `stream ${JSON.stringify(stream.name)}: already exists`, { fields: { layer: 'containerd' } });
    if (known.size >= maxStreams)
      throw new StrakeError('ResourceExhausted', `namespace ${JSON.stringify(namespace)} has ${maxStreams} streams already`, {
        fields: { layer: 'containerd' },
      });
    known.set(stream.name, stream);
    this.#byNamespace.set(namespace, known);
  }

  /** NotFound when nobody opened it. */
  get(namespace: string, name: string): MessageStream {
    const stream = this.#byNamespace.get(namespace)?.get(name);
    if (stream === undefined) throw new StrakeError('NotFound', `stream ${JSON.stringify(name)}: not found`, { fields: { layer: 'containerd' } });
    return stream;
  }

  delete(namespace: string, stream: MessageStream): void {
    const known = this.#byNamespace.get(namespace);
    if (known?.get(stream.name) !== stream) return;
    known.delete(stream.name);
    if (known.size === 0) this.#byNamespace.delete(namespace);
  }
}
