#!/bin/sh
# world-enter.sh NAME COMMAND…: joins the cgroup NAME in every hierarchy, then runs COMMAND (an unshare or nsenter):
# a process that enters a cgroup namespace from outside would see itself in "/..".
set -e
name=$1
shift
for dir in $STRAKE_WORLD_HIERARCHIES; do echo $$ >"$dir/$name/cgroup.procs"; done
unset STRAKE_WORLD_HIERARCHIES
exec "$@"
