/** `docker pull`: the distribution layer's progress as Docker's lines, and the names that Docker gives. */
import type { ProgressMessage } from '../../api/docker/index.ts';
import { errorMessage, isCode, StrakeError } from '../../base/index.ts';
import type { Credentials, PullImage, PullProgress } from '../../distribution/index.ts';
import { familiarName, familiarRepository, type Platform, type Reference, repositoryName } from '../../oci/index.ts';
import { storeName } from './image.ts';
import { type Images, labels } from './images.ts';
import { formatProgress } from './progress.ts';

export interface PullOptions {
  readonly platform?: Platform;
  readonly credentials?: Credentials;
  readonly signal: AbortSignal;
}

/** Nothing is emitted before the registry has answered for the name: until then an error can still be an HTTP status. */
export async function* pullImage(images: Images, pull: PullImage, reference: Reference, options: PullOptions): AsyncGenerator<ProgressMessage> {
  const messages = new MessageQueue();
  const pulled = pullAndName(images, pull, reference, options, (progress) => messages.push(toMessage(reference, progress))).finally(() => messages.end());
  pulled.catch(() => {});
  yield* messages;
  await pulled;
}

async function pullAndName(
  images: Images,
  pull: PullImage,
  reference: Reference,
  options: PullOptions,
  progress: (progress: PullProgress) => void,
): Promise<void> {
  const { record } = await pull({ ...options, reference: storeName(reference), progress }).catch((error: unknown) => {
    throw describeFailure(error, reference);
  });
  // Beside its tag, an image keeps the digest that it was pulled under.
  await images.assign(`${repositoryName(reference)}@${record.target.digest}`, record.target);
  images.options.flush();
  images.forgetTarget(record.target);
  const image = await images.read(record.target);
  images.options.events.publish({
    type: 'image',
    action: 'pull',
    id: familiarName(reference),
    attributes: { ...labels(image), name: familiarRepository(reference) },
  });
}

function toMessage(reference: Reference, { id, status, progressDetail }: PullProgress): ProgressMessage {
  const named = id === undefined ? {} : { id };
  if (status.startsWith('Pulling from '))
    return { status: `Pulling from ${reference.domain === 'docker.io' ? reference.path : familiarRepository(reference)}`, ...named };
  if (progressDetail === undefined) return { status, ...named };
  const { current, total } = progressDetail;
  return current === 0 && total === 0
    ? { status, progressDetail: {}, ...named }
    : { status, progressDetail, progress: formatProgress(current, total), ...named };
}

/** Registries answer for a hidden repository as for one that is not there; Docker says both. */
function describeFailure(error: unknown, reference: Reference): unknown {
  const name = familiarRepository(reference);
  if (isCode(error, 'Unauthenticated') || isCode(error, 'PermissionDenied'))
    return new StrakeError(
      'NotFound',
      `pull access denied for ${name}, repository does not exist or may require 'docker login': denied: ${errorMessage(error)}`,
      {
        cause: error,
      },
    );
  if (isCode(error, 'NotFound') && !errorMessage(error).startsWith('no matching manifest'))
    return new StrakeError('NotFound', `manifest for ${familiarName(reference)} not found: manifest unknown: ${errorMessage(error)}`, { cause: error });
  return error;
}

/** Messages from callbacks to a generator. Progress that nobody has read yet is replaced by the layer's newer one, so the queue stays small. */
class MessageQueue implements AsyncIterable<ProgressMessage> {
  private readonly messages: ProgressMessage[] = [];
  private ended = false;
  private wake: (() => void) | undefined;

  push(message: ProgressMessage): void {
    const last = this.messages.findLastIndex(({ id }) => id === message.id);
    if (last >= 0 && message.progress !== undefined && this.messages[last]?.status === message.status) this.messages[last] = message;
    else this.messages.push(message);
    this.wake?.();
  }

  end(): void {
    this.ended = true;
    this.wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ProgressMessage> {
    for (;;) {
      const message = this.messages.shift();
      if (message !== undefined) {
        yield message;
        continue;
      }
      if (this.ended) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.wake = resolve;
      await promise;
    }
  }
}
