import fc from 'fast-check';
import { registryUrl } from '../../src/distribution/hosts/resolve-hosts.ts';
import { canonicalName, familiarName, parseReference, repositoryName, withDefaultTag } from '../../src/oci/index.ts';
import { accepted, check } from '../target.ts';

const hex = (length: number) => fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length });
const label = fc.oneof(
  fc.constantFrom('a', 'A', '0', 'localhost', 'docker', 'io', 'index', 'xn--a', '0x7f', '127', '..', '-', ''),
  fc.string({ maxLength: 5 }),
);
const domain = fc.oneof(
  fc.constantFrom('docker.io', 'index.docker.io', 'localhost', '[::1]', '[::1', '127.0.0.1', '0x7f.1', 'r.example'),
  fc.array(label, { maxLength: 4 }).map((labels) => labels.join('.')),
);
const port = fc.oneof(
  fc.constantFrom('', ':', ':0', ':80', ':65535', ':65536', ':99999999999', ':-1', ':x'),
  fc.nat().map((number) => `:${number}`),
);
const component = fc.oneof(
  fc.constantFrom('a', 'library', 'a--b', 'a__b', 'a___b', 'a.b', 'a..b', '..', '.', '', 'A', '-a', 'a-'),
  fc.string({ maxLength: 6 }),
);
const path = fc.oneof(
  fc.array(component, { maxLength: 5 }).map((parts) => parts.join('/')),
  fc.nat({ max: 300 }).map((length) => 'a'.repeat(length)),
);
const tag = fc.oneof(
  fc.constantFrom('', ':', ':latest', ':1.0', ':-', ':.', `:${'x'.repeat(128)}`, `:${'x'.repeat(129)}`, ':a:b'),
  fc.string({ maxLength: 5 }).map((text) => `:${text}`),
);
const digest = fc.oneof(
  fc.constantFrom('', '', '@', '@sha256:', '@sha256:../../x', '@md5:00'),
  hex(64).map((text) => `@sha256:${text}`),
  hex(128).map((text) => `@sha512:${text}`),
  hex(63).map((text) => `@sha256:${text}`),
);
const text = fc.oneof(
  fc.tuple(domain, port, fc.constantFrom('/', ''), path, tag, digest).map((parts) => parts.join('')),
  hex(64),
  fc.string({ maxLength: 1100, unit: 'binary' }),
);

/** A name from outside: its parts make it again, and none of them leads elsewhere, in a URL or a directory. */
export function references(runs: number, seed: number): void {
  const property = fc.property(text, (written) => {
    const reference = accepted(() => parseReference(written));
    if (reference === undefined) return;
    for (const name of [canonicalName(reference), familiarName(reference)])
      check(JSON.stringify(parseReference(name)) === JSON.stringify(reference), `${JSON.stringify(name)} is another one than ${JSON.stringify(written)}`);
    const { domain: registry, path: repository, tag: name } = reference;
    check(/^[a-zA-Z0-9.:[\]-]+$/.test(registry) && !registry.includes('..'), `the registry ${registry}`);
    check(
      repository.split('/').every((part) => /^[a-z0-9][a-z0-9._-]*$/.test(part)),
      `the repository ${repository}`,
    );
    check(name === undefined || /^\w[\w.-]{0,127}$/.test(name), `the tag ${name}`);
    check(withDefaultTag(reference).tag !== undefined || reference.digest !== undefined, 'no tag');
    check(repositoryName(reference) === `${registry}/${repository}`, 'the name of the repository');
    const url = accepted(() => registryUrl(registry));
    if (url === undefined) return;
    check(url.pathname === '/v2/' && url.username === '' && url.search === '', `${registry} leads to ${url.href}`);
    check(new URL(`${repository}/manifests/${name ?? 'latest'}`, url).pathname === `/v2/${repository}/manifests/${name ?? 'latest'}`, `the path of ${written}`);
  });
  fc.assert(property, { numRuns: runs, seed });
}
