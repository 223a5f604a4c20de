import type { Descriptor, Platform } from '../../oci/index.ts';

/** An entry of `GET /images/json`. */
export interface ImageSummary {
  /** Containers that use it; -1: not counted. */
  readonly Containers: number;
  /** Seconds since the epoch. */
  readonly Created: number;
  readonly Id: string;
  readonly Labels: Readonly<Record<string, string>> | null;
  readonly ParentId: string;
  readonly RepoDigests: readonly string[];
  readonly RepoTags: readonly string[];
  /** -1: not computed. */
  readonly SharedSize: number;
  /** Bytes of the unpacked layers. */
  readonly Size: number;
  /** Before API 1.44. */
  readonly VirtualSize?: number;
}

/** `Config` of an image as the Engine tells it: the OCI configuration's own field names. */
export type ImageConfigJson = Readonly<Record<string, unknown>>;

export interface ImageInspect {
  readonly Id: string;
  readonly RepoTags: readonly string[];
  readonly RepoDigests: readonly string[];
  readonly Parent: string;
  readonly Comment: string;
  readonly Created?: string;
  readonly DockerVersion: string;
  readonly Author: string;
  readonly Config: ImageConfigJson;
  readonly Architecture: string;
  readonly Variant?: string;
  readonly Os: string;
  readonly Size: number;
  /** Before API 1.44. */
  readonly VirtualSize?: number;
  readonly GraphDriver: { readonly Data: Readonly<Record<string, string>> | null; readonly Name: string };
  readonly RootFS: { readonly Type: string; readonly Layers?: readonly string[] };
  readonly Metadata: { readonly LastTagTime: string };
  /** From API 1.48. */
  readonly Descriptor?: Descriptor;
}

export type ImageDeleteItem = { readonly Untagged: string } | { readonly Deleted: string };

export interface ImageHistoryItem {
  readonly Comment: string;
  readonly Created: number;
  readonly CreatedBy: string;
  readonly Id: string;
  readonly Size: number;
  readonly Tags: readonly string[] | null;
}

export interface ImagesPruneResponse {
  readonly ImagesDeleted: readonly ImageDeleteItem[] | null;
  readonly SpaceReclaimed: number;
}

/** An entry of `GET /images/search`. */
export interface SearchResult {
  readonly star_count: number;
  readonly is_official: boolean;
  readonly name: string;
  readonly is_automated: boolean;
  readonly description: string;
}

/** `GET /distribution/NAME/json` */
export interface DistributionInspect {
  readonly Descriptor: Descriptor;
  readonly Platforms: readonly Platform[];
}

/** A line of a progress stream (`POST /images/create`, load, push, build). */
export interface ProgressMessage {
  readonly stream?: string;
  readonly status?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
  /** The progress as text, for clients that draw no bar. */
  readonly progress?: string;
  readonly id?: string;
  readonly errorDetail?: { readonly code?: number; readonly message: string };
  readonly error?: string;
  readonly aux?: unknown;
}

/** Strake's own: an image's layers, bottom first. */
export interface ImageTree {
  readonly Id: string;
  readonly Digest: string;
  readonly Names: readonly string[];
  /** bytes, unpacked */
  readonly Size: number;
  /** of layers that other images have too */
  readonly SharedSize: number;
  readonly OwnSize: number;
  readonly Layers: readonly ImageTreeLayer[];
  /** What its names stood for before, newest first. */
  readonly Versions: readonly { readonly Name: string; readonly Digest: string; readonly Present: boolean }[];
}

export interface ImageTreeLayer {
  readonly ChainId: string;
  readonly DiffId: string;
  readonly Digest: string;
  readonly Size: number;
  /** Empty when the configuration does not say. */
  readonly CreatedBy: string;
  /** Names of the other images that have it; an id where there is no name. */
  readonly SharedWith: readonly string[];
}

/** A setting that differs between two images' configurations; missing where an image does not have it. */
export interface ImageConfigDifference {
  readonly Name: string;
  readonly From?: string;
  readonly To?: string;
}
