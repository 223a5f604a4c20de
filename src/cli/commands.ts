import type { Command } from './command.ts';
import { commandGroup } from './command-groups.ts';

/** A verb and where it lives. Loaded when used, so that no command pays for another's code. */
export interface CommandEntry {
  readonly name: string;
  readonly usage: string;
  readonly summary: string;
  readonly needsEngine: boolean;
  load(): Promise<Command>;
}

const runUsage = '[OPTIONS] IMAGE [COMMAND] [ARG...]';
const containersUsage = '[OPTIONS] CONTAINER [CONTAINER...]';

function entry(name: string, usage: string, summary: string, load: () => Promise<Command>, needsEngine = true): CommandEntry {
  return { name, usage, summary, needsEngine, load };
}

const entries: readonly CommandEntry[] = [
  entry('run', runUsage, 'Create and run a new container from an image', async () => (await import('./commands/run.ts')).run),
  entry('create', runUsage, 'Create a new container', async () => (await import('./commands/create.ts')).create),
  entry('start', containersUsage, 'Start one or more stopped containers', async () => (await import('./commands/start.ts')).start),
  entry('exec', '[OPTIONS] CONTAINER COMMAND [ARG...]', 'Execute a command in a running container', async () => (await import('./commands/exec.ts')).exec),
  entry(
    'attach',
    '[OPTIONS] CONTAINER',
    "Attach the terminal's input and output to a running container",
    async () => (await import('./commands/attach.ts')).attach,
  ),
  entry(
    'chain',
    '[OPTIONS] CONTAINER|POD',
    'Show what stands at each seam of a container or pod, and the sockets between',
    async () => (await import('./commands/chain.ts')).chain,
    false,
  ),
  entry('logs', '[OPTIONS] CONTAINER', 'Fetch the logs of a container', async () => (await import('./commands/logs.ts')).logs),
  entry('ps', '[OPTIONS]', 'List containers', async () => (await import('./commands/ps.ts')).ps),
  entry('stop', containersUsage, 'Stop one or more running containers', async () => (await import('./commands/stop.ts')).stop),
  entry('kill', containersUsage, 'Kill one or more running containers', async () => (await import('./commands/kill.ts')).kill),
  entry('restart', containersUsage, 'Restart one or more containers', async () => (await import('./commands/stop.ts')).restart),
  entry(
    'cp',
    '[OPTIONS] CONTAINER:SRC_PATH DEST_PATH|- or SRC_PATH|- CONTAINER:DEST_PATH',
    'Copy files between a container and the local file system',
    async () => (await import('./commands/cp.ts')).cp,
  ),
  entry('diff', 'CONTAINER', "Show what a container changed in its image's files", async () => (await import('./commands/diff.ts')).diff),
  entry(
    'export',
    '[OPTIONS] CONTAINER',
    "Write a container's root filesystem as a tar archive",
    async () => (await import('./commands/export.ts')).exportContainer,
  ),
  entry('pause', 'CONTAINER [CONTAINER...]', 'Pause all processes of one or more containers', async () => (await import('./commands/pause.ts')).pause),
  entry('unpause', 'CONTAINER [CONTAINER...]', 'Unpause all processes of one or more containers', async () => (await import('./commands/pause.ts')).unpause),
  entry('rm', containersUsage, 'Remove one or more containers', async () => (await import('./commands/rm.ts')).rm),
  entry('rename', 'CONTAINER NEW_NAME', 'Rename a container', async () => (await import('./commands/rename.ts')).rename),
  entry('update', containersUsage, 'Change limits and restart policy of one or more containers', async () => (await import('./commands/update.ts')).update),
  entry(
    'port',
    'CONTAINER [PRIVATE_PORT[/PROTO]]',
    "Show the machine's ports that lead to a container's",
    async () => (await import('./commands/port.ts')).port,
  ),
  entry('wait', 'CONTAINER [CONTAINER...]', 'Block until containers stop, then print their exit codes', async () => (await import('./commands/wait.ts')).wait),
  entry('top', 'CONTAINER [ps OPTIONS]', 'Show the processes of a container', async () => (await import('./commands/top.ts')).top),
  entry('stats', '[OPTIONS] [CONTAINER...]', "Show containers' use of resources, live", async () => (await import('./commands/stats.ts')).stats),
  entry(
    'inspect',
    '[OPTIONS] NAME|ID [NAME|ID...]',
    'Show everything about containers, images, networks or volumes',
    async () => (await import('./commands/inspect.ts')).inspect,
  ),
  entry('explain', runUsage, 'Show what run would do, without doing it', async () => (await import('./commands/explain.ts')).explain),
  entry('pull', '[OPTIONS] NAME[:TAG|@DIGEST]', 'Download an image from a registry', async () => (await import('./commands/pull.ts')).pull),
  entry('login', '[OPTIONS] [SERVER]', 'Log in to a registry', async () => (await import('./commands/login.ts')).login),
  entry('logout', '[SERVER]', 'Log out from a registry', async () => (await import('./commands/logout.ts')).logout, false),
  entry('images', '[OPTIONS] [REPOSITORY[:TAG]]', 'List images', async () => (await import('./commands/images.ts')).images),
  entry('rmi', '[OPTIONS] IMAGE [IMAGE...]', 'Remove one or more images', async () => (await import('./commands/rmi.ts')).rmi),
  entry('push', '[OPTIONS] NAME[:TAG]', 'Upload an image to a registry', async () => (await import('./commands/push.ts')).push),
  entry('search', '[OPTIONS] TERM', 'Search the Hub, or the catalogue of a registry, for images', async () => (await import('./commands/search.ts')).search),
  entry('save', '[OPTIONS] IMAGE [IMAGE...]', 'Save images to a tar archive', async () => (await import('./commands/save.ts')).save),
  entry('load', '[OPTIONS]', 'Load images from a tar archive', async () => (await import('./commands/load.ts')).load),
  entry(
    'import',
    '[OPTIONS] FILE|URL|- [REPOSITORY[:TAG]]',
    'Make an image of the archive of a root filesystem',
    async () => (await import('./commands/import.ts')).importImage,
  ),
  entry(
    'commit',
    '[OPTIONS] CONTAINER [REPOSITORY[:TAG]]',
    "Make an image of a container's changes",
    async () => (await import('./commands/commit.ts')).commit,
  ),
  entry('image prune', '[OPTIONS]', 'Remove unused images', async () => (await import('./commands/image-prune.ts')).imagePrune),
  entry(
    'image mount',
    '[OPTIONS] [IMAGE...]',
    "Show an image's files as a directory, read-only",
    async () => (await import('./commands/image-mount.ts')).imageMount,
  ),
  entry(
    'image unmount',
    '[OPTIONS] [IMAGE...]',
    'Take the directories of image mount away',
    async () => (await import('./commands/image-mount.ts')).imageUnmount,
  ),
  entry(
    'image tree',
    '[OPTIONS] IMAGE',
    'Show the layers of an image, and who shares them',
    async () => (await import('./commands/image-tree.ts')).imageTreeCommand,
  ),
  entry('image diff', '[OPTIONS] IMAGE IMAGE', 'Show what differs between two images', async () => (await import('./commands/image-diff.ts')).imageDiff),
  entry(
    'image rollback',
    '[OPTIONS] NAME[:TAG] [DIGEST]',
    'Let a name stand for an earlier version',
    async () => (await import('./commands/image-rollback.ts')).imageRollback,
  ),
  entry('system df', '[OPTIONS]', 'Show what images, containers and volumes take on the disk', async () => (await import('./commands/system-df.ts')).systemDf),
  entry('system prune', '[OPTIONS]', 'Remove what is not used', async () => (await import('./commands/system-prune.ts')).systemPrune),
  entry('tag', 'SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]', 'Give an image another name', async () => (await import('./commands/tag.ts')).tag),
  entry('history', '[OPTIONS] IMAGE', 'Show the steps that made an image', async () => (await import('./commands/history.ts')).history),
  entry('events', '[OPTIONS]', 'Follow events of the engine', async () => (await import('./commands/events.ts')).events),
  entry('info', '[OPTIONS]', 'Show what the engine is and has', async () => (await import('./commands/info.ts')).info),
  entry('version', '[OPTIONS]', 'Show versions of the command and the engine', async () => (await import('./commands/version.ts')).version),
];

