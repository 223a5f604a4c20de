import { defineCommand } from '../command.ts';
import { copyFromContainer } from '../copy/from-container.ts';
import { splitCopyArgument } from '../copy/paths.ts';
import { copyToContainer } from '../copy/to-container.ts';
import { ExitStatus } from '../exit-status.ts';

export const cp = defineCommand({
  name: 'cp',
  usage: '[OPTIONS] CONTAINER:SRC_PATH DEST_PATH|- or SRC_PATH|- CONTAINER:DEST_PATH',
  summary: 'Copy files between a container and the local file system; `-` is a tar stream on stdin or stdout',
  flags: {
    archive: { kind: 'bool', short: 'a', help: 'Copy users and groups too' },
    'follow-link': { kind: 'bool', short: 'L', help: 'Follow a link as SRC_PATH' },
    quiet: { kind: 'bool', short: 'q', help: 'Say nothing; so it is unless stdout is a terminal' },
  },
  minArgs: 2,
  maxArgs: 2,
  async run(context, { values, args: [first = '', second = ''], given }) {
    if (first === '') throw new ExitStatus(1, 'source can not be empty');
    if (second === '') throw new ExitStatus(1, 'destination can not be empty');
    const options = {
      followLink: values['follow-link'],
      archive: values.archive,
      quiet: given.has('quiet') ? values.quiet : !context.isTerminal(1),
    };
    const [source, target] = [splitCopyArgument(first), splitCopyArgument(second)];
    if (source.container !== undefined && target.container !== undefined) throw new ExitStatus(1, 'copying between containers is not supported');
    if (source.container !== undefined) await copyFromContainer(context, source.container, source.path, target.path, options);
    else if (target.container !== undefined) await copyToContainer(context, source.path, target.container, target.path, options);
    else throw new ExitStatus(1, 'must specify at least one container source');
    return 0;
  },
});
