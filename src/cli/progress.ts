import { humanSize } from './format/units.ts';

/** One line of the Engine API's progress stream. */
export interface ProgressMessage {
  readonly id?: string;
  readonly status?: string;
  /** Text to be shown as it is. */
  readonly stream?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
  readonly error?: string;
}

const barWidth = 50;

/** Shows progress: on a terminal one line per layer, redrawn in place; elsewhere a line for each change of status, without the bars. */
export function createProgress(write: (text: string) => void, isTerminal: boolean): (message: ProgressMessage) => void {
  if (!isTerminal) return (message) => !hasBar(message) && write(`${describe(message)}\n`);
  const lines = new Map<string, number>();
  return (message) => {
    if (message.id === undefined) return write(`${describe(message)}\n`);
    const known = lines.get(message.id);
    if (known === undefined) {
      lines.set(message.id, lines.size);
      return write(`${describe(message)}\n`);
    }
    const up = lines.size - known;
    write(`\x1b[${up}A\x1b[2K\r${describe(message)}\x1b[${up}B\r`);
  };
}

function hasBar(message: ProgressMessage): boolean {
  return (message.progressDetail?.current ?? 0) > 0;
}

function describe(message: ProgressMessage): string {
  const prefix = message.id === undefined ? '' : `${message.id}: `;
  return `${prefix}${message.status ?? ''}${hasBar(message) ? ` ${bar(message)}` : ' '}`.trimEnd();
}

function bar({ progressDetail: { current = 0, total = 0 } = {} }: ProgressMessage): string {
  if (total <= 0) return humanSize(current);
  const filled = Math.min(barWidth, Math.floor((current / total) * barWidth));
  const head = filled < barWidth ? `${'='.repeat(filled)}>${' '.repeat(barWidth - filled - 1)}` : '='.repeat(barWidth);
  return `[${head}]  ${humanSize(current)}/${humanSize(total)}`;
}
