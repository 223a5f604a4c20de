import { type MetadataDatabase, numberOf, type Row, textOf, timeOf } from '../../core/index.ts';
import type { Descriptor } from '../../oci/index.ts';

export interface ManifestRecord {
  readonly digest: string;
  readonly mediaType: string;
  readonly sizeBytes: number;
  readonly pushedAt: Date;
}

/** Something that a manifest names: a blob (configuration, layer) or another manifest. */
export interface ManifestPart {
  readonly digest: string;
  readonly kind: 'blob' | 'manifest';
}

export interface NewManifest {
  readonly repository: string;
  readonly digest: string;
  readonly mediaType: string;
  readonly sizeBytes: number;
  readonly subject: string | undefined;
  /** As the referrers list shows it. */
  readonly descriptor: Descriptor;
  readonly parts: readonly ManifestPart[];
  readonly tags: readonly string[];
}

/** Part of a sorted list: what comes after `last`, at most `limit` entries. */
export interface Page {
  readonly last: string | undefined;
  readonly limit: number;
}

export interface Listed<T> {
  readonly entries: readonly T[];
  readonly hasMore: boolean;
}

export interface RepositorySummary {
  readonly tags: number;
  readonly manifests: number;
  readonly blobBytes: number;
  /** of its youngest manifest */
  readonly pushedAt: Date | undefined;
}

/** Content that several repositories have counts once. */
export interface CatalogueCounts {
  readonly repositories: number;
  readonly manifests: number;
  readonly tags: number;
  readonly blobs: number;
  readonly blobBytes: number;
}

/**
 * Which repository has which blobs, manifests and tags. Every call is one step: synchronous, all or nothing. A repository is there from its first
 * blob or manifest on, until the garbage collection finds nothing in it.
 */
export class Catalogue {
  readonly #db: MetadataDatabase;
  readonly #now: () => Date;

  constructor(db: MetadataDatabase, now: () => Date = () => new Date()) {
    this.#db = db;
    this.#now = now;
  }

  hasRepository(name: string): boolean {
    return this.#idOf(name) !== undefined;
  }

  /** Names in byte order. */
  repositories({ last = '', limit }: Page): Listed<string> {
    const rows = this.#db.all('select name from repositories where name > ? order by name limit ?', last, limit + 1);
    return listed(rows, limit, (row) => textOf(row, 'name'));
  }

