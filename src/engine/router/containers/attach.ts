import { type ApiRequest, hijack, hijacked, multiplexedStream, type Reply, rawStream } from '../../server/index.ts';
import type { ContainersBackend } from './backend.ts';

/** Checked before the connection is taken over, so that what is wrong is an HTTP error. */
export async function attach(containers: ContainersBackend, name: string, request: ApiRequest): Promise<Reply> {
  const { query } = request;
  const session = containers.attach(name, {
    logs: query.bool('logs'),
    stream: query.bool('stream'),
    stdin: query.bool('stdin'),
    stdout: query.bool('stdout'),
    stderr: query.bool('stderr'),
  });
  const client = await hijack(request, { contentType: session.terminal ? rawStream : multiplexedStream });
  await session.run(client);
  return hijacked;
}
