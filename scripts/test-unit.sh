#!/usr/bin/env bash
# Starts deploy/doorward.service with all its hardening, by a systemd that runs in namespaces on a small Debian of its own.
#   scripts/test-unit.sh BINARY [FOLDER]     FOLDER: where the Debian is, or is to be kept, so that the next run need not make it again
# Needs root, and Debian's archive for what debootstrap fetches. By hand: it is not part of .ci/run.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/lib.sh

binary=$(realpath "${1:?which binary?}")
[ "$(id -u)" = 0 ] || die "namespaces are made by root"
command -v debootstrap >/dev/null || as_root debootstrap apt-get install -y --no-install-recommends debootstrap
command -v pgrep >/dev/null || as_root procps apt-get install -y --no-install-recommends procps
command -v ip >/dev/null || as_root iproute2 apt-get install -y --no-install-recommends iproute2
work=$(mktemp -d /var/tmp/doorward-unit-XXXXXX)
root=$(realpath -m "${2:-$work/debian}")
group=doorward-unit-$$
keeper=
clean_up() {
  local hierarchy
  if [ -n "$keeper" ]; then kill -9 "$keeper" && wait "$keeper" || true; fi 2>/dev/null
  for hierarchy in /sys/fs/cgroup /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do
    # What was killed is in its group until it has gone.
    for _ in $(seq 100); do
      [ -d "$hierarchy/$group" ] || break
      find "$hierarchy/$group" -depth -type d -exec rmdir {} \; 2>/dev/null || sleep 0.1
    done
  done
  rm -rf "$work"
}
trap clean_up EXIT

# until_true WHAT COMMAND…: waits until a command succeeds, half a minute at most.
until_true() {
  local what=$1 deadline=$((SECONDS + 30))
  shift
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$deadline" ] || die "not within 30 s: $what"
    sleep 0.1
  done
}

say "A Debian"
[ -e "$root/lib/systemd/systemd" ] ||
  debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus bookworm "$root" >"$work/debootstrap.log" 2>&1 ||
  { tail -n 5 "$work/debootstrap.log"; die "debootstrap failed"; }

say "Installed, as the head of the unit says"
install -m 0755 "$binary" "$root/usr/local/bin/doorward"
cp deploy/doorward.service "$root/etc/systemd/system/"
grep -q ^doorward: "$root/etc/passwd" || chroot "$root" sh -c "$(sed -n 's/^# .*`\(useradd .*\)`.*/\1/p' deploy/doorward.service)"
rm -rf "$root/etc/doorward" "$root/var/lib/doorward"
mkdir -p "$root/etc/doorward"
printf 'listen = "127.0.0.1:8080"\npublic_url = "https://login.example.org"\n' >"$root/etc/doorward/doorward.toml"
echo "DOORWARD_SERVICE_NAME='from the environment file'" >"$root/etc/doorward/environment"
chroot "$root" sh -c 'cd /etc/doorward; chmod 600 environment; chgrp doorward doorward.toml; chmod 640 doorward.toml
  : >/etc/machine-id; systemctl mask --quiet getty.target console-getty.service systemd-networkd.service systemd-resolved.service'

say "systemd"
# Below a control group of its own, for it moves the processes that it finds.
for hierarchy in /sys/fs/cgroup /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do
  [ ! -e "$hierarchy/cgroup.procs" ] || mkdir "$hierarchy/$group"
done
cat >"$work/boot" <<'BOOT'
for folder in /sys/fs/cgroup /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do
  [ ! -d "$folder/$2" ] || echo $$ >"$folder/$2/cgroup.procs"
