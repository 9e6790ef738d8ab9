# shellcheck shell=bash
# Sourced by deploy.sh and rollback.sh after installation.sh: how one release takes the place of another. A release is a version
# of the images api, worker and web; the running one is SMARKET_VERSION in ENV_FILE, earlier ones are in DEPLOY_STATE/history.

DEPLOY_STATE=${DEPLOY_STATE:-$root/.deploy}
UPSTREAMS=${UPSTREAMS:-$root/deploy/nginx/upstreams}
HEALTH_CHECK=${HEALTH_CHECK:-$root/scripts/health_check.sh}
HEALTH_PAUSE=${HEALTH_PAUSE:-5} # seconds
ROLL_TIMEOUT=${ROLL_TIMEOUT:-120}
IMAGES=(api worker web)
PORT=8080 # of api and web, inside their network

# lock_deployment keeps two from replacing containers at once. The lock ends with the process.
lock_deployment() {
  mkdir -p "$DEPLOY_STATE" || die "$EXIT_CONFIG" "DEPLOY_STATE cannot be made"
  exec 8>"$DEPLOY_STATE/lock"
  flock -n 8 || die "$EXIT_LOCKED" "another deployment or rollback runs"
}

image() { # service, version
  printf '%s%s:%s' "$(setting IMAGE_PREFIX smarket-)" "$1" "$2"
}

have_images() { # version
  local service
  for service in "${IMAGES[@]}"; do
    docker image inspect "$(image "$service" "$1")" >/dev/null 2>&1 || return 1
  done
}

# containers prints the ids of a service's running containers, one a line.
containers() { compose ps --quiet --status running "$1"; }

# point_edge_at SERVICE NAME...: the edge asks these, and no longer others. A file is moved over the old one, so that no reader
# sees half of it. On a fault in the configuration nothing is reloaded and the former file is put back.
point_edge_at() {
  local service=$1 file=$UPSTREAMS/$1.conf
  cp -p "$file" "$file.former" || return 1
  sed -E "s|(default ).*;( *\})|\1$2:$PORT;\2|" "$file.former" >"$file.new" && chmod --reference="$file.former" "$file.new" &&
    mv "$file.new" "$file" || return 1
  if reload_edge; then
    rm -f "$file.former"
    return
  fi
  mv "$file.former" "$file"
  say "the edge refuses to name $2 for $service; the former file is back"
  return 1
}

# reload_edge takes up what changed in the edge's files, and ends when nothing goes by the former ones any more; in failure when
# they are wrong. Without an edge it does nothing.
reload_edge() {
  [ -n "$(containers nginx)" ] || return 0
  compose exec -T nginx sh /etc/nginx/deploy/nginx/reload.sh
}

# await_health waits until a container is healthy. Not when it ends, is unhealthy, or takes longer than ROLL_TIMEOUT.
await_health() {
  local state until=$((SECONDS + ROLL_TIMEOUT))
  while ((SECONDS < until)); do
    state=$(docker inspect --format '{{.State.Status}} {{.State.Health.Status}} {{.RestartCount}}' "$1") || return 1
    case $state in
      'running healthy 0') return ;;
      'running starting 0') ;;
      *) break ;;
    esac
    sleep 1
  done
  say "the new container is: ${state:-unknown}; its last lines:"
  docker logs --tail 20 "$1" >&2 || true
  return 1
}

# roll SERVICE VERSION replaces the containers of a service that the edge asks, and loses no request: the new one runs and is
# healthy before the edge asks it, and the old one ends after the edge has stopped asking it. On failure the old one goes on.
roll() {
  local service=$1 version=$2 old new name
  old=$(containers "$service")
  SMARKET_VERSION=$version compose up --detach --no-deps --no-build --no-recreate \
    --scale "$service=$(($(grep -c . <<<"$old") + 1))" "$service" || return 1
  new=$(containers "$service" | grep -vxF "${old:-none}") || true
  if [ "$(grep -c . <<<"$new")" -ne 1 ]; then
    say "no new container of $service runs"
    return 1
  fi
  name=$(docker inspect --format '{{.Name}}' "$new") || return 1
  if ! await_health "$new" || ! point_edge_at "$service" "${name#/}"; then
    docker rm --force "$new" >/dev/null
    return 1
  fi
  if [ -n "$old" ]; then
    # shellcheck disable=SC2086 # one word each
    docker stop $old >/dev/null && docker rm $old >/dev/null || return 1
  fi
  # Alone, the new one answers to the service's name: the file is as the repository has it, also after the host was restarted.
  point_edge_at "$service" "$service"
}

