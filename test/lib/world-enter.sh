#!/bin/sh
# world-enter.sh NAME COMMAND…: joins the cgroup NAME in every hierarchy, then runs COMMAND (an unshare or nsenter):
# a process that enters a cgroup namespace from outside would see itself in "/..". A world with v2 controllers has a
# leaf for its processes.
set -e
name=$1
shift
for dir in $STRAKE_WORLD_HIERARCHIES; do
  if [ -d "$dir/$name/processes" ]; then leaf=/processes; else leaf=; fi
  echo $$ >"$dir/$name$leaf/cgroup.procs"
done
unset STRAKE_WORLD_HIERARCHIES
exec "$@"
