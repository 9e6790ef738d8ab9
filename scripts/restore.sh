#!/usr/bin/env bash
# Restores what backup.sh made. `scripts/restore.sh --help` says how.
#
# The order: everything is checked before anything is touched; the database is restored beside the one that is there; files are
# put into their place, where those of other purchases stay; then the databases change names, in one transaction. Whenever this
# is ended, the installation is as it was or as it was backed up, and no row points to a file that is not there: a file's
# name is never used for other content, so that files may come before their rows.
set -euo pipefail
umask 077
here=$(dirname "$0")
# shellcheck source=lib/installation.sh
. "$here/lib/installation.sh"

usage() {
  cat <<'TEXT'
Usage: scripts/restore.sh [options] [BACKUP]

Restores the database and the files from BACKUP, a folder made by backup.sh or the name of one in BACKUP_DIR (default: the
newest there; with --s3, in BACKUP_S3_URL). Checks everything first. Stop the service before (docker compose stop api worker):
while others are connected to the database nothing is done.

  --identity FILE   the private key of age. Default: BACKUP_AGE_IDENTITY. Bring it for the restore, and remove it afterwards
  --force           even when the database has users: it is kept as NAME_before_TIME, to be dropped by hand
  --check           check the backup (checksums, decryption, contents of the archives) and touch nothing
  --settings FILE   only decrypt the settings (.env.production as it was) into FILE
  --prune           afterwards remove files that no restored row names: those of purchases later than the backup
  --s3              take the backup from BACKUP_S3_URL
  --list            list the backups
  --help            this

Works on DATABASE_URL when that is in the environment, else on the services of docker-compose.production.yml. The user of the
database needs the right to create databases. backup.sh --help has the settings.

Exit codes: 0 done; 1 failed, the database is as it was; 2 the backup is corrupt, incomplete or for another key; 5 refused:
the database has users (--force), or is in use; 6 restored, but the migrations of this release failed; 64 wrong usage;
75 another backup or restore runs; 78 a setting or a program is missing.
TEXT
}

EXIT_CORRUPT=2
EXIT_REFUSED=5
EXIT_MIGRATION=6

main() {
  parse "$@"
  need_programs age flock tar sha256sum
  dir=$(setting BACKUP_DIR /var/backups/smarket)
  s3=$(setting BACKUP_S3_URL)
  mkdir -p "$dir"
  if [ "$do" = list ]; then list && exit 0; fi
  identity=${identity:-$(setting BACKUP_AGE_IDENTITY)}
  [ -r "$identity" ] || die "$EXIT_CONFIG" "give the private key of age with --identity FILE"
  exec 9>"$dir/.lock"
  flock -n 9 || die "$EXIT_LOCKED" "another backup or restore runs"
  work=$(mktemp -d "$dir/.restore-XXXXXX") # decrypted personal data is on the disk for the time of the restore
  trap clean_up EXIT
  choose_backup
  check_sums
  if [ "$do" = settings ]; then
    [ -e "$backup/settings.env.age" ] || die 1 "the backup has no settings: .env.production was not there"
    [ ! -e "$settings" ] || die 1 "$settings is there already"
    decrypt settings.env.age >"$settings"
    say "wrote $settings"
    exit 0
  fi
  check_contents
  if [ "$do" = check ]; then exit 0; fi
  find_installation
  check_target
  restore_database
  restore_files
  note_missing_files
  swap
  migrate
  prune
  say "restored $(sed -n 's/^created //p' "$backup/manifest") in ${SECONDS} s"
}

parse() {
  do=restore from=disk force=no prune=no wanted='' settings='' identity=''
  while [ $# -gt 0 ]; do
    case $1 in
      --identity | --settings)
        [ $# -ge 2 ] || { usage >&2 && exit "$EXIT_USAGE"; }
        if [ "$1" = --identity ]; then identity=$2; else do=settings settings=$2; fi
        shift
        ;;
      --force) force=yes ;;
      --check) do=check ;;
      --prune) prune=yes ;;
      --s3) from=s3 ;;
      --list) do=list ;;
      -h | --help) usage && exit 0 ;;
      -*) usage >&2 && exit "$EXIT_USAGE" ;;
      *)
        [ -z "$wanted" ] || { usage >&2 && exit "$EXIT_USAGE"; }
        wanted=$1
        ;;
    esac
    shift
  done
}

