#!/usr/bin/env bash
# Puts a release into service. `scripts/deploy.sh --help` says how.
set -euo pipefail
here=$(dirname "$0")
# shellcheck source=lib/installation.sh
. "$here/lib/installation.sh"
# shellcheck source=lib/release.sh
. "$here/lib/release.sh"

EXIT_MIGRATION=3
EXIT_ROLLED_BACK=5
EXIT_BROKEN=6

usage() {
  cat <<'TEXT'
Usage: scripts/deploy.sh [--version VERSION] [--pull | --no-build] [--skip-backup] [--keep N] [--help]

Builds the images of this checkout, backs up, migrates the database, replaces api, worker and page one after the other without a
failed request, and asks scripts/health_check.sh whether all is well. When something fails after the first container was
replaced, the former release comes back by itself. Running it again is safe. The first time it starts everything.

  --version VERSION  the tag of the images. Default: git describe
  --pull             take the images from the registry in IMAGE_PREFIX; do not build
  --no-build         the images are here already
  --skip-backup      make no backup before the migration
  --keep N           keep the images of the newest N releases (default 3)

Settings, from the environment: ENV_FILE (.env.production), COMPOSE_FILE, DEPLOY_STATE (.deploy), ROLL_TIMEOUT (120, seconds
that a container may take to be healthy), HEALTH_PAUSE (5, seconds between two of three health checks), UPSTREAMS
(deploy/nginx/upstreams, what the edge reads), BACKUP and HEALTH_CHECK (the programs that are called).

Exit codes: 0 done; 1 failed before anything was changed; 3 the migration failed, the former release runs on; 5 failed, and the
former release is back; 6 failed, and a person is needed; 64 wrong usage; 75 another deployment runs; 78 a setting is missing.
TEXT
}

main() {
  read_arguments "$@"
  need_programs docker flock
  [ -r "$ENV_FILE" ] || die "$EXIT_CONFIG" "there is no $ENV_FILE: copy .env.production.example"
  export ENV_FILE
  lock_deployment
  compose config --quiet || die "$EXIT_CONFIG" "docker-compose.production.yml or $ENV_FILE is wrong"
  get_images
  running=$(running_version)
  compose up --detach --no-build --no-recreate --wait postgres redis || die 1 "the database or Redis does not start"
  back_up
  say "migrating the database"
  SMARKET_VERSION=$version compose run --rm --no-deps -T migrate ||
    die "$EXIT_MIGRATION" "the migration failed; ${running:-nothing} runs on. docs/DATABASE_MIGRATION.md says what to do"
  refresh_edge || die 1 "the edge's new configuration is wrong; nothing was replaced"
  if ! { switch_to "$version" && start_edge && verify "$version"; }; then
    go_back
  fi
  if [ -n "$running" ]; then note "$running"; fi # it may have been started without this script
  remember "$version"
  remove_old_images "$keep"
  say "$version is in service, after ${SECONDS} s"
}

read_arguments() {
  version='' source=build backup=1 keep=3
  while (($#)); do
    case $1 in
      --version) version=${2:-} && shift ;;
      --keep) keep=${2:-} && shift ;;
      --pull) source=pull ;;
      --no-build) source=here ;;
      --skip-backup) backup='' ;;
      -h | --help) usage && exit 0 ;;
      *) usage >&2 && exit "$EXIT_USAGE" ;;
    esac
    shift || { usage >&2 && exit "$EXIT_USAGE"; }
  done
  [ -n "$version" ] || version=$(git -C "$root" describe --tags --always --dirty) || die "$EXIT_USAGE" "this is no git checkout: give --version"
  [[ $version =~ ^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$ ]] || die "$EXIT_USAGE" "a version is letters, digits, dots and dashes"
  [[ $keep =~ ^[1-9][0-9]*$ ]] || die "$EXIT_USAGE" "--keep needs a number"
}

get_images() {
  say "getting $version ready"
  case $source in
    build) SMARKET_VERSION=$version SMARKET_REVISION=$(git -C "$root" rev-parse HEAD 2>/dev/null || echo unknown) \
      compose build "${IMAGES[@]}" || die 1 "the build failed; nothing was changed" ;;
    pull) SMARKET_VERSION=$version compose pull "${IMAGES[@]}" || die 1 "the images cannot be pulled; nothing was changed" ;;
  esac
  have_images "$version" || die 1 "the images of $version are not here"
}

# running_version is what to go back to: nothing when no api runs.
running_version() {
  local id tag
  id=$(containers api | head -n 1)
  [ -n "$id" ] || return 0
  tag=$(docker inspect --format '{{.Config.Image}}' "$id")
  printf '%s' "${tag##*:}"
}

# back_up first: a migration may remove what nobody needs any more, and be wrong about it. A new installation has nothing. It is
# tried twice: 2 s after a container ends, the engine drops what a slow reader has not taken of its output, and a build has just
# kept this machine busy. The backup notices, and fails.
back_up() {
  if [ -z "$backup" ] || [ -z "$running" ]; then return; fi
  local code=0 program=${BACKUP:-$here/backup.sh}
  "$program" || code=$?
  if ((code == 1)); then
    say "the backup failed: trying once more"
    code=0
    "$program" || code=$?
  fi
  case $code in
    0) ;;
    3 | 4) say "the backup is whole on this disk, but see above (exit code $code)" ;;
    *) die 1 "the backup failed (exit code $code); nothing was changed" ;;
  esac
}

# refresh_edge takes up changes of the edge's files. nginx.conf itself is mounted alone, and a checkout makes a new file of it,
# which a running container does not see: then the edge is replaced, and refuses connections for about a second.
refresh_edge() {
  [ -n "$(containers nginx)" ] || return 0
  if compose exec -T nginx cat /etc/nginx/nginx.conf | cmp -s - "$root/nginx.conf"; then
    reload_edge
  else
    compose run --rm --no-deps -T nginx -t -q || return 1
    say "nginx.conf has changed: replacing the edge"
    compose up --detach --no-deps --force-recreate --wait --wait-timeout "$ROLL_TIMEOUT" nginx
  fi
}

start_edge() { compose up --detach --no-deps --no-recreate --wait --wait-timeout "$ROLL_TIMEOUT" nginx; }

go_back() {
  [ -n "$running" ] || die "$EXIT_BROKEN" "$version does not work, and there is no earlier release to go back to"
  if [ "$running" = "$version" ]; then die "$EXIT_BROKEN" "$version does not work, and it is what was running"; fi
  say "$version does not work: going back to $running"
  if have_images "$running" && switch_to "$running" missing && verify "$running"; then
    die "$EXIT_ROLLED_BACK" "$running is back in service; the database keeps its new schema"
  fi
  die "$EXIT_BROKEN" "$running did not come back either: docker compose ps, docker compose logs, docs/DISASTER_RECOVERY.md"
}

main "$@"
