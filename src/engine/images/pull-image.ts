/** `docker pull`: what the distribution layer does, told as Docker's progress lines. */
import type { ProgressMessage } from '../../api/docker/index.ts';
import { errorMessage, isCode, StrakeError, shortId } from '../../base/index.ts';
import type { LayerEvent } from '../../core/index.ts';
import { type Descriptor, familiarName, familiarRepository, type Platform, type Reference, repositoryName } from '../../oci/index.ts';
import { storeName } from './image.ts';
import { type Images, labels } from './images.ts';
import { formatProgress } from './progress.ts';

export interface RegistryCredentials {
  readonly username: string;
  readonly password: string;
  /** Instead of a password: an OAuth refresh token. */
  readonly identityToken: string;
}

/** What becomes of one layer, as it happens. */
export type LayerProgress = { readonly digest: string } & LayerEvent;

export interface PullRequest {
  readonly reference: Reference;
  readonly platform?: Platform;
  readonly credentials?: RegistryCredentials;
  readonly signal: AbortSignal;
  /** The name is known to the registry; layers follow. */
  readonly onResolved: (target: Descriptor) => void;
  readonly onLayer: (progress: LayerProgress) => void;
}

/** Fetches and unpacks an image whole, and answers what the name stands for. */
export interface ImageSource {
  pull(request: PullRequest): Promise<Descriptor>;
}

export interface PullOptions {
  readonly platform?: Platform;
  readonly credentials?: RegistryCredentials;
  readonly signal: AbortSignal;
}

/** Nothing is emitted before the registry has answered for the name: until then an error can still be an HTTP status. */
export async function* pullImage(images: Images, source: ImageSource, reference: Reference, options: PullOptions): AsyncGenerator<ProgressMessage> {
  const messages = new MessageQueue();
  const pulled = pull(images, source, reference, options, (message) => messages.push(message)).finally(() => messages.end());
  pulled.catch(() => {});
  yield* messages;
  await pulled;
}

async function pull(images: Images, source: ImageSource, reference: Reference, options: PullOptions, tell: (message: ProgressMessage) => void): Promise<void> {
  const before = await images.record(storeName(reference));
  const repository = reference.domain === 'docker.io' ? reference.path : familiarRepository(reference);
  const request = {
    ...options,
    reference,
    onResolved: () => tell({ status: `Pulling from ${repository}`, id: reference.digest ?? reference.tag ?? 'latest' }),
    onLayer: (progress: LayerProgress) => tell(layerMessage(progress)),
  };
  const target = await source.pull(request).catch((error: unknown) => {
    throw describeFailure(error, reference);
  });
  await images.assign(storeName(reference), target);
  // Beside its tag, an image keeps the digest that it was pulled under.
  await images.assign(`${repositoryName(reference)}@${target.digest}`, target);
  images.options.flush();
  images.forgetTarget(target);
  const image = await images.read(target);
  images.options.events.publish({
    type: 'image',
    action: 'pull',
    id: familiarName(reference),
    attributes: { ...labels(image), name: familiarRepository(reference) },
  });
  tell({ status: `Digest: ${target.digest}` });
  const upToDate = before?.target.digest === target.digest;
  tell({ status: `Status: ${upToDate ? 'Image is up to date for' : 'Downloaded newer image for'} ${familiarName(reference)}` });
}

function layerMessage(progress: LayerProgress): ProgressMessage {
  const id = shortId(progress.digest);
  switch (progress.state) {
    case 'waiting':
      return { status: 'Pulling fs layer', progressDetail: {}, id };
    case 'exists':
      return { status: 'Already exists', progressDetail: {}, id };
    case 'verifying':
      return { status: 'Verifying Checksum', progressDetail: {}, id };
    case 'downloaded':
      return { status: 'Download complete', progressDetail: {}, id };
    case 'complete':
      return { status: 'Pull complete', progressDetail: {}, id };
    case 'downloading':
    case 'extracting': {
      const { currentBytes: current, totalBytes: total } = progress;
      return {
        status: progress.state === 'downloading' ? 'Downloading' : 'Extracting',
        progressDetail: { current, total },
        progress: formatProgress(current, total),
        id,
      };
    }
  }
}

/** Registries answer for a hidden repository as for one that is not there; Docker says both. */
function describeFailure(error: unknown, reference: Reference): unknown {
  const name = familiarRepository(reference);
  if (isCode(error, 'Unauthenticated') || isCode(error, 'PermissionDenied'))
    return new StrakeError(
      'NotFound',
      `pull access denied for ${name}, repository does not exist or may require 'docker login': denied: ${errorMessage(error)}`,
      { cause: error },
    );
  if (isCode(error, 'NotFound'))
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