done
exec unshare --cgroup --pid --fork --kill-child --mount --net --uts --ipc bash -euc '
  v1=$([ -e /sys/fs/cgroup/cgroup.procs ] || echo yes)
  mount --bind "$1" "$1"
  cd "$1"
  mount -t proc proc proc
  mount -t sysfs sysfs sys
  if [ "$v1" ]; then
    mount -t tmpfs tmpfs sys/fs/cgroup
    mkdir sys/fs/cgroup/unified sys/fs/cgroup/systemd
    mount -t cgroup2 none sys/fs/cgroup/unified
    mount -t cgroup -o none,name=systemd none sys/fs/cgroup/systemd
  else
    mount -t cgroup2 none sys/fs/cgroup
  fi
  mount -t tmpfs -o mode=755 tmpfs dev
  for device in null zero full random urandom tty; do touch dev/$device; mount --bind /dev/$device dev/$device; done
  mkdir dev/pts dev/shm
  mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
  mount -t tmpfs tmpfs dev/shm
  ln -s pts/ptmx dev/ptmx
  ln -s /proc/self/fd dev/fd
  mount -t tmpfs -o mode=755 tmpfs run
  ip link set lo up
  mkdir -p outside
  pivot_root . outside
  cd /
  umount -l outside
  exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd' bash "$1"
BOOT
bash "$work/boot" "$root" "$group" </dev/null >"$work/boot.log" 2>&1 &
keeper=$!
inside() { nsenter --target "$(pgrep -P "$keeper")" --all -- "$@"; }
until_true "systemd answers" inside systemctl list-jobs
inside systemctl enable --quiet --now doorward

say "What it does"
cat >"$work/checks" <<'CHECKS'
set -euo pipefail
shown() { systemctl show -P "$1" doorward; }
must() { if [ "$2" = "$3" ]; then echo "ok: $1: $2"; else echo "WRONG: $1: $2, not $3"; exit 1; fi; }
becomes() {
  for _ in $(seq 300); do [ "$(eval "$2" 2>/dev/null)" != "$3" ] || break; sleep 0.1; done
  must "$1" "$(eval "$2")" "$3"
}
answer() {
  local body=${2-}
  exec 3<>/dev/tcp/127.0.0.1/8080
  printf '%s HTTP/1.1\r\nHost: login.example.org\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: %s\r\n\r\n%s' "$1" "${#body}" "$body" >&3
  head -n 1 <&3 | cut -d' ' -f2
}
becomes "ready" "answer 'GET /health/ready'" 200
doorward() (
  set -a
  . /etc/doorward/environment
  exec runuser -u doorward -- /usr/local/bin/doorward --config /etc/doorward/doorward.toml --data-dir /var/lib/doorward "$@"
)
echo 'quartz lantern 77 hum' | doorward user create --email anna@example.org --username anna --password-stdin
must "a sign-in, hashed under the filter of system calls" \
  "$(answer 'POST /auth/v1/sign-in/password' '{"identifier":"anna","password":"quartz lantern 77 hum"}')" 200
process=$(shown MainPID)
must "account" "$(stat -c %U /proc/$process)" doorward
must "environment file" "$(tr '\0' '\n' </proc/$process/environ | grep ^DOORWARD_)" "DOORWARD_SERVICE_NAME=from the environment file"
must "capabilities, effective and bounding" "$(sed -nE 's/^Cap(Eff|Bnd):\t0*/0/p' /proc/$process/status | tr '\n' ' ')" "0 0 "
must "no new privileges, filter" "$(sed -nE 's/^(NoNewPrivs|Seccomp):\t//p' /proc/$process/status | tr '\n' ' ')" "1 2 "
must "niceness of the threads that hash" \
  "$(awk '$2 ~ /password-hash/ { print $19 }' /proc/$process/task/*/stat | sort -u | tr '\n' ' ')" "5 "
must "its folder and files" "$(stat -c '%U %a' /var/lib/doorward /var/lib/doorward/doorward.db | tr '\n' ' ')" "doorward 700 doorward 600 "
must "/etc can be written" "$(nsenter --target "$process" --mount touch /etc/x 2>/dev/null && echo yes || echo no)" no
kill -9 "$process"
becomes "restarts after kill -9" "shown NRestarts" 1
becomes "ready again" "answer 'GET /health/ready'" 200
systemctl stop doorward
must "stopped" "$(shown Result) $(shown ExecMainStatus) $(shown ActiveState)" "success 0 inactive"
echo 'nonsense = 1' >>/etc/doorward/doorward.toml
systemctl start doorward || true
becomes "a wrong configuration is not tried again" 'echo "$(shown ActiveState) $(shown ExecMainStatus) $(shown NRestarts)"' "failed 2 0"
CHECKS
inside bash <"$work/checks" || { inside journalctl --unit doorward --no-pager --lines 20; die "the unit does not do what it should"; }
