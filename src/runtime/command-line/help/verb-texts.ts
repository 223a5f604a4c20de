/** What a verb does: one line, as the list of commands shows it, and what else the help of the verb says. */
export interface VerbText {
  readonly summary: string;
  readonly description?: string;
}

export const verbTexts: Readonly<Record<string, VerbText>> = {
  checkpoint: {
    summary: 'save the processes of a running container with criu, to restore them later',
    description: 'The container is removed once it is saved, unless --leave-running or --pre-dump is given.',
  },
  create: {
    summary: 'make a container, up to the point where its process waits for start',
    description: `The container is made from a bundle: a directory with a configuration, config.json, and a root filesystem. Its namespaces, mounts and
cgroups are there when the command returns; the process that the configuration names in "args" runs from "start" on.

<container-id> is a name of your choice, unique below --root.`,
  },
  delete: {
    summary: 'remove what a stopped container holds: its cgroups and its state',
    description: `A container that was created but never started is ended and removed; a running one is refused without --force.

    # strake-runc delete web1
    # strake-runc delete --force --regex '^test-'`,
  },
  events: {
    summary: 'print the statistics of a container, and what happens to it',
    description: 'A line of JSON an event: statistics at each interval, and "oom" when the kernel ended a process for lack of memory.',
  },
  exec: {
    summary: 'run one more process in a running container',
    description: `The process gets what the container's configuration says of its own, changed by the flags; or all of it from a file, with --process. The
exit status is that of the process; 255 when it could not be started.

    # strake-runc exec web1 ps
    # strake-runc exec --process process.json web1`,
  },
  explain: {
    summary: 'print the program that create would run for a bundle, and run nothing',
    description: `One line an operation, in order and in sections, with the side that does it, "host" or "init", and what it does; with --calls the system calls of
each instead.`,
  },
  features: {
    summary: 'print as JSON what this runtime can do',
    description: 'The object is described in the runtime specification, features.md.',
  },
  kill: {
    summary: 'send a signal (default: SIGTERM) to the init process of a container',
    description: `<signal> is a name, with or without SIG, or a number. SIGKILL ends every process of the container.

    # strake-runc kill web1 KILL`,
  },
  list: {
    summary: 'list the containers below --root',
    description: `    # strake-runc list
    # strake-runc --root /run/other list --format json`,
  },
  mounts: {
    summary: 'mount into a running container, or take mounts away',
    description: `The file (-: standard input) holds an array of mounts as config.json has them; to remove them their destinations are enough. Sources are
those of the host, relative ones of the working directory.
    # echo '[{"destination":"/data","type":"bind","source":"/srv/data","options":["rbind","ro"]}]' | strake-runc mounts add ID -`,
  },
  pause: {
    summary: 'stop every process of a container, until resume',
    description: 'The processes are frozen by their cgroup; what they hold stays.',
  },
  ps: {
    summary: 'list the processes of a container',
    description: 'What follows the id goes to the ps program of the host (default: -ef), of whose lines those of the container are printed.',
  },
  restore: {
    summary: 'make a container from what checkpoint has saved',
    description: 'The bundle is the one of the checkpoint; the processes go on where they were.',
  },
  resume: {
    summary: 'let the processes of a paused container go on',
  },
  run: {
    summary: 'make a container, start it, and wait for its process',
    description: `As create and start together. In the foreground signals are passed on, the exit status is that of the process, and the container is
removed after it; with --detach the command returns when the process runs.`,
  },
  spec: {
    summary: 'write a config.json to start from',
    description: `It describes a shell on a terminal, in namespaces of its own, on a read-only root filesystem in "rootfs". Change "args" and the rest to your
needs:

    # mkdir -p bundle/rootfs && cd bundle
    # tar -C rootfs -xf image.tar
    # strake-runc spec
    # strake-runc run web1`,
  },
  start: {
    summary: 'let the process of a created container run',
  },
  state: {
    summary: 'print the state of a container as JSON',
    description: 'The object is described in the runtime specification, runtime.md ("State").',
  },
  update: {
    summary: 'change the resource limits of a container',
    description: `Limits that are not named stay as they are. With --resources they are read from a file, or from standard input with "-": the "resources"
object of the runtime specification, config-linux.md; all other flags are ignored then.`,
  },
};
