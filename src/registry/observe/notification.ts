import { randomUUID } from 'node:crypto';
import type { RegistryRequest } from '../http/message.ts';
import type { ContentEvent } from './events.ts';

/** The media type of what a webhook gets (distribution's "Work with notifications"). */
export const notificationType = 'application/vnd.docker.distribution.events.v1+json';

/** One event as distribution's registry tells it, so that what listens to it listens to us. */
export interface Notification {
  readonly id: string;
  readonly timestamp: string;
  readonly action: string;
  readonly target: Readonly<Record<string, unknown>>;
  readonly request: Readonly<Record<string, unknown>>;
  readonly actor: { readonly name?: string };
  readonly source: { readonly addr: string; readonly instanceID: string };
}

const instanceID = randomUUID();

export function toNotification(event: ContentEvent, request: RegistryRequest, user: string, at: Date): Notification {
  const { repository, digest, tag, mediaType = 'application/octet-stream', sizeBytes, fromRepository } = event;
  const kind = event.mediaType === undefined ? 'blobs' : 'manifests';
  const size = sizeBytes === undefined ? {} : { size: sizeBytes, length: sizeBytes };
  return {
    id: randomUUID(),
    timestamp: at.toISOString(),
    action: event.action,
    target: {
      mediaType,
      ...size,
      ...(digest === undefined ? {} : { digest, url: `${request.origin}/v2/${repository}/${kind}/${digest}` }),
      repository,
      ...(fromRepository === undefined ? {} : { fromRepository }),
      ...(tag === undefined ? {} : { tag }),
    },
    request: {
      id: randomUUID(),
      addr: request.clientAddress,
      host: request.headers.host ?? '',
      method: request.method,
      useragent: request.headers['user-agent'] ?? '',
    },
    actor: user === '' ? {} : { name: user },
    source: { addr: request.origin.replace(/^https?:\/\//, ''), instanceID },
  };
}
