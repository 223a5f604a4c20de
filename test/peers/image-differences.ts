/** What peers are known to do in another way with an image; each row was seen, and is in the way when the peer does better. */

export const peerNames = ['docker', 'podman', 'buildah', 'skopeo and umoci'] as const;
export type PeerName = (typeof peerNames)[number];

interface Known {
  readonly image: string;
  readonly peers: readonly PeerName[];
  readonly reason: string;
}

export interface Difference extends Known {
  /** The lines of the listing that differ, and all of them do. */
  readonly lines: RegExp;
}

/** One that the peer cannot take at all. */
export interface Refusal extends Known {
  /** What it says. */
  readonly message: RegExp;
}

export const differences: readonly Difference[] = [
  { image: 'xattrs', peers: ['skopeo and umoci'], lines: /^x\/f user\.empty=/, reason: 'umoci drops an attribute without a value' },
  {
    image: 'acls',
    peers: ['docker', 'podman', 'buildah'],
    lines: /^x\/d\/below system\.posix_acl_/,
    reason: 'they set a default list of access before they make what is in the directory, which inherits it though the archive says nothing of it',
  },
  { image: 'times', peers: ['docker', 'podman', 'buildah'], lines: /^x\/old time=/, reason: 'they take a time before 1970 for 1970' },
];

export const refusals: readonly Refusal[] = [
  {
    image: 'sparse-gnu',
    peers: peerNames,
    message: /unhandled tar header type 83|unknown typeflag '\\x53'/,
    reason: "they do not know GNU tar's own form of sparse files",
  },
  {
    image: 'sha512',
    peers: ['podman', 'buildah', 'skopeo and umoci'],
    message: /does not match expected sha512|saved with digest sha256/,
    reason: 'they check and store under sha256 alone',
  },
  {
    image: 'schema2',
    peers: ['skopeo and umoci'],
    message: /application\/vnd\.docker\.distribution\.ma/,
    reason: 'umoci reads documents of the image-spec alone',
  },
];

/** Where a peer cannot give back what it took: it makes layers anew from its files, and a sparse one comes out in another length. */
export const archiveRefusals: readonly Refusal[] = [
  { image: 'sparse-gnu', peers: peerNames, message: /unhandled tar header type 83/, reason: 'as above' },
  {
    image: 'sparse-pax',
    peers: ['docker', 'podman'],
    message: /could not verify layer data|archive\/tar: write too long/,
    reason: 'they cannot put a sparse file together again',
  },
];

/**
 * Whether the peer's push has the digest of what it pulled. Docker writes documents of its own form, in which only the configuration is the
 * same; podman and buildah do so for docker's documents alone.
 */
export function keepsManifest(peer: PeerName, image: string): boolean {
  return peer === 'skopeo and umoci' || (peer !== 'docker' && image !== 'schema2');
}
