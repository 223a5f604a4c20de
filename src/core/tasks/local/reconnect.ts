import { StrakeError } from '../../../base/index.ts';
import { TaskConnection } from '../../../kernel/index.ts';
import { taskFiles } from './paths.ts';
import type { MonitorConnection } from './process.ts';

/** A connection to the monitor of a task directory that tells the exit; one that is closed already when no monitor is there. */
export async function reconnect(dir: string): Promise<MonitorConnection> {
  try {
    const connection = await TaskConnection.connect(taskFiles.monitor(dir));
    await connection.watch();
    return connection;
  } catch {
    return lostConnection();
  }
}

/** Stands for the monitor of a process that has none any more. */
function lostConnection(): MonitorConnection {
  const gone = async (): Promise<never> => {
    throw new StrakeError('Unavailable', 'the monitor is gone', { fields: { layer: 'core' } });
  };
  return {
    start: gone,
    resize: gone,
    kill: gone,
    closeStdin: gone,
    reopenLog: gone,
    exited: gone(),
    ended: Promise.resolve(),
    close: () => {},
    onOom: () => {},
  };
}
