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

// Who is done ends, though connections are open still: a daemon's to the monitors of what runs on, a command's to a container's end after a detach. Their output is written by then.
if (basename(process.argv0) === 'containerd-shim-strake-v2') process.exit(await (await import('./containerd-shim.ts')).main(args));
else if (args[0] === 'containerd-shim') process.exit(await (await import('./containerd-shim.ts')).main(args.slice(1)));
else if (args[0] === 'daemon') process.exit(await (await import('./daemon.ts')).main(args.slice(1)));
else if (args[0] === 'containerd') process.exit(await (await import('./containerd.ts')).main(args.slice(1)));
else if (args[0] === 'kubelet') process.exit(await (await import('./kubelet.ts')).main(args.slice(1)));
else if (args[0] === 'dockershim') process.exit(await (await import('./dockershim.ts')).main(args.slice(1)));
else if (args[0] === 'cri') process.exit(await (await import('./cri.ts')).main(args.slice(1)));
else if (args[0] === 'kube') process.exit(await (await import('./kube.ts')).main(args.slice(1)));
else if (args[0] === 'cri-containerd') process.exit(await (await import('./cri-containerd.ts')).main(args.slice(1)));
else if (args[0] === 'crio') process.exit(await (await import('./crio.ts')).main(args.slice(1)));
else if (args[0] === 'registry') process.exitCode = await (await import('./registry.ts')).main(args.slice(1));
else process.exit(await (await import('../cli/main.ts')).main(args));
