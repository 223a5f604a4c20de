import type { Command } from './command.ts';

/** Each verb is loaded only when it is asked for: a call lives for milliseconds. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  checkpoint: async () => (await import('./verbs/checkpoint.ts')).checkpoint,
  create: async () => (await import('./verbs/create.ts')).create,
  delete: async () => (await import('./verbs/delete.ts')).remove,
  events: async () => (await import('./verbs/events.ts')).events,
  exec: async () => (await import('./verbs/exec.ts')).exec,
  explain: async () => (await import('./verbs/explain.ts')).explain,
  features: async () => (await import('./verbs/features.ts')).features,
  kill: async () => (await import('./verbs/kill.ts')).kill,
  list: async () => (await import('./verbs/list.ts')).list,
  mounts: async () => (await import('./verbs/mounts.ts')).mounts,
  pause: async () => (await import('./verbs/pause.ts')).pause,
  ps: async () => (await import('./verbs/ps.ts')).ps,
  restore: async () => (await import('./verbs/restore.ts')).restore,
  resume: async () => (await import('./verbs/pause.ts')).resume,
  run: async () => (await import('./verbs/run.ts')).run,
  spec: async () => (await import('./verbs/spec.ts')).spec,
  start: async () => (await import('./verbs/start.ts')).start,
  state: async () => (await import('./verbs/state.ts')).state,
  update: async () => (await import('./verbs/update.ts')).update,
};

export const verbs: readonly string[] = Object.keys(commands);

/** Undefined for a word that is no verb. */
export async function loadCommand(verb: string): Promise<Command | undefined> {
  return Object.hasOwn(commands, verb) ? await commands[verb]?.() : undefined;
}
