import type { MessageInitShape } from '@bufbuild/protobuf';
import type { criImages } from '../../api/cri/index.ts';
import type { SecretEntries } from '../pods/objects.ts';

type AuthConfig = MessageInitShape<typeof criImages.AuthConfigSchema>;

interface DockerEntry {
  readonly username?: string;
  readonly password?: string;
  readonly auth?: string;
  readonly identitytoken?: string;
}

const hubNames = ['docker.io', 'index.docker.io', 'registry-1.docker.io'];

/** What pull secrets say for an image's registry: one for each of them, in their order. A secret that cannot be read says nothing. */
export function credentialsFor(image: string, secrets: readonly SecretEntries[]): readonly AuthConfig[] {
  const registry = registryOf(image);
  return secrets.flatMap((secret) =>
    Object.entries(entriesOf(secret))
      .filter(([server]) => isFor(server, registry, image))
      // The one that says most of the name first.
      .sort(([a], [b]) => b.length - a.length)
      .map(([server, entry]) => authConfig(server, entry)),
  );
}

function entriesOf({ type, entries }: SecretEntries): Readonly<Record<string, DockerEntry>> {
  const read = (key: string): unknown => {
    try {
      return JSON.parse(entries.get(key)?.toString() ?? '{}');
    } catch {
      return {};
    }
  };
  if (type === 'kubernetes.io/dockerconfigjson') return (read('.dockerconfigjson') as { auths?: Record<string, DockerEntry> }).auths ?? {};
  return type === 'kubernetes.io/dockercfg' ? (read('.dockercfg') as Record<string, DockerEntry>) : {};
}

function authConfig(serverAddress: string, { username = '', password = '', auth = '', identitytoken = '' }: DockerEntry): AuthConfig {
  const [, user = '', secret = ''] = /^([^:]*):(.*)$/s.exec(Buffer.from(auth, 'base64').toString()) ?? [];
  return { serverAddress, username: username || user, password: password || secret, identityToken: identitytoken };
}

/** An image without a registry's name is of the Docker Hub. */
function registryOf(image: string): string {
  const [first = '', ...rest] = image.split('/');
  return rest.length > 0 && (/[.:]/.test(first) || first === 'localhost') ? first : 'docker.io';
}

function isFor(server: string, registry: string, image: string): boolean {
  const [host = '', ...path] = server.replace(/^https?:\/\//, '').split('/');
  if (hubNames.includes(host)) return hubNames.includes(registry);
  const pattern = new RegExp(`^${host.split('*').map(RegExp.escape).join('[^.]*')}$`);
  const below = path
    .join('/')
    .replace(/^v[12]\/?$/, '')
    .replace(/\/$/, '');
  const rest = image.slice(registry.length + 1);
  return pattern.test(registry) && (below === '' || rest === below || rest.startsWith(`${below}/`));
}
