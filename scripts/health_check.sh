#!/usr/bin/env bash
# Says how the installation fares, to people and to monitors. `scripts/health_check.sh --help` says how.
set -euo pipefail
here=$(dirname "$0")
# shellcheck source=lib/installation.sh
. "$here/lib/installation.sh"

usage() {
  cat <<'TEXT'
Usage: scripts/health_check.sh [--json] [--url URL] [--max-wait DURATION] [--remote] [--help]

Checks, each with a state (ok, degraded, down) and what was found:
  http       URL/healthz answers. Down when it does not
  ready      URL/readyz, what the API says of itself. Degraded without Redis, down without the database
  database, redis, workers, queue, plugins   by smarket health, run in the worker's container, or by SMARKET_BIN where
             DATABASE_URL is in the environment
  disk       the disk of BACKUP_DIR or, where there is none, of this folder. Degraded below 10 % free, down below 2 %
  backup     the newest in BACKUP_DIR. Degraded when it is older than 26 hours, or there is none

  --json         {"status":…,"checks":[{"name":…,"status":…,"detail":…}]}
  --url URL      where the service is. Default: HEALTH_URL, else http://127.0.0.1:8080
  --max-wait D   how long a job may be due before the queue is degraded (10m by default)
  --remote       only http and ready: for a machine that is not the server

HEALTH_CURL_OPTIONS has more options for curl: --cacert FILE or --resolve HOST:443:127.0.0.1, for a check behind the proxy.
BACKUP_MAX_AGE_HOURS (26) and the settings of backup.sh are read from the environment or ENV_FILE.

Exit codes: 0 ok; 1 degraded: people are served in part; 2 down; 64 wrong usage; 78 a setting is missing.
TEXT
}

main() {
  local json=no remote=no url='' max_wait=10m
  while [ $# -gt 0 ]; do
    case $1 in
      --json) json=yes ;;
      --remote) remote=yes ;;
      --url | --max-wait)
        [ $# -ge 2 ] || { usage >&2 && exit "$EXIT_USAGE"; }
        if [ "$1" = --url ]; then url=$2; else max_wait=$2; fi
        shift
        ;;
      -h | --help) usage && exit 0 ;;
      *) usage >&2 && exit "$EXIT_USAGE" ;;
    esac
    shift
  done
  [[ $max_wait =~ ^([0-9]+(\.[0-9]+)?(h|m|s|ms))+$ ]] || { usage >&2 && exit "$EXIT_USAGE"; }
  command -v curl >/dev/null || die "$EXIT_CONFIG" "curl is not installed"
  url=${url:-$(setting HEALTH_URL http://127.0.0.1:8080)}
  checks=()
  check_http "${url%/}"
  if [ "$remote" = no ]; then
    check_inside "$max_wait"
    check_disk
    check_backup
  fi
  report "$json"
}

add() { checks+=("$1"$'\t'"$2"$'\t'"$3"); } # state, name, detail

fetch() { # prints the answer's body and, on a line of its own, its status
  local options
  read -ra options <<<"$(setting HEALTH_CURL_OPTIONS)"
  curl --silent --show-error --max-time 10 --write-out '\n%{http_code}' "${options[@]}" "$1" 2>&1
}

check_http() {
  local answer status
  answer=$(fetch "$1/healthz") || true
  status=${answer##*$'\n'}
  if [ "$status" != 200 ]; then
    add down http "no answer from $1/healthz (status $status)"
    add down ready "not asked"
    return
  fi
  add ok http "$1 answers"
  answer=$(fetch "$1/readyz") || true
  status=${answer##*$'\n'}
  case $status:$answer in
    200:*'"redis":"ok"'*) add ok ready "database and Redis" ;;
    200:*) add degraded ready "ready, without Redis" ;;
    *'"database":"unavailable"'*) add down ready "the database is away (status $status)" ;;
    404:* | 403:*) add ok ready "not shown to the outside" ;; # the proxy keeps it to itself
    *) add down ready "status $status" ;;
  esac
}

# check_inside has the service's own command look. When that cannot run at all, everything it sees is down.
check_inside() {
  local lines line log code=0
  log=$(mktemp)
  lines=$(
    exec 2>"$log"
    find_installation
    if [ "$installation" = compose ]; then
      compose exec -T worker smarket health --max-wait "$1"
    else
      smarket health --max-wait "$1"
    fi
  ) || code=$?
  if [ -z "$lines" ]; then
    add down inside "smarket health did not run: $(tail -n 1 "$log") (exit $code)"
  fi
  rm -f "$log"
  while IFS= read -r line; do
    if [ -n "$line" ]; then checks+=("$line"); fi
  done <<<"$lines"
}

check_disk() {
  local place free
  place=$(setting BACKUP_DIR /var/backups/smarket)
  if [ ! -d "$place" ]; then place=$root; fi
  free=$(df --output=avail,size -B1 "$place" | awk 'NR == 2 { print int($1 * 100 / $2) }')
  if [ "$free" -lt 2 ]; then
    add down disk "$free % free"
  elif [ "$free" -lt 10 ]; then
    add degraded disk "$free % free"
  else
    add ok disk "$free % free"
  fi
}

check_backup() {
  local dir newest hours
  dir=$(setting BACKUP_DIR /var/backups/smarket)
  newest=$({ find "$dir" -mindepth 1 -maxdepth 1 -type d -printf '%f\n' 2>/dev/null || true; } | { backup_names || true; } | head -n 1)
  if [ -z "$newest" ]; then
    add degraded backup "there is none in $dir"
    return
  fi
  hours=$((($(date +%s) - $(date -u -d "${newest:0:8} ${newest:9:2}:${newest:11:2}:${newest:13:2}" +%s)) / 3600))
  if [ "$hours" -ge "$(setting BACKUP_MAX_AGE_HOURS 26)" ]; then
    add degraded backup "the newest is $hours hours old"
  else
    add ok backup "the newest is $hours hours old"
  fi
}

quote() { # as a JSON string
  local text=${1//\\/\\\\}
  text=${text//\"/\\\"}
  printf '"%s"' "$(printf '%s' "$text" | tr -d '\000-\037')"
}

report() { # yes for JSON
  local check state name detail worst=0 separator=''
  local -A names=([0]=ok [1]=degraded [2]=down)
  for check in "${checks[@]}"; do
    case $check in
      down*) worst=2 ;;
      degraded*) if [ "$worst" -eq 0 ]; then worst=1; fi ;;
    esac
  done
  if [ "$1" = yes ]; then printf '{"status":"%s","checks":[' "${names[$worst]}"; fi
  for check in "${checks[@]}"; do
    IFS=$'\t' read -r state name detail <<<"$check"
    if [ "$1" = yes ]; then
      printf '%s{"name":%s,"status":%s,"detail":%s}' "$separator" "$(quote "$name")" "$(quote "$state")" "$(quote "$detail")"
      separator=,
    else
      printf '%-9s %-9s %s\n' "$state" "$name" "$detail"
    fi
  done
  if [ "$1" = yes ]; then printf ']}\n'; else printf '%s\n' "${names[$worst]}"; fi
  exit "$worst"
}

main "$@"
