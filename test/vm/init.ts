/** Markers around a command's output on the serial line. */
export const BEGIN = "@@cais-begin@@\n";
export const END = /@@cais-end (\d+)@@\n/;

/**
 * The guest's first program: busybox's shell. It goes on in a second stage behind a bind mount of the root on
 * itself, because `pivot_root`, which containers need, refuses to work on the kernel's first root.
 */
export const INIT = `#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /tmp /run /root /mnt
/bin/busybox mount -t proc proc /proc
/bin/busybox --install -s /bin
mount --bind / /mnt
cd /mnt
mount --move . /
exec chroot . /stage2
`;

/** The first program after that, unless it is systemd: the command, and off. */
export const RUN = "/bin/sh /run-command";

/**
 * Kernel file systems, modules in order, cgroup v2 alone with every controller given to children; then what becomes
 * the first program for good.
 */
export const stage2 = (init: string): string => `#!/bin/sh
export PATH=/bin:/sbin:/usr/bin:/usr/sbin HOME=/root NO_COLOR=1 TMPDIR=/tmp TERM=dumb
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts -o ptmxmode=0666 devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs tmpfs /tmp
mount -t tmpfs tmpfs /run
ln -s /proc/self/fd /dev/fd
mount -t cgroup2 none /sys/fs/cgroup
for name in $(cat /sys/fs/cgroup/cgroup.controllers); do echo +$name > /sys/fs/cgroup/cgroup.subtree_control; done
while read -r module; do insmod $module || echo "no $module" > /dev/kmsg; done < /modules.list
ip link set lo up
dmesg -n 1
exec ${init}
`;

/** The command, between the markers, and off. */
export const RUN_COMMAND = `export PATH=/bin:/sbin:/usr/bin:/usr/sbin HOME=/root NO_COLOR=1 TMPDIR=/tmp TERM=dumb
stty -opost <&1
printf '@@cais-begin@@\\n'
sh /command < /dev/null 2>&1
printf '@@cais-end %d@@\\n' $?
poweroff -f
`;
