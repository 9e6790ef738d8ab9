# shellcheck shell=bash disable=SC2034 # what is set here is used by who sources it
# Sourced by the operator's scripts: where the settings, the database and the files of this installation are, whether it runs
# under Docker Compose or as plain processes. No secret becomes an argument of a program or part of a message.
#
# Settings come from the environment, else from ENV_FILE (the .env.production of Compose), which is read as data and never run.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
ENV_FILE=${ENV_FILE:-$root/.env.production}

# What find_installation and files_are_in_bucket find out.
installation='' # plain or compose
database=''     # its name
database_url='' # plain alone
files_remote='' # the bucket of the files, by rclone's name

# Exit codes that the scripts share; sysexits.h gave the numbers.
EXIT_USAGE=64
EXIT_LOCKED=75
EXIT_CONFIG=78

say() { printf '%s %s: %s\n' "$(date -u +%FT%TZ)" "${0##*/}" "$*" >&2; }

verdict='' # the exit code that die was told: any other is a program's own

die() { # exit code, message
  verdict=$1
  shift
  say "$*"
  exit "$verdict"
}

need_programs() {
  local program
  for program in "$@"; do
    command -v "$program" >/dev/null || die "$EXIT_CONFIG" "$program is not installed (Debian's packages: postgresql-client, age, rclone)"
  done
}

# setting NAME [DEFAULT]
setting() {
  local name=$1 line
  if [ -n "${!name:-}" ]; then
    printf '%s' "${!name}"
    return
  fi
  if [ -r "$ENV_FILE" ]; then
    line=$(grep -E "^(export )?$name=" "$ENV_FILE" | tail -n 1) || true
    line=${line#*=}
    case $line in # Compose takes quotes off too
      \"*\") line=${line#\"} line=${line%\"} ;;
      \'*\') line=${line#\'} line=${line%\'} ;;
    esac
    if [ -n "$line" ]; then
      printf '%s' "$line"
      return
    fi
  fi
  printf '%s' "${2:-}"
}

# find_installation decides how the database is reached: DATABASE_URL of the environment wins over Compose.
find_installation() {
  if [ -n "${DATABASE_URL:-}" ]; then
    installation=plain
    connect_to "$DATABASE_URL"
    export_aws
    unset DATABASE_URL # of what is started from here, only smarket itself gets it back
  elif [ -n "${COMPOSE_FILE:-}" ] || [ -e "$root/docker-compose.production.yml" ]; then
    installation=compose
    need_programs docker
    # shellcheck disable=SC2016 # expanded in the container
    database=$(in_postgres 'printf %s "$POSTGRES_DB"') || die 1 "the service postgres does not run: docker compose up -d --wait postgres"
    export_aws
  else
    die "$EXIT_CONFIG" "set DATABASE_URL, or run this beside docker-compose.production.yml"
  fi
}

# export_aws hands the keys of the buckets to rclone in its environment.
export_aws() {
  local name value
  for name in AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_REGION; do
    value=$(setting "$name")
    if [ -n "$value" ]; then export "$name=$value"; fi
  done
}

# connect_to takes a postgres:// address apart into libpq's variables, so that no password is in a list of processes.
connect_to() {
  local url=$1 pattern option options
  database_url=$url
  pattern='^postgres(ql)?://(([^:@/]*)(:([^@/]*))?@)?(\[[^]]*\]|[^:/?]*)(:([0-9]+))?(/([^?]*))?(\?(.*))?$'
  [[ $url =~ $pattern ]] || die "$EXIT_CONFIG" "DATABASE_URL is not postgres://user:password@host:5432/name"
  PGUSER=$(decode "${BASH_REMATCH[3]}") PGPASSWORD=$(decode "${BASH_REMATCH[5]}")
  PGHOST=${BASH_REMATCH[6]#[} PGHOST=${PGHOST%]} PGPORT=${BASH_REMATCH[8]:-5432}
  database=$(decode "${BASH_REMATCH[10]}")
  IFS='&' read -ra options <<<"${BASH_REMATCH[12]}"
  for option in "${options[@]}"; do
    case $option in
      host=*) PGHOST=$(decode "${option#*=}") ;;
      sslmode=*) export PGSSLMODE="${option#*=}" ;;
      sslrootcert=*) PGSSLROOTCERT=$(decode "${option#*=}") && export PGSSLROOTCERT ;;
      sslcert=*) PGSSLCERT=$(decode "${option#*=}") && export PGSSLCERT ;;
      sslkey=*) PGSSLKEY=$(decode "${option#*=}") && export PGSSLKEY ;;
    esac
  done
  [ -n "$database" ] || die "$EXIT_CONFIG" "DATABASE_URL names no database"
  export PGUSER PGPASSWORD PGHOST PGPORT PGCONNECT_TIMEOUT=10
}

