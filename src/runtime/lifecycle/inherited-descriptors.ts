import { readlinkSync } from 'node:fs';
import { StrakeError } from '../../base/index.ts';
import type { RuntimeSpec } from '../../oci/index.ts';

const firstDescriptor = 3;
/** What the JavaScript engine opens first, at the lowest free number: nobody has opened that number for the process. */
const enginesOwn = 'anon_inode:[eventpoll]';

/** Sockets that the service manager gives for the process, if they are meant for `pid` (sd_listen_fds(3)). */
export function activatedSockets(environment: Readonly<Record<string, string | undefined>>, pid: number): number {
  const count = Number(environment['LISTEN_FDS']);
  return Number(environment['LISTEN_PID']) === pid && Number.isInteger(count) && count > 0 ? count : 0;
}

/** The process learns of its sockets as the service manager would tell it: it is process 1 of its container (runc). */
export function withActivation(spec: RuntimeSpec, activated: number): RuntimeSpec {
  if (activated === 0 || spec.process === undefined) return spec;
  return { ...spec, process: { ...spec.process, env: [...(spec.process.env ?? []), `LISTEN_FDS=${activated}`, 'LISTEN_PID=1'] } };
}

/**
 * How many descriptors from 3 on the process gets: those of the service manager, then `preserved` of the caller's. InvalidArgument, in runc's
 * words, when one of the latter is not open.
 */
export function inheritedDescriptors(activated: number, preserved: number): number {
  for (let index = 0; index < preserved; index += 1)
    if (!isOpen(firstDescriptor + activated + index))
      throw new StrakeError('InvalidArgument', `unable to stat preserved-fd ${index} (of ${preserved}): no such file or directory`, {
        fields: { layer: 'runtime' },
      });
  return activated + preserved;
}

function isOpen(descriptor: number): boolean {
  // Our connection to the front took a free number too.
  if (String(descriptor) === process.env['STRAKE_CONTROL']) return false;
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`) !== enginesOwn;
  } catch {
    return false;
  }
}
