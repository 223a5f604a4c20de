import { defineCommand } from '../command.ts';
import { containerBody } from '../container-options/body.ts';
import { containerFlags } from '../container-options/flags.ts';

interface Explanation {
  readonly chain: readonly string[];
  readonly spec: unknown;
  /** One operation a line, as src/kernel/program/format.ts prints it. */
  readonly program: readonly string[];
  /** The system calls of each operation, in the same order. */
  readonly calls: readonly string[];
}

export const explain = defineCommand({
  name: 'explain',
  usage: '[OPTIONS] IMAGE [COMMAND] [ARG...]',
  summary: 'Show what run would do, without doing it',
  flags: {
    ...containerFlags,
    calls: { kind: 'bool', help: 'Show the system calls of each operation' },
    format: { kind: 'string', help: "'json' for everything as one document" },
  },
  stopAtArgument: true,
  minArgs: 1,
  maxArgs: Number.POSITIVE_INFINITY,
  async run(context, parsed) {
    const { values } = parsed;
    const explanation = await context.client.post<Explanation>('/strake/explain', { query: { name: values.name }, body: containerBody(parsed, context.env) });
    if (values.format === 'json') {
      context.out(`${JSON.stringify(explanation)}\n`);
      return 0;
    }
    const program = explanation.program.map((line, index) => `${line}${values.calls ? `   [${explanation.calls[index] ?? ''}]` : ''}\n`);
    context.out(
      `# The chain\n${explanation.chain.map((hop) => `${hop}\n`).join('')}\n# The OCI configuration\n${JSON.stringify(explanation.spec, undefined, 2)}\n\n# The program, one operation a line\n${program.join('')}`,
    );
    return 0;
  },
});
