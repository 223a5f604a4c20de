/**
 * The schema, one step a version (`pragma user_version`); a released step never changes. Times are ms since the epoch; labels, descriptors and
 * configurations are JSON.
 */
export const migrations: readonly string[] = [
  `
  create table blobs (digest text primary key, size integer not null, created integer not null, updated integer not null, labels text not null) strict;
  create table ingests (
    id integer primary key autoincrement, ref text not null unique, expected text, total integer, started integer not null, updated integer not null
  ) strict;
  create table images (name text primary key, target text not null, labels text not null, created integer not null, updated integer not null) strict;
  create table containers (
    id text primary key, labels text not null, image text not null, snapshot_key text not null, spec text, extensions text not null,
    created integer not null, updated integer not null
  ) strict;
  create table snapshots (
    id integer primary key autoincrement, key text not null unique, parent integer references snapshots (id), kind text not null, labels text not null,
    created integer not null, updated integer not null, size integer, inodes integer
  ) strict;
  create index snapshot_parents on snapshots (parent);
  create table facts (name text primary key, value integer not null) strict
  `,
  `
  create table leases (id text primary key, labels text not null, created integer not null) strict;
  create table lease_resources (
    lease text not null references leases (id) on delete cascade, type text not null, resource text not null, primary key (lease, type, resource)
  ) strict
  `,
  `
  alter table snapshots add column parent_key text;
  alter table snapshots add column sum text;
  create index snapshot_parent_keys on snapshots (parent_key)
  `,
];
