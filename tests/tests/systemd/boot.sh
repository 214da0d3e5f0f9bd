#!/usr/bin/env bash
# Boots a systemd of its own, on a copy of this machine that is thrown away, and
# has it run a script as root: boot.sh DIRECTORY. In DIRECTORY are `script`, and
# `release`, which is to be found as /release; what the script writes comes to
# `output`, and its exit code to `code`.
set -euo pipefail
directory=$1

# The new systemd has cgroups of its own, below that of this process.
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
    parents=(/sys/fs/cgroup)
else
    parents=(/sys/fs/cgroup/systemd)
    [ ! -d /sys/fs/cgroup/unified ] || parents+=(/sys/fs/cgroup/unified)
fi
mine="countersign-test-$$"
remove() {
    for parent in "${parents[@]}"; do
        echo $$ >"$parent/cgroup.procs" || true
        [ ! -d "$parent/$mine" ] || find "$parent/$mine" -depth -type d -exec rmdir {} +
    done
}
trap remove EXIT
for parent in "${parents[@]}"; do
    mkdir "$parent/$mine"
    echo $$ >"$parent/$mine/cgroup.procs"
done

: >"$directory/output"
# shellcheck disable=SC2016 # the new shell is to read these
timeout --signal=KILL 280 unshare --mount --pid --net --ipc --uts --cgroup --fork --kill-child \
    bash -euc '
directory=$1
mount --make-rprivate /
mkdir -p "$directory/copy"
mount -t tmpfs none "$directory/copy"
cd "$directory/copy"
mkdir changes work root
mount -t overlay none -o lowerdir=/,upperdir=changes,workdir=work root
cd root
mount -t proc none proc
mount -t sysfs none sys
mount -t tmpfs none run
mount -t tmpfs none tmp
mount -t tmpfs none dev
for node in "null 3" "zero 5" "full 7" "random 8" "urandom 9"; do
    mknod -m 666 dev/${node% *} c 1 ${node#* }
done
mknod -m 666 dev/tty c 5 0
touch dev/console
mkdir dev/shm dev/pts
mount -t tmpfs none dev/shm
mount -t devpts -o newinstance,ptmxmode=666 none dev/pts
ln -s pts/ptmx dev/ptmx
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
    mount -t cgroup2 none sys/fs/cgroup
else
    mount -t tmpfs none sys/fs/cgroup
    mkdir sys/fs/cgroup/systemd sys/fs/cgroup/unified
    mount -t cgroup -o none,name=systemd none sys/fs/cgroup/systemd
    mount -t cgroup2 none sys/fs/cgroup/unified
fi
mkdir -p release outside
mount --bind "$directory/release" release
mount --bind "$directory" outside
ip link set lo up

# Of the units of this machine none is wanted but the journal.
rm -rf etc/systemd/system/*
mkdir -p etc/systemd/system var/log/journal
for unit in systemd-udevd.service systemd-udevd-control.socket systemd-udevd-kernel.socket \
    systemd-udev-trigger.service systemd-modules-load.service systemd-sysctl.service \
    systemd-random-seed.service systemd-remount-fs.service systemd-timesyncd.service; do
    ln -s /dev/null etc/systemd/system/$unit
done
cat >etc/systemd/system/script.service <<UNIT
[Unit]
Wants=systemd-journald.service dbus.socket
After=systemd-journald.service dbus.socket
[Service]
Type=oneshot
WorkingDirectory=/release
Environment=HOME=/root
ExecStart=/bin/bash -c "bash /outside/script >/outside/output 2>&1; echo \$? >/outside/code"
ExecStopPost=/bin/systemctl --force --force poweroff
UNIT
pivot_root . mnt
umount -l mnt
# As where systemd is the first process of a machine: credentials need it.
mount --make-rshared /
exec env -i container=test PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    /lib/systemd/systemd --system --unit=script.service --log-target=journal
' bash "$directory" || true
[ -e "$directory/code" ] || { echo "the script did not end" >>"$directory/output"; exit 1; }