/** `strake daemon` and the other faces are dispatched in src/cmd; they are named here for the overview only. */
const elsewhere: readonly Pick<CommandEntry, 'name' | 'summary'>[] = [
  { name: 'daemon', summary: 'Run the engine in the foreground' },
  { name: 'containerd', summary: "Serve containerd's API in the foreground" },
  { name: 'cri', summary: "Serve Kubernetes' container runtime interface in the foreground" },
  { name: 'cri-containerd', summary: "Serve Kubernetes' container runtime interface over a containerd, in the foreground" },
  { name: 'crio', summary: "Serve Kubernetes' container runtime interface over an OCI runtime, as CRI-O is configured, in the foreground" },
  { name: 'dockershim', summary: "Serve Kubernetes' container runtime interface over an engine, in the foreground" },
  { name: 'registry', summary: 'Serve images to others, as a registry' },
];

/** Finds the command that `words` start with, and what is left of them. */
export function findCommand(words: readonly string[]): { readonly entry: CommandEntry; readonly args: readonly string[] } | undefined {
  const [first = '', second = '', ...rest] = words;
  const member = commandGroup(first)?.command(second);
  const name = member ?? first;
  const found = entries.find((candidate) => candidate.name === name);
  return found && { entry: found, args: member === undefined ? words.slice(1) : rest };
}

export function commandNames(): readonly Pick<CommandEntry, 'name' | 'summary'>[] {
  return [...entries, ...elsewhere].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
