/** `docker pull`: the distribution layer's progress as Docker's lines, and the names that Docker gives. */
import type { ProgressMessage } from '../../api/docker/index.ts';
import { type ErrorCode, errorCode, errorMessage } from '../../base/index.ts';
import type { Credentials, PullImage, PullProgress } from '../../distribution/index.ts';
import { familiarName, familiarRepository, type Platform, type Reference, repositoryName, storeName } from '../../oci/index.ts';
import { type Images, labels } from './images.ts';
import { MessageQueue } from './message-queue.ts';
import { progressMessage } from './progress.ts';
import { describePullFailure } from './pull-failure.ts';

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
  const { record } = await pull({ ...options, reference: storeName(reference), progress }).catch(async (error: unknown) => {
    if (!options.signal.aborted && !canGoOn.has(errorCode(error))) await removePartial(images, errorCode(error) === 'ResourceExhausted');
    throw describePullFailure(error, reference);
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

/** Another try goes on where these ended; what else fails is refused content, of which nothing stays. */
const canGoOn: ReadonlySet<ErrorCode> = new Set(['Unavailable', 'DeadlineExceeded', 'Canceled']);

/** Where there is no room, what other pulls have left goes too. */
async function removePartial({ options }: Images, interruptedWork: boolean): Promise<void> {
  try {
    await options.collectGarbage({ interruptedWork });
  } catch (error) {
    // The failure of the pull is the one to tell.
    options.log.warn('what a failed pull left was not removed', { error: errorMessage(error) });
  }
}

function toMessage(reference: Reference, progress: PullProgress): ProgressMessage {
  const { id, status } = progress;
  return status.startsWith('Pulling from ') ? { status: `Pulling from ${reference.path}`, ...(id === undefined ? {} : { id }) } : progressMessage(progress);
}