# runs VERSION SERVICE says whether all of the service's running containers are of that version, and there is one.
runs() {
  local id wanted found=
  wanted=$(image "$2" "$1")
  for id in $(containers "$2"); do
    [ "$(docker inspect --format '{{.Config.Image}}' "$id")" = "$wanted" ] || return 1
    found=1
  done
  [ -n "$found" ]
}

# switch_to VERSION rolls api, then the worker, then the page. With "missing" as second argument, what runs that version stays.
# The worker is stopped before its successor starts: it gives its jobs back, and nobody waits for it but the queue.
switch_to() {
  local version=$1 only=${2:-} service
  for service in api worker web; do
    if [ "$only" = missing ] && runs "$version" "$service"; then continue; fi
    say "replacing $service by $version"
    case $service in
      worker) SMARKET_VERSION=$version compose up --detach --no-deps --no-build --wait --wait-timeout "$ROLL_TIMEOUT" worker || return 1 ;;
      *) roll "$service" "$version" || return 1 ;;
    esac
  done
}

# verify VERSION asks the health check, a few times: a queue may need a moment after a restart. Degraded (exit code 1) is said and
# is no failure: a backup that is too old is no fault of the release.
verify() {
  local attempt code
  for attempt in 1 2 3; do
    code=0
    SMARKET_VERSION=$1 "$HEALTH_CHECK" --json || code=$?
    if ((code == 1)); then say "the installation is degraded: see above"; fi
    if ((code <= 1)); then return; fi
    say "health check $attempt of 3 failed"
    if ((attempt < 3)); then sleep "$HEALTH_PAUSE"; fi
  done
  return 1
}

# remember VERSION in ENV_FILE, from where every later command of Compose takes it, and in the history.
remember() {
  local version=$1 new=$ENV_FILE.new
  (umask 077 && { grep -v '^SMARKET_VERSION=' "$ENV_FILE" || true; } >"$new" && printf 'SMARKET_VERSION=%s\n' "$version" >>"$new") &&
    chmod --reference="$ENV_FILE" "$new" && mv "$new" "$ENV_FILE" || return 1
  note "$version"
}

# note VERSION in the history, as the newest, which is the last line.
note() {
  local version=$1 history=$DEPLOY_STATE/history
  touch "$history"
  { grep -vxF "$version" "$history" || true; } >"$history.new" && printf '%s\n' "$version" >>"$history.new" && mv "$history.new" "$history"
}

# forget_after VERSION drops what is newer than it from the history.
forget_after() {
  local history=$DEPLOY_STATE/history
  [ -e "$history" ] || return 0
  awk -v version="$1" '{ print } $0 == version { exit }' "$history" >"$history.new" && mv "$history.new" "$history"
}

# previous VERSION prints the release before it.
previous() {
  [ -e "$DEPLOY_STATE/history" ] || return 0
  awk -v version="$1" '$0 == version { print before; exit } { before = $0 }' "$DEPLOY_STATE/history"
}

# remove_old_images keeps those of the newest KEEP releases.
remove_old_images() {
  local keep=$1 service tag
  for service in "${IMAGES[@]}"; do
    docker image ls --format '{{.Tag}}' "$(setting IMAGE_PREFIX smarket-)$service" |
      { grep -vxF -f <(tail -n "$keep" "$DEPLOY_STATE/history") || true; } | while read -r tag; do
      if docker image rm "$(image "$service" "$tag")" >/dev/null 2>&1; then say "removed $service:$tag"; fi
    done
  done
}
