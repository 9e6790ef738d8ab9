#!/bin/sh
# Has nginx read its configuration again, and waits until nothing goes by the old one any more: `nginx -s reload` alone returns before
# the old workers know of it, and what they then take goes to a container that may be gone.
#
#   docker compose exec nginx sh /etc/nginx/deploy/nginx/reload.sh
#
# It ends with 0 when the old workers have ended, or have been told to end GRACE seconds ago: what they still hold by then are
# streams and slow downloads, for a connection that has not said what it wants within client_header_timeout (10 s) is closed.
# It ends with 1 when the configuration is broken; then nothing has changed. Arguments are nginx's own.
set -eu

pid_file=${NGINX_PID:-/var/cache/nginx/nginx.pid}
grace=${GRACE:-12}

nginx -t -q "$@"
master=$(cat "$pid_file")

# workers prints the processes of the master that have a title.
workers() {
  for dir in /proc/[0-9]*; do
    # A process may end between two looks at it.
    { read -r _ _ _ parent _ <"$dir/stat"; } 2>/dev/null || continue
    [ "$parent" = "$master" ] || continue
    title=$(tr -d '\0' 2>/dev/null <"$dir/cmdline") || continue
    [ "$title" != "$1" ] || echo "${dir#/proc/}"
  done
}

# left says whether one of the workers of before has a title now.
left() {
  for now in $(workers "$1"); do
    for old in $before; do
      if [ "$now" = "$old" ]; then return 0; fi
    done
  done
  return 1
}

before=$(workers 'nginx: worker process')
nginx -s reload "$@"

tries=300 # of a tenth of a second
while left 'nginx: worker process'; do
  tries=$((tries - 1))
  if [ "$tries" -eq 0 ]; then
    echo 'nginx does not take its new configuration: its log says why.' >&2
    exit 1
  fi
  sleep 0.1
done
tries=$((grace * 10))
while [ "$tries" -gt 0 ] && left 'nginx: worker process is shutting down'; do
  tries=$((tries - 1))
  sleep 0.1
done
