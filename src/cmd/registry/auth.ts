import { randomUUID } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { StrakeError } from '../../base/index.ts';
import {
  type AccessRules,
  allForUsers,
  basicGate,
  createTokenServer,
  type Gate,
  type HandleRequest,
  openGate,
  Passwords,
  parseAccessRules,
  TokenSigner,
  TokenVerifier,
  tokenGate,
} from '../../registry/index.ts';
import type { AuthFlags, RegistryFlags } from './flags.ts';

export interface ComposedAuth {
  readonly gate: Gate;
  /** For people with a browser, who have passwords, no tokens. */
  readonly pageGate: Gate | undefined;
  /** Answers at /token. */
  readonly tokenServer: HandleRequest | undefined;
}

export async function composeAuth({ auth, root }: Pick<RegistryFlags, 'auth' | 'root'>): Promise<ComposedAuth> {
  if (auth.kind === 'open') return { gate: openGate, pageGate: openGate, tokenServer: undefined };
  if (auth.kind === 'foreign-token') {
    const { service, issuer, realm } = auth;
    const verifier = new TokenVerifier({ publicKeyPem: readFileSync(auth.keyFile, 'utf8'), issuer, service });
    return { gate: tokenGate({ verifier, service, realm: () => realm }), pageGate: undefined, tokenServer: undefined };
  }
  const passwords = new Passwords(auth.htpasswdFile);
  await passwords.load();
  const rules = auth.accessFile === undefined ? allForUsers : parseAccessRules(readFileSync(auth.accessFile, 'utf8'));
  const pageGate = basicGate(passwords, rules);
  if (auth.kind === 'token') return { pageGate, ...ownTokens(auth, root, passwords, rules) };
  if (rules.forAnonymous)
    throw new StrakeError('InvalidArgument', 'rules for everybody need --auth token: with passwords alone, clients without one give up at the door', {
      fields: { layer: 'registry' },
    });
  return { gate: pageGate, pageGate, tokenServer: undefined };
}

function ownTokens({ service, realm }: Extract<AuthFlags, { readonly kind: 'token' }>, root: string, passwords: Passwords, rules: AccessRules) {
  const signer = new TokenSigner(tokenKey(root));
  const verifier = new TokenVerifier({ publicKeyPem: signer.publicKeyPem, issuer: service, service });
  return {
    gate: tokenGate({
      verifier,
      service,
      realm: ({ origin }) => realm ?? `${origin}/token`,
      sees: (user, repository) => rules.may(user, repository, 'pull'),
    }),
    tokenServer: createTokenServer({ signer, passwords, rules, issuer: service, service }),
  };
}

/** The key that tokens are signed with: made once, so that they outlive a restart. */
function tokenKey(root: string): string {
  const file = path.join(root, 'token-key.pem');
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const key = TokenSigner.newKey();
  const draft = `${file}.${randomUUID()}`;
  writeFileSync(draft, key, { mode: 0o600, flush: true });
  renameSync(draft, file);
  return key;
}
