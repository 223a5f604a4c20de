#!/bin/busybox sh
# /init of the initramfs (busybox has every applet that is called). Loads the modules in the order of their names, mounts
# the machine's directories that the kernel command line names in "strake.shares=TAG:PATH,…" (the first is the root's
# tree), and goes over to them. All that is written goes to memory.
set -e
/bin/busybox mkdir -p /bin /proc /sys /dev /lower /upper /new
/bin/busybox --install -s /bin
export PATH=/bin
trap 'echo "strake: the boot failed"; echo o >/proc/sysrq-trigger; sleep 10' EXIT
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
for module in /modules/*.ko; do insmod "$module"; done

share() { mount -t 9p -o trans=virtio,version=9p2000.L,msize=1048576,cache=loose,ro "$1" "$2"; }
shares=$(sed -n 's/.*strake\.shares=\([^ ]*\).*/\1/p' /proc/cmdline | tr , ' ')
for entry in $shares; do
  tag=${entry%%:*} path=${entry#*:}
  if [ "$path" = / ]; then
    share "$tag" /lower
    mount -t tmpfs -o size=75% tmpfs /upper
    mkdir /upper/changes /upper/work
    mount -t overlay -o lowerdir=/lower,upperdir=/upper/changes,workdir=/upper/work overlay /new
  else
    mkdir -p "/new$path"
    share "$tag" "/new$path"
  fi
done
guest=$(sed -n 's/.*strake\.guest=\([^ ]*\).*/\1/p' /proc/cmdline)
for dir in proc sys dev; do mount --move "/$dir" "/new/$dir"; done
trap - EXIT
exec switch_root /new /bin/sh "$guest"
