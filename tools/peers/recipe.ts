import { createHash } from 'node:crypto';
import { join } from 'node:path';

/** Where the peers live. One cache for a machine: `STRAKE_PEERS`, or /var/cache/strake-peers. */
export const peersDir = process.env['STRAKE_PEERS'] ?? '/var/cache/strake-peers';
/** The Debian sid tree in which the real docker, containerd, runc, crun and podman run. */
export const peerRootDir = join(peersDir, 'root');
/** The one layer of the `debian` test image: a debootstrapped bookworm of a few hundred MB. */
export const debianLayerTar = join(peersDir, 'bookworm.tar');

/** Where Debian's packages and sources come from; without it, debootstrap has its own default mirror, and the build that of apt. */
export const mirror = process.env['STRAKE_DEBIAN_MIRROR'];

/** What one debootstrap makes: the suite, and the packages installed on top of `--variant=minbase`. */
export interface TreeRecipe {
  readonly suite: string;
  readonly packages: readonly string[];
}

export const peerRecipe: TreeRecipe = {
  suite: 'sid',
  packages: [
    'ca-certificates',
    'docker.io',
    'docker-cli',
    'docker-compose',
    'containerd',
    'runc',
    'crun',
    'runsc',
    'criu',
    'podman',
    'buildah',
    'skopeo',
    'umoci',
    'docker-registry',
    'netavark',
    'containernetworking-plugins',
    'busybox-static',
    'iptables',
    'nftables',
    'iproute2',
    'procps',
    'strace',
  ],
};

/** Perl and Python make it a few hundred MB in some ten thousand files, which is what people pull. */
export const debianImageRecipe: TreeRecipe = {
  suite: 'bookworm',
  packages: ['ca-certificates', 'perl', 'python3', 'git', 'vim', 'procps'],
};

/** Changes when the recipe does, so that an old tree is rebuilt. */
export function recipeHash(recipe: TreeRecipe): string {
  return createHash('sha256').update(JSON.stringify(recipe)).digest('hex').slice(0, 16);
}
