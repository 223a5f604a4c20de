import * as system from 'strake:system';
import { succeeded } from './failure.ts';

const stdout = 1;

/** The caller's terminal, as src/runtime takes it. */
export const terminal = {
  size() {
    const answer = system.windowSize(stdout);
    if (typeof answer === 'number') return undefined;
    const [rows, columns] = answer;
    return rows > 0 ? { rows, columns } : undefined;
  },
  attach(monitorDirectory: string) {
    const connection = succeeded<number>(system.attachTerminal(monitorDirectory), 'connect', `${monitorDirectory}/monitor.sock`);
    return { carry: () => system.carryTerminal(connection) };
  },
};
