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
  // Everything belongs to a namespace; what was there before is the Engine's. A table whose key changes is made anew; numbers of directories go on after the last.
  `
  create table namespaces (name text primary key, labels text not null) strict;
  insert into namespaces (name, labels) values ('moby', '{}');

  create table blobs_4 (
    namespace text not null, digest text not null, size integer not null, created integer not null, updated integer not null, labels text not null,
    primary key (namespace, digest)
  ) strict;
  insert into blobs_4 select 'moby', digest, size, created, updated, labels from blobs;
  drop table blobs;
  alter table blobs_4 rename to blobs;
  create index blob_digests on blobs (digest);

  create table ingests_4 (
    id integer primary key autoincrement, namespace text not null, ref text not null, expected text, total integer, started integer not null,
    updated integer not null, shared integer not null default 0, unique (namespace, ref)
  ) strict;
  insert into ingests_4 (id, namespace, ref, expected, total, started, updated) select id, 'moby', ref, expected, total, started, updated from ingests;
  insert into sqlite_sequence (name, seq) select 'ingests_4', 0 where not exists (select 1 from sqlite_sequence where name = 'ingests_4');
  update sqlite_sequence set seq = coalesce((select seq from sqlite_sequence where name = 'ingests'), 0) where name = 'ingests_4';
  drop table ingests;
  alter table ingests_4 rename to ingests;

  create table images_4 (
    namespace text not null, name text not null, target text not null, labels text not null, created integer not null, updated integer not null,
    primary key (namespace, name)
  ) strict;
  insert into images_4 select 'moby', name, target, labels, created, updated from images;
  drop table images;
  alter table images_4 rename to images;

  create table containers_4 (
    namespace text not null, id text not null, labels text not null, image text not null, runtime text not null, runtime_options text,
    spec text not null, snapshotter text not null, snapshot_key text not null, sandbox text not null, extensions text not null,
    created integer not null, updated integer not null, primary key (namespace, id)
  ) strict;
  insert into containers_4
    select 'moby', id, labels, image, 'io.containerd.strake.v2', null,
      json_object('typeUrl', 'types.containerd.io/opencontainers/runtime-spec/1/Spec', 'text', coalesce(spec, '{}')),
      iif((select value from facts where name = 'snapshotter is native') = 1, 'native', 'overlayfs'), snapshot_key, '',
      case when json_valid(extensions) then
        (select json_group_object(key, json_object('typeUrl', 'strake/container', 'text', iif(type in ('object', 'array'), value, json_quote(value)) || ''))
          from json_each(extensions))
      else extensions end, created, updated
    from containers;
  drop table containers;
  alter table containers_4 rename to containers;

  create table snapshots_4 (
    id integer primary key autoincrement, namespace text not null, snapshotter text not null, key text not null, parent integer, parent_key text,
    kind text not null, labels text not null, created integer not null, updated integer not null, size integer, inodes integer, sum text,
    unique (namespace, snapshotter, key)
  ) strict;
  insert into snapshots_4
    select id, 'moby', iif((select value from facts where name = 'snapshotter is native') = 1, 'native', 'overlayfs'), key, parent, parent_key, kind, labels,
      created, updated, size, inodes, sum from snapshots;
  insert into sqlite_sequence (name, seq) select 'snapshots_4', 0 where not exists (select 1 from sqlite_sequence where name = 'snapshots_4');
  update sqlite_sequence set seq = coalesce((select seq from sqlite_sequence where name = 'snapshots'), 0) where name = 'snapshots_4';
  drop table snapshots;
  alter table snapshots_4 rename to snapshots;
  create index snapshot_parents on snapshots (parent);
  create index snapshot_parent_keys on snapshots (parent_key);
  delete from facts where name = 'snapshotter is native';

  create table leases_4 (namespace text not null, id text not null, labels text not null, created integer not null, primary key (namespace, id)) strict;
  create table lease_resources_4 (
    namespace text not null, lease text not null, type text not null, resource text not null, primary key (namespace, lease, type, resource),
    foreign key (namespace, lease) references leases_4 (namespace, id) on delete cascade
  ) strict;
  insert into leases_4 select 'moby', id, labels, created from leases;
  insert into lease_resources_4 select 'moby', lease, type, resource from lease_resources where lease in (select id from leases);
  drop table lease_resources;
  drop table leases;
  alter table leases_4 rename to leases;
  alter table lease_resources_4 rename to lease_resources;

  create table sandboxes (
    namespace text not null, id text not null, labels text not null, runtime text not null, runtime_options text, spec text, sandboxer text not null,
    extensions text not null, created integer not null, updated integer not null, primary key (namespace, id)
  ) strict
  `,
  `
  create table unsynced_snapshots (id integer primary key references snapshots (id) on delete cascade, boot text not null) strict
  `,
  // The Engine's namespace is no other than the rest: one where nothing is stored is not there.
  `
  delete from namespaces where name = 'moby' and labels = '{}' and not exists (
    select 1 from blobs where namespace = 'moby' union all select 1 from ingests where namespace = 'moby' union all select 1 from images where namespace = 'moby'
    union all select 1 from containers where namespace = 'moby' union all select 1 from snapshots where namespace = 'moby'
    union all select 1 from leases where namespace = 'moby' union all select 1 from sandboxes where namespace = 'moby'
  )
  `,
];
