#!/usr/bin/env bash
# Brings docker-compose.production.yml up on a Docker engine and does to it what happens to an installation: receipts come in
# through the edge, containers die, a release replaces another under load, and is taken back. `--help` says what it needs.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
  cat <<'TEXT'
Usage: scripts/compose-test.sh [--keep] [--help]

Needs a Docker engine of this machine (DOCKER_HOST), the docker command with Compose v2, Go, openssl, age, curl and the base images
of deploy/docker/*.Dockerfile and docker-compose.production.yml: present, or pullable. It makes a project of its own with volumes
of its own, and removes both at the end, also after a failure.

  --keep   leave everything running after a failure

Settings: HTTP_PORT and HTTPS_PORT (18080, 18443), FRONTEND_SUBNET (10.213.11.0/24), COMPOSE_TEST_DIR for logs (default: a new folder
in /tmp).
TEXT
}

keep=
case ${1:-} in
  '') ;;
  --keep) keep=1 ;;
  -h | --help) usage && exit 0 ;;
  *) usage >&2 && exit 64 ;;
esac

site=mercadoesperto.com.br
work=${COMPOSE_TEST_DIR:-$(mktemp -d /tmp/smarket-compose-test.XXXXXX)}
mkdir -p "$work"
export COMPOSE_PROJECT_NAME=smarket-compose-test IMAGE_PREFIX=smarket-compose-test-
export ENV_FILE=$work/env.production COMPOSE_FILE=$PWD/docker-compose.production.yml:$work/override.yml
export HTTP_PORT=${HTTP_PORT:-18080} HTTPS_PORT=${HTTPS_PORT:-18443} FRONTEND_SUBNET=${FRONTEND_SUBNET:-10.213.11.0/24}
export TLS_DIR=$work/tls ACME_DIR=$work/acme DEPLOY_STATE=$work/deploy UPSTREAMS=$work/nginx/upstreams BACKUP_DIR=$work/backups
export HEALTH_URL=https://$site:$HTTPS_PORT HEALTH_CURL_OPTIONS="--cacert $work/tls/fullchain.pem --resolve $site:$HTTPS_PORT:127.0.0.1"

compose() { docker compose --env-file "$ENV_FILE" "$@"; }
container() { compose ps --quiet "$1"; }
people=("$work/journey" -name "$site" -addr "127.0.0.1:$HTTPS_PORT" -ca "$work/tls/fullchain.pem")
journey() { "${people[@]}" "$@"; }

# What a server would have been given: secrets, a certificate, the edge's files; and fewer CPUs where there are fewer.
prepare() {
  mkdir -p "$work"/{tls,acme,deploy,backups}
  cp -r deploy/nginx "$work/nginx"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "/CN=$site" \
    -addext "subjectAltName=DNS:$site,DNS:www.$site" -keyout "$work/tls/privkey.pem" -out "$work/tls/fullchain.pem" 2>"$work/openssl.log"
  chmod 0755 "$work" "$work/tls" "$work/nginx" "$work/nginx/upstreams"
  chmod 0644 "$work/tls/privkey.pem" # for user 101; nobody else trusts it
  age-keygen -o "$work/backup-key.txt" 2>/dev/null
  (
    umask 077
    sed -e "s/^POSTGRES_PASSWORD=.*/POSTGRES_PASSWORD=$(openssl rand -hex 24)/" -e "s/^REDIS_PASSWORD=.*/REDIS_PASSWORD=$(openssl rand -hex 24)/" \
      -e "s/^JWT_SECRET=.*/JWT_SECRET=$(openssl rand -hex 32)/" -e "s/^SMARKET_VERSION=.*/SMARKET_VERSION=test-1/" \
      -e "s/^BACKUP_AGE_RECIPIENTS=.*/BACKUP_AGE_RECIPIENTS=$(age-keygen -y "$work/backup-key.txt")/" \
      -e '/^\(IMAGE_PREFIX\|HTTPS\?_PORT\|FRONTEND_SUBNET\|TLS_DIR\|ACME_DIR\|BACKUP_DIR\|HEALTH_URL\)=/d' .env.production.example >"$ENV_FILE"
  )
  local cpus
  cpus=$(docker info --format '{{.NCPU}}')
  {
    echo 'services:'
    echo '  api: { restart: always }'
    echo '  worker:'
    echo '    restart: always'
    if ((cpus < 3)); then echo "    deploy: { resources: { limits: { cpus: '$cpus' } } }"; fi
    echo "  nginx: { volumes: ['$work/nginx:/etc/nginx/deploy/nginx:ro'] }"
  } >"$work/override.yml"
  compose down --volumes --timeout 10 # what an earlier run with --keep has left
  go build -tags nodynamic -o "$work/journey" ./test/compose/journey
}

