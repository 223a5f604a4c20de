import { defineCommand } from '../command.ts';
import { CredentialStore, hubServer } from '../registry-auth/credentials.ts';
import { serverOf } from './login.ts';

export const logout = defineCommand({
  name: 'logout',
  usage: '[SERVER]',
  summary: 'Log out from a registry',
  flags: {},
  minArgs: 0,
  maxArgs: 1,
  async run(context, { args }) {
    const server = serverOf(args[0]);
    const shown = server === hubServer ? server : server.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
    const removed = new CredentialStore(context.env).remove(server);
    context.out(removed ? `Removing login credentials for ${shown}\n` : `Not logged in to ${shown}\n`);
    return 0;
  },
});
