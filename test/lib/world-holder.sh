#!/bin/sh
# The first process of a test world: pid 1 of its pid namespace, owner of its network, mount and cgroup namespaces.
# Arguments: one "TYPE:OPTIONS:PATH" per cgroup hierarchy of the machine. It lives until its stdin ends (fd 3), so
# that a test runner that dies takes its world with it: the kernel kills the rest of the pid namespace.
set -e
exec 3<&0
mount -t proc proc /proc
# /sys shows the links of the network namespace that mounted it.
cgroups=$(mktemp -d)
mount --rbind /sys/fs/cgroup "$cgroups"
mount -t sysfs sysfs /sys
mount --rbind "$cgroups" /sys/fs/cgroup
umount -l "$cgroups"
rmdir "$cgroups"
for hierarchy in "$@"; do
  type=${hierarchy%%:*} rest=${hierarchy#*:}
  umount "${rest#*:}"
  mount -t "$type" -o "${rest%%:*}" "$type" "${rest#*:}"
done
ip link set lo up
echo ready
cat <&3 >/dev/null &
wait