decode() { # percent-encoding
  local text=${1//\\/\\\\}
  printf '%b' "${text//%/\\x}"
}

compose() {
  local files=()
  if [ -z "${COMPOSE_FILE:-}" ]; then files=(-f "$root/docker-compose.production.yml"); fi
  if [ -r "$ENV_FILE" ]; then files+=(--env-file "$ENV_FILE"); fi
  docker compose --project-name "${COMPOSE_PROJECT_NAME:-smarket}" "${files[@]}" "$@"
}

# in_postgres runs a line of shell, with arguments, in the container of the database.
in_postgres() {
  local line=$1
  shift
  compose exec -T postgres sh -c "$line" sh "$@"
}

# pg_client PROGRAM DATABASE [ARGUMENTS]: one of PostgreSQL's programs. Inside the container the local socket needs no password.
pg_client() {
  local program=$1 name=$2
  shift 2
  # shellcheck disable=SC2016 # expanded in the container
  case $installation in
    plain) "$program" --dbname="$name" --no-password "$@" ;;
    compose) in_postgres 'program=$1 name=$2; shift 2; exec "$program" --username="$POSTGRES_USER" --dbname="$name" --no-password "$@"' "$program" "$name" "$@" ;;
  esac
}

query() { # database, then SQL on standard input
  pg_client psql "$1" --no-psqlrc --quiet --tuples-only --no-align --field-separator=' ' --set=ON_ERROR_STOP=1 "${@:2}"
}

# smarket runs the service's own command.
smarket() {
  case $installation in
    plain) DATABASE_URL=$database_url "$(setting SMARKET_BIN "$root/bin/smarket")" "$@" ;;
    compose) compose run --rm --no-deps -T --entrypoint smarket worker "$@" ;;
  esac
}

# in_files runs a line of shell, with arguments, in the folder of the submitted files. Under Compose that is a container of the
# worker's image with the worker's volumes, so that it works while the worker is stopped and files keep their owner.
in_files() {
  local line=$1
  shift
  # Where files are is the service's rule: BLOB_URL, else the folder files below DATA_DIR.
  # shellcheck disable=SC2016 # expanded in the container
  local enter='case ${BLOB_URL:-} in file://*) dir=${BLOB_URL#file://} ;; *) dir=${DATA_DIR:-./data}/files ;; esac
umask 077; mkdir -p "${dir%%\?*}" && cd "${dir%%\?*}" || exit 2
'
  case $installation in
    plain) BLOB_URL=$(setting BLOB_URL) DATA_DIR=$(setting DATA_DIR "$root/data") sh -c "$enter$line" sh "$@" ;;
    compose) compose run --rm --no-deps -T --entrypoint sh worker -c "$enter$line" sh "$@" ;;
  esac
}

# files_are_in_bucket says whether BLOB_URL is s3://, and sets files_remote to what rclone calls it.
files_are_in_bucket() {
  local url
  url=$(setting BLOB_URL)
  [[ $url == s3://* ]] || return 1
  need_programs rclone
  files_remote=files:$(bucket_path "$url")
  bucket files "$url" "$(setting AWS_ENDPOINT_URL)"
}

bucket_path() { # s3://bucket/folder?parameters -> bucket/folder
  local path=${1#s3://}
  path=${path%%\?*}
  printf '%s' "${path%/}"
}

# bucket NAME URL [ENDPOINT] makes the bucket known to rclone, which takes the keys from AWS_ACCESS_KEY_ID and
# AWS_SECRET_ACCESS_KEY. Endpoint and region may be parameters of the URL, as in BLOB_URL.
bucket() {
  local name=${1^^} url=$2 endpoint=${3:-} region parameter parameters
  region=$(setting AWS_REGION us-east-1)
  IFS='&' read -ra parameters <<<"${url#*\?}"
  for parameter in "${parameters[@]}"; do
    case $parameter in
      endpoint=*) endpoint=$(decode "${parameter#*=}") ;;
      region=*) region=$(decode "${parameter#*=}") ;;
    esac
  done
  if [ -n "${AWS_CA_BUNDLE:-}" ]; then # which rclone has another name for, and fails at
    export RCLONE_CA_CERT=$AWS_CA_BUNDLE
    unset AWS_CA_BUNDLE
  fi
  export RCLONE_CONFIG=/dev/null RCLONE_S3_NO_CHECK_BUCKET=true
  export "RCLONE_CONFIG_${name}_TYPE=s3" "RCLONE_CONFIG_${name}_PROVIDER=Other" "RCLONE_CONFIG_${name}_ENV_AUTH=true"
  export "RCLONE_CONFIG_${name}_REGION=$region" "RCLONE_CONFIG_${name}_ENDPOINT=${endpoint:-https://s3.$region.amazonaws.com}"
}

# table_sums prints, for each table, its rows and the sum of their hashes, which does not depend on their order. It is SQL for
# psql; the settings are those that the text of a value depends on.
table_sums() {
  cat <<'SQL'
SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'postgres'; SET extra_float_digits = 1; SET bytea_output = 'hex';
SELECT format('SELECT ''table'', %L, count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) FROM public.%I t', tablename, tablename)
FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename \gexec
SQL
}

# backup_names filters the names of backups out of a list, the newest first.
backup_names() { grep -E '^[0-9]{8}T[0-9]{6}Z$' | sort -r; }
