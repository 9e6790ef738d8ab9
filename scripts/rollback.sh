#!/usr/bin/env bash
# Puts an earlier release back into service. `scripts/rollback.sh --help` says how.
set -euo pipefail
here=$(dirname "$0")
# shellcheck source=lib/installation.sh
. "$here/lib/installation.sh"
# shellcheck source=lib/release.sh
. "$here/lib/release.sh"

usage() {
  cat <<'TEXT'
Usage: scripts/rollback.sh [VERSION] [--list] [--help]

Puts the release before the running one, or VERSION, back into service, without a failed request. Its images must still be here:
scripts/deploy.sh keeps those of the last three releases. The database keeps its schema: a release works with the schema of the
next one (docs/DATABASE_MIGRATION.md says how that is held, and how to go back where it must be).

  --list   print the releases there are, the newest first

Settings: those of scripts/deploy.sh.

Exit codes: 0 done; 1 there is nothing to go back to; 6 failed, and a person is needed; 64 wrong usage; 75 a deployment runs;
78 a setting is missing.
TEXT
}

main() {
  local version=
  case ${1:-} in
    -h | --help) usage && exit 0 ;;
    --list) list && exit 0 ;;
    -*) usage >&2 && exit "$EXIT_USAGE" ;;
    *) version=${1:-} ;;
  esac
  need_programs docker flock
  [ -r "$ENV_FILE" ] || die "$EXIT_CONFIG" "there is no $ENV_FILE"
  export ENV_FILE
  lock_deployment
  local running
  running=$(setting SMARKET_VERSION)
  [ -n "$version" ] || version=$(previous "$running")
  [ -n "$version" ] || die 1 "no release before ${running:-this one} is known"
  have_images "$version" || die 1 "the images of $version are not here: check it out and run scripts/deploy.sh"
  say "going from ${running:-nothing} back to $version"
  if ! { switch_to "$version" missing && verify "$version"; }; then
    die 6 "$version does not work: docker compose ps, docker compose logs"
  fi
  forget_after "$version"
  remember "$version"
  say "$version is in service, after ${SECONDS} s"
}

list() {
  [ ! -e "$DEPLOY_STATE/history" ] || tac "$DEPLOY_STATE/history"
}

main "$@"
