#!/bin/sh
# The first process of the emulated machine: a pure cgroup v2 tree whose root hands out every controller, then the
# tests. What they print goes to the second serial line, and "strake: exit N" to the kernel's messages.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8
value() { sed -n "s/.*strake\.$1=\([^ ]*\).*/\1/p" /proc/cmdline; }

mkdir -p /dev/pts /dev/shm /dev/mqueue
mount -t devpts -o mode=620,ptmxmode=666,gid=5 devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t mqueue mqueue /dev/mqueue
mount -t tmpfs tmpfs /run
repository=$(value repository)
mkdir /run/repository
mount --rbind "$repository" /run/repository
mount /dev/vda /tmp # not a tmpfs: it has id-mapped mounts only since 6.3
rmdir /tmp/lost+found
chmod 1777 /tmp
if [ ! -d "$repository" ]; then # it lies below /tmp
  mkdir -p "$repository"
  mount --rbind /run/repository "$repository"
fi
mount -t cgroup2 cgroup2 /sys/fs/cgroup
for controller in $(cat /sys/fs/cgroup/cgroup.controllers); do echo "+$controller" >/sys/fs/cgroup/cgroup.subtree_control; done
echo 8 >/proc/sys/vm/nr_hugepages
ip link set lo up
hostname strake-v2

cd "$repository" || exit
stty -F /dev/ttyS1 raw -echo
sh "$(value command)" >/dev/ttyS1 2>&1
echo "strake: exit $?" >/dev/kmsg
sleep 0.2
sync
echo o >/proc/sysrq-trigger
sleep 60