# shellcheck disable=SC2329 # called by the trap
clean_up() {
  local code=$?
  if [ "$code" -ne 0 ]; then code=${verdict:-1}; fi
  if [ -n "${fresh:-}" ]; then
    query postgres <<<"DROP DATABASE IF EXISTS $fresh;" || say "drop the database $fresh by hand"
  fi
  rm -rf "$work"
  if [ "$code" -eq 1 ]; then say "failed; the database is as it was"; fi
  exit "$code"
}

# remote makes the bucket of backups known, and says where they are.
remote() {
  need_programs rclone
  [ -n "$s3" ] || die "$EXIT_CONFIG" "set BACKUP_S3_URL"
  export_aws
  bucket backup "$s3" "$(setting BACKUP_S3_ENDPOINT)"
  backups=backup:$(bucket_path "$s3")
}

list() {
  if [ "$from" = s3 ]; then
    remote
    rclone lsf --dirs-only "$backups" | tr -d / | backup_names
  else
    find "$dir" -mindepth 1 -maxdepth 1 -type d -printf '%f\n' | backup_names
  fi || true # grep found none
}

choose_backup() {
  backup=$wanted
  if [ "$from" = disk ] && [ -n "$wanted" ] && [ -d "$wanted" ]; then return; fi
  wanted=${wanted:-$(list | head -n 1)}
  [ -n "$wanted" ] || die 1 "there is no backup"
  backup=$dir/$wanted
  if [ "$from" = s3 ]; then
    remote
    backup=$work/backup
    rclone copy --quiet "$backups/$wanted" "$backup" || die 1 "$wanted could not be fetched"
  fi
  [ -d "$backup" ] || die 1 "there is no backup $wanted"
}

check_sums() {
  local file
  for file in SHA256SUMS manifest database.dump.age files.tar.age; do
    [ -s "$backup/$file" ] || die "$EXIT_CORRUPT" "the backup is incomplete: no $file"
  done
  for file in manifest database.dump.age files.tar.age; do
    grep -qE "^[0-9a-f]{64}  $file\$" "$backup/SHA256SUMS" || die "$EXIT_CORRUPT" "SHA256SUMS does not list $file"
  done
  (cd "$backup" && sha256sum --check --strict --quiet SHA256SUMS) >&2 || die "$EXIT_CORRUPT" "the backup is corrupt; nothing was touched"
  grep -qx 'format smarket-backup-1' "$backup/manifest" || die "$EXIT_CORRUPT" "the manifest is of another format"
}

decrypt() { age --decrypt -i "$identity" "$backup/$1"; }

fact() { sed -n "s/^$1 //p" "$backup/manifest"; }

# check_contents decrypts all of it once. age authenticates each block and the end, so what is cut or altered is found here.
check_contents() {
  decrypt database.dump.age >"$work/database.dump" || die "$EXIT_CORRUPT" "the database cannot be decrypted; nothing was touched"
  [ "$(head -c 5 "$work/database.dump")" = PGDMP ] || die "$EXIT_CORRUPT" "there is no dump in the backup; nothing was touched"
  decrypt files.tar.age | tar -tf - >"$work/listed" || die "$EXIT_CORRUPT" "the files cannot be decrypted; nothing was touched"
  sed -e 's|^\./||' -e '/\/$/d' -e '/^$/d' "$work/listed" | sort >"$work/files"
  [ "$(wc -l <"$work/files")" = "$(fact files)" ] || die "$EXIT_CORRUPT" "the backup lacks files; nothing was touched"
  say "checked $backup: $(fact created), release $(fact smarket), migration $(fact migration), $(fact files) files"
}

# check_target refuses to replace what somebody uses or may miss.
check_target() {
  local name found
  fresh='' previous=''
  name=$(printf '%s' "$database" | sed "s/'/''/g")
  found=$(query postgres <<<"SELECT count(*) FROM pg_database WHERE datname = '$name';") || die 1 "the server of the database cannot be reached"
  if [ "$found" = 0 ]; then return; fi
  found=$(query postgres <<<"SELECT count(*) FROM pg_stat_activity WHERE datname = '$name' AND backend_type = 'client backend';")
  [ "$found" = 0 ] || die "$EXIT_REFUSED" "$found connections to the database: stop the service first (docker compose stop api worker)"
  previous=${database}_before_$(date -u +%Y%m%dT%H%M%SZ)
  if [ "$force" = yes ]; then return; fi
  # A schema without users is what a first start leaves behind. Tables without one of users are not ours to replace.
  found=$(query "$database" <<<"SELECT count(*) FROM pg_tables WHERE schemaname = 'public';")
  if [ "$found" = 0 ]; then return; fi
  found=$(query "$database" <<<"SELECT count(*) FROM users;" 2>/dev/null) || found=unknown
  [ "$found" = 0 ] || die "$EXIT_REFUSED" "the database is not empty ($found users): --force keeps it under another name and goes on"
}

