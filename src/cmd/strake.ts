#!/usr/bin/env bun
/**
 * The one executable's faces, by the name it was called by, or its first argument. Each is imported only when it is asked for: that keeps the start of a command at a few
 * milliseconds.
 */
import { basename } from 'node:path';

const args = process.argv.slice(2);
/** They keep data. */
const services: readonly (string | undefined)[] = ['daemon', 'containerd', 'registry', 'cri', 'crio'];

if (services.includes(args[0])) await (await import('./disk-threads.ts')).makeDiskThreads();

/** Other than the docker-compatible commands, by the subcommand. */
const faces: Readonly<Record<string, () => Promise<{ main(argv: readonly string[]): Promise<number> }>>> = {
  'containerd-shim': async () => await import('./containerd-shim.ts'),
  daemon: async () => await import('./daemon.ts'),
  containerd: async () => await import('./containerd.ts'),
  cri: async () => await import('./cri.ts'),
  'cri-containerd': async () => await import('./cri-containerd.ts'),
  crio: async () => await import('./crio.ts'),
  dockershim: async () => await import('./dockershim.ts'),
  kubelet: async () => await import('./kubelet.ts'),
  kube: async () => await import('./kube.ts'),
};

// Who is done ends, though connections are open still: a daemon's to the monitors of what runs on, a command's to a container's end after a detach. Their output is written by then.
const [name = ''] = args;
const face = Object.hasOwn(faces, name) ? faces[name] : undefined;
if (basename(process.argv0) === 'containerd-shim-strake-v2') process.exit(await (await import('./containerd-shim.ts')).main(args));
else if (face !== undefined) process.exit(await (await face()).main(args.slice(1)));
else if (name === 'registry') process.exitCode = await (await import('./registry.ts')).main(args.slice(1));
else process.exit(await (await import('../cli/main.ts')).main(args));
