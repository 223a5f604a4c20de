import { defineCommand } from '../command.ts';
import { binarySize } from '../format/units.ts';
import { compileTemplate } from '../template/index.ts';

interface EngineInfo {
  readonly [name: string]: unknown;
  readonly SecurityOptions?: readonly string[] | null;
  readonly Warnings?: readonly string[] | null;
  readonly DriverStatus?: readonly (readonly [string, string])[] | null;
}

/** Label and field of each line, as `docker info` has them. */
const lines: readonly (readonly [string, string])[] = [
  ['Containers', 'Containers'],
  [' Running', 'ContainersRunning'],
  [' Paused', 'ContainersPaused'],
  [' Stopped', 'ContainersStopped'],
  ['Images', 'Images'],
  ['Server Version', 'ServerVersion'],
  ['Storage Driver', 'Driver'],
  ['Logging Driver', 'LoggingDriver'],
  ['Cgroup Driver', 'CgroupDriver'],
  ['Cgroup Version', 'CgroupVersion'],
  ['Default Runtime', 'DefaultRuntime'],
  ['Kernel Version', 'KernelVersion'],
  ['Operating System', 'OperatingSystem'],
  ['OSType', 'OSType'],
  ['Architecture', 'Architecture'],
  ['CPUs', 'NCPU'],
  ['Total Memory', 'MemTotal'],
  ['Name', 'Name'],
  ['ID', 'ID'],
  ['Root Dir', 'DockerRootDir'],
  ['Debug Mode', 'Debug'],
];

export const info = defineCommand({
  name: 'info',
  usage: '[OPTIONS]',
  summary: 'Show what the engine is and has',
  flags: { format: { kind: 'string', short: 'f', help: "Format: 'json' or a Go template" } },
  minArgs: 0,
  maxArgs: 0,
  async run(context, { values }) {
    const data = await context.client.get<EngineInfo>('/info');
    if (values.format === 'json') context.out(`${JSON.stringify(data)}\n`);
    else if (values.format !== undefined) context.out(`${compileTemplate(values.format)(data)}\n`);
    else
      context.out(
        `Server:\n${lines.map(([label, field]) => ` ${label}: ${shown(field, data[field])}\n`).join('')} Security Options:\n${(data.SecurityOptions ?? []).map((option) => `  ${option.replace(/^name=/, '').split(',')[0]}\n`).join('')}`,
      );
    for (const warning of data.Warnings ?? []) context.err(`${warning}\n`);
    return 0;
  },
});

function shown(field: string, value: unknown): string {
  return field === 'MemTotal' ? binarySize(Number(value)) : String(value);
}
