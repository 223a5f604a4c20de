#!/usr/bin/env bun
/**
 * The one executable's faces, by the name that it was called as and its first argument. Each is imported only when it is asked for: that
 * keeps the start of a command at a few milliseconds.
 */
const args = process.argv.slice(2);
// A compiled executable's argv names a file inside it; argv0 is what was called.
const calledAs = process.argv0.slice(process.argv0.lastIndexOf('/') + 1);

if (calledAs === 'strake-runc') process.exit(await (await import('./strake-runc.ts')).main(args));
else if (args[0] === 'daemon') process.exitCode = await (await import('./daemon.ts')).main(args.slice(1));
else if (args[0] === 'registry') process.exitCode = await (await import('./registry.ts')).main(args.slice(1));
// A command that is done ends, though a connection is open still: that of a container's end, after a detach. Its output is written by then.
else process.exit(await (await import('../cli/main.ts')).main(args));