finish() {
  local code=$?
  trap - EXIT
  if ((code != 0)); then
    compose ps --all >"$work/ps.log" 2>&1 || true
    compose logs --no-color >"$work/containers.log" 2>&1 || true
    echo "compose-test: FAILED, see $work (containers.log, ps.log and the log of each step)"
    if [ -n "$keep" ]; then exit "$code"; fi
  fi
  compose down --volumes --timeout 10 >"$work/down.log" 2>&1 || true
  for image in api worker web; do docker image rm "$IMAGE_PREFIX$image:test-1" "$IMAGE_PREFIX$image:test-2" >/dev/null 2>&1 || true; done
  if ((code == 0)) && [ -z "${COMPOSE_TEST_DIR:-}" ]; then rm -rf "$work"; fi
  exit "$code"
}

# step NAME COMMAND...: how long it took, and on failure what it said.
number=0
step() {
  local name=$1 began=$EPOCHREALTIME log
  shift
  number=$((number + 1))
  log=$work/$(printf %02d "$number").log
  if ! "$@" >"$log" 2>&1; then
    printf '%-58s FAILED\n' "$name"
    tail -n 40 "$log"
    exit 1
  fi
  awk -v name="$name" -v took="$((${EPOCHREALTIME/./} - ${began/./}))" 'BEGIN { printf "%-58s %7.1f s\n", name, took / 1e6 }'
  grep -hE '^(uploaded|websocket|server-sent|read in|all read|load:)' "$log" | sed 's/^/    /' || true
}

build() { compose build api worker web; }
# SIGQUIT ends a Go program at once, with nothing tidied up. Docker takes its own SIGKILL for an operator's wish, and what comes from
# `docker kill` for one to stop: it then restarts nothing, but for a restart policy of always, which the override file sets.
kill_container() { journey survive docker kill --signal QUIT "$(container "$1")" && back "$1"; }
back() { # healthy again, and after a restart
  local state
  for _ in $(seq 60); do
    state=$(docker inspect --format '{{.State.Health.Status}} {{.RestartCount}}' "$(container "$1")")
    if [ "$state" = 'healthy 1' ]; then return; fi
    sleep 1
  done
  echo "$1 is $state"
  return 1
}

health() { # a full disk is the machine's business
  local code=0
  scripts/health_check.sh >"$work/health.log" || code=$?
  cat "$work/health.log"
  ((code <= 1)) && ! grep -Evq '^(ok|degraded)( +disk .*)?$|^ok ' "$work/health.log"
}

# under_load COMMAND...: no request may fail while it runs, nor for some seconds after.
under_load() {
  local code=0 load
  "${people[@]}" load >"$work/load.log" 2>&1 & # the program itself, since it gets the signal
  load=$!
  until grep -q 'everybody is in' "$work/load.log"; do
    kill -0 "$load" || { cat "$work/load.log" && return 1; }
    sleep 0.2
  done
  "$@" || code=$?
  sleep 5
  kill -TERM "$load"
  wait "$load" || code=1
  cat "$work/load.log"
  return "$code"
}

of_version() { # each container of ours runs it
  local service
  for service in api worker web; do
    [[ $(docker inspect --format '{{.Config.Image}}' "$(container "$service")") == *":$1" ]] || { echo "$service is not $1" && return 1; }
  done
  grep -qx "SMARKET_VERSION=$1" "$ENV_FILE"
  cmp deploy/nginx/upstreams/api.conf "$UPSTREAMS/api.conf" && cmp deploy/nginx/upstreams/web.conf "$UPSTREAMS/web.conf"
}
deploy() { under_load scripts/deploy.sh --version test-2 && of_version test-2; }
roll_back() { under_load scripts/rollback.sh && of_version test-1; }

trap finish EXIT
echo "compose-test: engine $(docker version --format '{{.Server.Version}}'), Compose $(docker compose version --short), $(nproc) CPUs"
step 'prepare: secrets, certificate, journey' prepare
step 'build api, worker and web' build
step 'up -d --wait: from nothing to healthy, migrated' compose up --detach --wait
step 'migrate again: nothing to do' compose run --rm --no-deps -T migrate
step 'a receipt through the edge, by websocket and SSE' journey upload
step 'the worker dies while receipts are read' kill_container worker
step 'the api dies while receipts are read' kill_container api
step 'back up' scripts/backup.sh
step 'health check' health
step 'deploy.sh: build, back up, roll to a second release' deploy
step 'a receipt through the second release' journey upload
step 'rollback.sh: back to the first release' roll_back
step 'a receipt through the first release again' journey upload
step 'down, with volumes' compose down --volumes
echo "compose-test: passed in $((SECONDS / 60)) min $((SECONDS % 60)) s"
