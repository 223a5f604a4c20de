/**
 * What the registry knows about its content, one step a version; a released step never changes. The content itself is in the content store, once
 * for all repositories; a row says that a repository has it. Times are ms since the epoch, `descriptor` is JSON.
 */
export const registrySchema: readonly string[] = [
  `
  create table repositories (id integer primary key, name text not null unique, created integer not null) strict;
  create table blobs (
    repository integer not null references repositories (id), digest text not null, size integer not null, linked integer not null,
    primary key (repository, digest)
  ) strict, without rowid;
  create index blobs_by_digest on blobs (digest);
  create table manifests (
    repository integer not null references repositories (id), digest text not null, media_type text not null, size integer not null, subject text,
    descriptor text not null, pushed integer not null, primary key (repository, digest)
  ) strict, without rowid;
  create index manifests_by_digest on manifests (digest);
  create index manifests_by_subject on manifests (repository, subject) where subject is not null;
  create table parts (
    repository integer not null, manifest text not null, digest text not null, kind text not null,
    primary key (repository, manifest, digest, kind),
    foreign key (repository, manifest) references manifests (repository, digest) on delete cascade
  ) strict, without rowid;
  create index parts_by_digest on parts (repository, digest);
  create table tags (
    repository integer not null, name text not null, digest text not null, tagged integer not null, primary key (repository, name),
    foreign key (repository, digest) references manifests (repository, digest) on delete cascade
  ) strict, without rowid;
  create index tags_by_digest on tags (repository, digest);
  create table uploads (id text primary key, repository text not null, started integer not null, used integer not null) strict
  `,
];
