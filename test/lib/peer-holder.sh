#!/bin/sh
# Turns a mount namespace of its own, inside a test world, into the peer root: ROOT becomes /, a mount point (dockerd
# insists), with fresh /run and /tmp. WORK is seen at the same path on both sides, so sockets and volumes have one name; PEERS (the cache with the test
# registry's storage) is /peers.
# The v2 tree is unmounted, here alone: crun refuses hybrid cgroups. Lives until its stdin ends.
set -e
root=$1 work=$2 peers=$3
exec 3<&0
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mkdir -p "$root$work" "$root/run/old"
mount --bind "$work" "$root$work"
mkdir -p "$root/peers"
mount --bind "$peers" "$root/peers"
! mountpoint -q "$root/sys/fs/cgroup/unified" || umount "$root/sys/fs/cgroup/unified"
cd "$root"
pivot_root . run/old
umount -l /run/old
rmdir /run/old
echo ready
cat <&3 >/dev/null &
wait
