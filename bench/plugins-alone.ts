import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CriWorld } from '../test/cri/cri-world.ts';
import type { CaseResult } from './measure.ts';
import { buildTimed, interleave, Timer } from './timer.ts';

interface PluginList {
  readonly cniVersion: string;
  readonly name: string;
  readonly plugins: readonly { readonly type: string; readonly [key: string]: unknown }[];
}

const pluginDirectory = '/usr/lib/cni';
const netns = 'bench-alone';

/** What no runtime can save: the plugins of the pods' network one after the other, as CNI's specification has them, by a shell that does nothing else. */
export async function measurePluginsAlone({ peers, work, networkConfiguration }: CriWorld, rounds: number): Promise<CaseResult[]> {
  const [file = ''] = readdirSync(networkConfiguration);
  const list: PluginList = JSON.parse(readFileSync(join(networkConfiguration, file), 'utf8'));
  await peers.output(['ip', 'netns', 'add', netns]);
  try {
    const timed = buildTimed(work);
    const timers = (['ADD', 'DEL'] as const).map((verb) => {
      const script = join(work, `plugins-${verb}`);
      writeFileSync(script, scriptOf(list, verb, join(work, 'plugins-result')));
      return new Timer(verb, peers, timed, ['sh', script]);
    });
    await interleave(timers, rounds);
    const results = timers.map(
      ({ label, medianMs }) => ({ name: `CNI's plugins alone: ${label}`, unit: 'ms', rounds, medians: { plugins: medianMs } }) as const,
    );
    for (const timer of timers) await timer.end();
    return results;
  } finally {
    await peers.output(['ip', 'netns', 'del', netns]);
  }
}

/** ADD leaves what the last plugin answered in `result`, where DEL finds it. On one thread, as `strake cri` runs them. */
function scriptOf({ cniVersion, name, plugins }: PluginList, verb: 'ADD' | 'DEL', result: string): string {
  const environment = {
    CNI_COMMAND: verb,
    CNI_CONTAINERID: 'alone',
    CNI_NETNS: `/run/netns/${netns}`,
    CNI_IFNAME: 'eth0',
    CNI_PATH: pluginDirectory,
    GOMAXPROCS: '1',
  };
  const call = (plugin: PluginList['plugins'][number]) => {
    const { capabilities: _, ...config } = plugin;
    const text = JSON.stringify({ cniVersion, name, ...config }).slice(0, -1);
    return `${pluginDirectory}/${plugin.type} <<EOF\n${text}$previous}\nEOF\n`;
  };
  const lines =
    verb === 'ADD'
      ? [...plugins.map((plugin) => `answer=$(${call(plugin)})\nprevious=",\\"prevResult\\":$answer"`), `echo "$previous" > ${result}`]
      : [`while read -r line; do previous=$previous$line; done < ${result}`, ...plugins.toReversed().map(call)];
  const exports = Object.entries(environment).map(([key, value]) => `export ${key}=${value}`);
  return ['set -e', ...exports, 'previous=', ...lines, ''].join('\n');
}