identifier() { printf '"%s"' "${1//\"/\"\"}"; }

# restore_database makes a database of another name and compares it with the manifest, row by row.
restore_database() {
  local name
  name=restore_$(date -u +%Y%m%d%H%M%S)_$$
  query postgres <<<"CREATE DATABASE $name TEMPLATE template0 ENCODING 'UTF8';"
  fresh=$name
  pg_client pg_restore "$fresh" --no-owner --no-privileges --exit-on-error <"$work/database.dump"
  rm "$work/database.dump"
  table_sums | query "$fresh" >"$work/tables"
  grep '^table ' "$backup/manifest" | diff - "$work/tables" >&2 || die 1 "the restored tables differ from the manifest"
  query "$fresh" <<<'ANALYZE;'
  say "restored the database beside the present one: $(wc -l <"$work/tables") tables as in the manifest"
}

restore_files() {
  if files_are_in_bucket; then
    mkdir "$work/unpacked"
    decrypt files.tar.age | tar -xf - -C "$work/unpacked"
    rclone copy --quiet "$work/unpacked" "$files_remote"
    rm -rf "$work/unpacked"
  else
    decrypt files.tar.age | in_files 'tar --no-same-owner -xf - && sync -f .'
  fi
  say "restored $(fact files) files"
}

# note_missing_files notes rows as removed whose files were removed while the backup was made.
note_missing_files() {
  local count
  count=$({
    listed
    echo 'WITH gone AS (UPDATE invoice_files f SET removed_at = now() WHERE removed_at IS NULL'
    echo 'AND NOT EXISTS (SELECT FROM listed l WHERE l.blob_key = f.blob_key) RETURNING 1) SELECT count(*) FROM gone;'
  } | query "$fresh")
  if [ "$count" -gt 0 ]; then say "noted $count files as removed: they were not there any more when the backup was made"; fi
}

# listed is SQL that makes a table of the names of files in the backup.
listed() {
  echo 'CREATE TEMP TABLE listed (blob_key text PRIMARY KEY); COPY listed FROM STDIN;'
  cat "${1:-$work/files}"
  echo '\.'
}

# swap gives the restored database the name of the present one. It fails, and changes nothing, when somebody has connected.
swap() {
  {
    echo 'BEGIN;'
    if [ -n "$previous" ]; then echo "ALTER DATABASE $(identifier "$database") RENAME TO $(identifier "$previous");"; fi
    echo "ALTER DATABASE $fresh RENAME TO $(identifier "$database");"
    echo 'COMMIT;'
  } | query postgres
  fresh=''
  if [ -n "$previous" ]; then say "the former database is now $previous: drop it when it is not needed any more"; fi
}

# migrate brings an older backup to the schema of this release.
migrate() {
  smarket migrate up >"$work/migrations" </dev/null || die "$EXIT_MIGRATION" "smarket migrate up failed; the data is restored, see docs/DATABASE_MIGRATION.md"
  say "migrations applied: $(grep -c ' applied *$' "$work/migrations")"
}

# prune removes, or counts, files that no restored row names: until a row names them nothing else would ever remove them.
prune() {
  local count
  if files_are_in_bucket; then
    rclone lsf --files-only -R "$files_remote" | sort >"$work/present"
  else
    in_files 'find . -type f' </dev/null | sed 's|^\./||' | sort >"$work/present"
  fi
  {
    listed "$work/present"
    echo 'SELECT blob_key FROM listed l WHERE NOT EXISTS (SELECT FROM invoice_files f WHERE f.blob_key = l.blob_key AND removed_at IS NULL);'
  } | query "$database" >"$work/orphans"
  count=$(wc -l <"$work/orphans")
  if [ "$count" -eq 0 ]; then return; fi
  if [ "$prune" = no ]; then
    say "$count files belong to no restored row; --prune removes them"
    return
  fi
  if files_are_in_bucket; then
    rclone delete --quiet --files-from "$work/orphans" "$files_remote"
  else
    in_files "xargs -d '\\n' rm -f --" <"$work/orphans"
  fi
  say "removed $count files that belong to no restored row"
}

main "$@"
