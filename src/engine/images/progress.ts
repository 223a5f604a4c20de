import type { ProgressMessage } from '../../api/docker/index.ts';
import type { PullProgress } from '../../distribution/index.ts';

const barWidth = 50;

/** Docker's bar for clients that draw none: `[====>    ]  1.2MB/4.5MB` (moby pkg/jsonmessage). */
export function formatProgress(currentBytes: number, totalBytes: number): string {
  if (totalBytes <= 0) return formatSize(currentBytes);
  const filled = Math.min(barWidth, Math.floor((currentBytes / totalBytes) * barWidth));
  const bar = filled === barWidth ? '='.repeat(barWidth) : `${'='.repeat(filled)}>`;
  return `[${bar.padEnd(barWidth)}]  ${formatSize(currentBytes).padStart(8)}/${formatSize(totalBytes)}`;
}

/** Four significant digits in decimal units (docker/go-units HumanSize). */
export function formatSize(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let size = bytes;
  let unit = 0;
  for (; size >= 1000 && unit < units.length - 1; unit++) size /= 1000;
  return `${Number(size.toPrecision(4))}${units[unit]}`;
}

/** Progress of a pull or a push as Docker's line. */
export function progressMessage({ id, status, progressDetail }: PullProgress): ProgressMessage {
  const named = id === undefined ? {} : { id };
  if (progressDetail === undefined) return { status, ...named };
  const { current, total } = progressDetail;
  return current === 0 && total === 0
    ? { status, progressDetail: {}, ...named }
    : { status, progressDetail, progress: formatProgress(current, total), ...named };
}