  /** undefined: there is no such repository. */
  summary(repository: string): RepositorySummary | undefined {
    const row = this.#get(
      `select (select count(*) from tags where repository = id) as tags, (select count(*) from manifests where repository = id) as manifests,
       (select coalesce(sum(size), 0) from blobs where repository = id) as bytes, (select max(pushed) from manifests where repository = id) as pushed
       from repositories where name = ?`,
      repository,
    );
    return (
      row && {
        tags: numberOf(row, 'tags'),
        manifests: numberOf(row, 'manifests'),
        blobBytes: numberOf(row, 'bytes'),
        pushedAt: row['pushed'] === null ? undefined : timeOf(row, 'pushed'),
      }
    );
  }

  hasBlob(repository: string, digest: string): boolean {
    return this.#get(`select 1 from blobs ${ofRepository} and digest = ?`, repository, digest) !== undefined;
  }

  /** The repositories that have the blob. */
  holdersOf(digest: string): readonly string[] {
    return this.#db.all('select name from repositories join blobs on repository = id where digest = ? order by name', digest).map((row) => textOf(row, 'name'));
  }

  /** Idempotent; the blob counts as used now. */
  linkBlob(repository: string, digest: string, sizeBytes: number): void {
    this.#db.transaction(() => {
      this.#db.run(
        'insert into blobs (repository, digest, size, linked) values (?, ?, ?, ?) on conflict do update set linked = excluded.linked',
        this.#ensure(repository),
        digest,
        sizeBytes,
        this.#now().getTime(),
      );
    });
  }

  /** false: the repository had no such blob. */
  unlinkBlob(repository: string, digest: string): boolean {
    return this.#db.run(`delete from blobs ${ofRepository} and digest = ?`, repository, digest).changes > 0;
  }

  /** Puts a manifest and its tags; one that is there already gets the tags. */
  putManifest({ repository, digest, mediaType, sizeBytes, subject, descriptor, parts, tags }: NewManifest): void {
    this.#db.transaction(() => {
      const id = this.#ensure(repository);
      const at = this.#now().getTime();
      this.#db.run(
        `insert into manifests (repository, digest, media_type, size, subject, descriptor, pushed) values (?, ?, ?, ?, ?, ?, ?)
         on conflict do update set media_type = excluded.media_type, descriptor = excluded.descriptor, pushed = excluded.pushed`,
        id,
        digest,
        mediaType,
        sizeBytes,
        subject ?? null,
        JSON.stringify(descriptor),
        at,
      );
      for (const part of parts)
        this.#db.run('insert into parts (repository, manifest, digest, kind) values (?, ?, ?, ?) on conflict do nothing', id, digest, part.digest, part.kind);
      for (const tag of tags)
        this.#db.run(
          'insert into tags (repository, name, digest, tagged) values (?, ?, ?, ?) on conflict do update set digest = excluded.digest, tagged = excluded.tagged',
          id,
          tag,
          digest,
          at,
        );
    });
  }

  manifest(repository: string, digest: string): ManifestRecord | undefined {
    const row = this.#get(`select * from manifests ${ofRepository} and digest = ?`, repository, digest);
    return row && toManifest(row);
  }

  taggedManifest(repository: string, tag: string): ManifestRecord | undefined {
    const row = this.#get(
      `select manifests.* from tags join manifests using (repository, digest) where repository = (select id from repositories where name = ?) and tags.name = ?`,
      repository,
      tag,
    );
    return row && toManifest(row);
  }

  /** Takes the tags that point at it along. Answers them; undefined: there was no such manifest. */
  deleteManifest(repository: string, digest: string): readonly string[] | undefined {
    return this.#db.transaction(() => {
      const tags = this.#db.all(`select name from tags ${ofRepository} and digest = ? order by name`, repository, digest).map((row) => textOf(row, 'name'));
      return this.#db.run(`delete from manifests ${ofRepository} and digest = ?`, repository, digest).changes > 0 ? tags : undefined;
    });
  }

  /** The digest that it pointed at; undefined: there was no such tag. */
  deleteTag(repository: string, tag: string): string | undefined {
    return this.#db.transaction(() => {
      const row = this.#get(`select digest from tags ${ofRepository} and name = ?`, repository, tag);
      this.#db.run(`delete from tags ${ofRepository} and name = ?`, repository, tag);
      return row && textOf(row, 'digest');
    });
  }

  /** Names in byte order. */
  tags(repository: string, { last = '', limit }: Page): Listed<string> {
    const rows = this.#db.all(`select name from tags ${ofRepository} and name > ? order by name limit ?`, repository, last, limit + 1);
    return listed(rows, limit, (row) => textOf(row, 'name'));
  }

  /** Manifests whose subject is `subject`, by digest. */
  referrers(repository: string, subject: string, { last = '', limit }: Page): Listed<Descriptor> {
    const rows = this.#db.all(
      `select descriptor from manifests ${ofRepository} and subject = ? and digest > ? order by digest limit ?`,
      repository,
      subject,
      last,
      limit + 1,
    );
    return listed(rows, limit, (row) => JSON.parse(textOf(row, 'descriptor')) as Descriptor);
  }

  /** Whether any repository has it, as a blob or a manifest. */
  isUsed(digest: string): boolean {
    return this.#get('select 1 from blobs where digest = ?1 union all select 1 from manifests where digest = ?1', digest) !== undefined;
  }

  /** Takes blobs from repositories that linked them before `before` and have no manifest that names them; answers how many. */
  unlinkUnnamed(before: Date): number {
    return this.#db.run(
      `delete from blobs where linked < ? and not exists
       (select 1 from parts where parts.repository = blobs.repository and parts.digest = blobs.digest and parts.kind = 'blob')`,
      before.getTime(),
    ).changes;
  }

  /**
   * Deletes manifests that were pushed before `before` and that nothing leads to: no tag, no index, and no subject that is there. Answers how many;
   * what only they led to goes the next time.
   */
  deleteUnreachable(before: Date): number {
    return this.#db.run(
      `delete from manifests where pushed < ?
       and not exists (select 1 from tags where tags.repository = manifests.repository and tags.digest = manifests.digest)
       and not exists (select 1 from parts where parts.repository = manifests.repository and parts.digest = manifests.digest and parts.kind = 'manifest')
       and not exists (select 1 from manifests as subjects where subjects.repository = manifests.repository and subjects.digest = manifests.subject)`,
      before.getTime(),
    ).changes;
  }

  /** Deletes manifests that were put before `before`, with their tags; answers how many. */
  deleteOlder(before: Date): number {
    return this.#db.run('delete from manifests where pushed < ?', before.getTime()).changes;
  }

  /** Forgets repositories with nothing in them; answers how many. */
  deleteEmpty(): number {
    return this.#db.run('delete from repositories where id not in (select repository from blobs) and id not in (select repository from manifests)').changes;
  }

  counts(): CatalogueCounts {
    const row = this.#get(
      `select (select count(*) from repositories) as repositories, (select count(*) from manifests) as manifests, (select count(*) from tags) as tags,
       (select count(*) from (select distinct digest from blobs)) as blobs, (select coalesce(sum(size), 0) from (select distinct digest, size from blobs)) as bytes`,
    );
    const count = (name: string) => numberOf(row ?? {}, name);
    return { repositories: count('repositories'), manifests: count('manifests'), tags: count('tags'), blobs: count('blobs'), blobBytes: count('bytes') };
  }

  /** What was acknowledged so far survives a power loss. */
  flush(): void {
    this.#db.checkpoint();
  }

  #get(sql: string, ...values: string[]): Row | undefined {
    return this.#db.get(sql, ...values);
  }

  #idOf(name: string): number | undefined {
    const row = this.#get('select id from repositories where name = ?', name);
    return row && numberOf(row, 'id');
  }

  #ensure(name: string): number {
    return this.#idOf(name) ?? this.#db.run('insert into repositories (name, created) values (?, ?)', name, this.#now().getTime()).lastId;
  }
}

const ofRepository = 'where repository = (select id from repositories where name = ?)';

function toManifest(row: Row): ManifestRecord {
  return { digest: textOf(row, 'digest'), mediaType: textOf(row, 'media_type'), sizeBytes: numberOf(row, 'size'), pushedAt: timeOf(row, 'pushed') };
}

function listed<T>(rows: readonly Row[], limit: number, convert: (row: Row) => T): Listed<T> {
  return { entries: rows.slice(0, limit).map(convert), hasMore: rows.length > limit };
}
