#!/bin/sh
# Turns a mount namespace of its own, inside a test world, into the peer root: ROOT becomes /, a mount point (dockerd
# insists), with fresh /run and /tmp. Each further argument is a SOURCE:TARGET that is seen there too, so that sockets and volumes have one name
# on both sides.
# The v2 tree of a hybrid machine is unmounted, here alone (crun refuses it), unless KEEP_UNIFIED is set. Lives until its stdin ends.
set -e
root=$1
shift
exec 3<&0
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mkdir -p "$root/run/old"
for bind in "$@"; do
  target=$root${bind#*:}
  mkdir -p "$target"
  mount --bind "${bind%%:*}" "$target"
done
[ -n "$KEEP_UNIFIED" ] || ! mountpoint -q "$root/sys/fs/cgroup/unified" || umount "$root/sys/fs/cgroup/unified"
cd "$root"
pivot_root . run/old
umount -l /run/old
rmdir /run/old
# The holder itself says so: what comes after its word is not a process more.
echo ready >/run/ready
exec cat /run/ready - <&3
