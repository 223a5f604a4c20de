/** Docker's management commands: `container ls`, `image rm`. */
export class CommandGroup {
  readonly name: string;
  readonly summary: string;
  /** What stands behind the group's name, and the command that it is. */
  readonly members: ReadonlyMap<string, string>;
  readonly #aliases: ReadonlyMap<string, string>;

  constructor(name: string, summary: string, members: Readonly<Record<string, string>>, aliases: Readonly<Record<string, string>> = {}) {
    this.name = name;
    this.summary = summary;
    this.members = new Map(Object.entries(members));
    this.#aliases = new Map(Object.entries(aliases));
  }

  /** The command by its name in the group, or by another that docker takes for it. */
  command(word: string): string | undefined {
    return this.members.get(this.#aliases.get(word) ?? word);
  }
}

const sameName = (...names: readonly string[]): Readonly<Record<string, string>> => Object.fromEntries(names.map((name) => [name, name]));
const ofContainers = sameName(
  ...['run', 'create', 'start', 'exec', 'attach', 'commit', 'logs', 'stop', 'kill', 'restart', 'pause', 'unpause'],
  ...['cp', 'diff', 'export', 'rm', 'rename', 'update', 'wait', 'top', 'stats', 'port', 'inspect'],
);
const ofImagesAlone = ['mount', 'unmount', 'prune', 'tree', 'diff', 'rollback'];

const groups = [
  new CommandGroup('container', 'Manage containers', { ls: 'ps', ...ofContainers }, { list: 'ls', ps: 'ls', remove: 'rm' }),
  new CommandGroup(
    'image',
    'Manage images',
    {
      ls: 'images',
      rm: 'rmi',
      ...sameName('pull', 'push', 'save', 'load', 'import', 'tag', 'history', 'inspect'),
      ...Object.fromEntries(ofImagesAlone.map((name) => [name, `image ${name}`])),
    },
    { list: 'ls', remove: 'rm', umount: 'unmount' },
  ),
  new CommandGroup('system', 'Manage the engine', { info: 'info', events: 'events', df: 'system df', prune: 'system prune' }),
];

export function commandGroup(name: string): CommandGroup | undefined {
  return groups.find((group) => group.name === name);
}

export function commandGroups(): readonly CommandGroup[] {
  return groups;
}
