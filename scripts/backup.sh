#!/usr/bin/env bash
# Backs the installation up. `scripts/backup.sh --help` says how.
#
# What belongs together, and why in this order
#   A row of invoice_files points to a file; a restored row must find it. The service writes a file before the transaction that
#   names it, and removes a file before the transaction that notes it. So:
#   1. The database is dumped in one snapshot. Every file that it names was written before the snapshot.
#   2. Files are copied after that. Files that were added meanwhile have no row: harmless. Had files been copied first, a
#      purchase submitted in between would be restored with its row and without its photo.
#   3. A file that the snapshot names may be removed before it is copied: by retention, or because its owner deleted the
#      invoice. Both are wanted; the row in the running database then says so, or is gone by now. What was copied is compared
#      with what the snapshot names, and what is missing with the running database. Files that were removed on purpose are
#      counted in the manifest; restore.sh notes their rows as removed, as the service would have done. A file that is missing
#      although its row still stands was lost before the backup: exit code 3.
set -euo pipefail
umask 077
here=$(dirname "$0")
# shellcheck source=lib/installation.sh
. "$here/lib/installation.sh"

usage() {
  cat <<'TEXT'
Usage: scripts/backup.sh [--help]

Dumps the PostgreSQL database and copies the submitted files and the settings into one folder named after the moment (UTC),
encrypted for BACKUP_AGE_RECIPIENTS, with a manifest and checksums. The service may run. The folder appears under its name only
when it is whole; then old backups are removed. (The embedded default, SQLite, is backed up by copying DATA_DIR while the
service is stopped.)

It works on DATABASE_URL when that is in the environment, else on the services of docker-compose.production.yml.

Settings, from the environment or ENV_FILE (.env.production):
  BACKUP_AGE_RECIPIENTS   public keys of age (age1…), separated by commas. Required. Their private keys belong elsewhere:
                          age-keygen -o backup-key.txt, on another machine, prints the public one
  BACKUP_DIR              where backups are kept. Default: /var/backups/smarket
  BACKUP_KEEP_LAST        keep the newest ones, whatever their day. Default: 3
  BACKUP_KEEP_DAILY       and the newest of each of so many days (default 7),
  BACKUP_KEEP_WEEKLY      weeks (default 4),
  BACKUP_KEEP_MONTHLY     and months (default 6) that have one
  BACKUP_MIN_FREE_MB      what must be left free on the disk afterwards. Default: 512
  BACKUP_S3_URL           s3://bucket/folder: a copy goes there too, and is rotated alike. Keys: AWS_ACCESS_KEY_ID,
                          AWS_SECRET_ACCESS_KEY, AWS_REGION
  BACKUP_S3_ENDPOINT      of a store other than Amazon's

Exit codes: 0 done; 1 failed, earlier backups are as they were; 3 done, but files were already missing; 4 done on disk, not
copied to S3; 64 wrong usage; 75 another backup or restore runs; 78 a setting or a program is missing.
TEXT
}

main() {
  case ${1:-} in
    '') ;;
    -h | --help) usage && exit 0 ;;
    *) usage >&2 && exit "$EXIT_USAGE" ;;
  esac
  need_programs age flock tar sha256sum
  find_installation
  dir=$(setting BACKUP_DIR /var/backups/smarket)
  s3=$(setting BACKUP_S3_URL)
  mkdir -p "$dir" || die "$EXIT_CONFIG" "BACKUP_DIR cannot be made"
  exec 9>"$dir/.lock"
  flock -n 9 || die "$EXIT_LOCKED" "another backup or restore runs"
  rm -rf "$dir"/.partial-* # of a run that was killed: the lock is ours now
  work=$(mktemp -d "$dir/.partial-XXXXXX")
  trap clean_up EXIT
  trap '' PIPE # a reader that dies is reported by its own status
  mkdir "$work/scratch" "$work/backup"
  read_recipients
  check_space
  make_backup
  name=$(date -u +%Y%m%dT%H%M%SZ)
  [ ! -e "$dir/$name" ] || die 1 "there is a backup of this second"
  sync -f "$work/backup"
  mv -T "$work/backup" "$dir/$name"
  sync -f "$dir"
  say "made $dir/$name: $(du -sh "$dir/$name" | cut -f1), $(wc -l <"$work/scratch/copied") files, in ${SECONDS} s"
  find "$dir" -mindepth 1 -maxdepth 1 -type d -printf '%f\n' | backup_names | expired | while read -r old; do
    rm -rf "${dir:?}/$old"
    say "removed $old: beyond what is kept"
  done
  if [ -n "$s3" ]; then upload || die 4 "the copy to S3 failed; the backup is on this disk"; fi
  if [ "$lost" -gt 0 ]; then die 3 "$lost files were missing although their invoices are there"; fi
}

# shellcheck disable=SC2329 # called by the trap
clean_up() {
  local code=$?
  if [ "$code" -ne 0 ]; then code=${verdict:-1}; fi
  if [ -n "${snapshot_pid:-}" ]; then kill "$snapshot_pid" 2>/dev/null || true; fi
  if [ "$code" -ne 0 ] && [ -s "$work/scratch/snapshot.err" ]; then cat "$work/scratch/snapshot.err" >&2; fi
  rm -rf "$work"
  if [ "$code" -eq 1 ]; then say "failed; earlier backups are as they were"; fi
  exit "$code"
}

read_recipients() {
  setting BACKUP_AGE_RECIPIENTS | tr -s ', ' '[\n*]' | sed '/^$/d' >"$work/scratch/recipients"
  [ -s "$work/scratch/recipients" ] || die "$EXIT_CONFIG" "set BACKUP_AGE_RECIPIENTS; see --help"
  age -R "$work/scratch/recipients" -o /dev/null </dev/null || die "$EXIT_CONFIG" "BACKUP_AGE_RECIPIENTS has what is no public key of age"
}

encrypt() { age -R "$work/scratch/recipients" -o "$work/backup/$1"; }

# check_space compares what may be written at most with what is free. A dump is smaller than its database.
check_space() {
  local bytes files free keep
  bytes=$(query "$database" <<<'SELECT pg_database_size(current_database())')
  if files_are_in_bucket; then # they are fetched, then packed
    files=$((2 * $(rclone size --json "$files_remote" | sed -E 's/.*"bytes":([0-9]+).*/\1/')))
  else
    files=$(in_files 'du -sb . | cut -f1')
  fi
  free=$(df --output=avail -B1 "$dir" | tail -n 1)
  keep=$(($(setting BACKUP_MIN_FREE_MB 512) << 20))
  if [ $((bytes + files + keep)) -gt "$free" ]; then
    die 1 "not enough space: $((free >> 20)) MB are free, up to $(((bytes + files) >> 20)) MB are written and $((keep >> 20)) MB must be left"
  fi
}

make_backup() {
  local scratch=$work/scratch
  open_snapshot
  pg_client pg_dump "$database" --format=custom --no-owner --no-privileges --snapshot="$snapshot" </dev/null | encrypt database.dump.age
  ask "SELECT blob_key FROM invoice_files WHERE removed_at IS NULL;" | sort >"$scratch/named"
  ask "SELECT 'migration', max(version) FROM atlas_schema_revisions;" >"$scratch/facts"
  ask "SELECT 'postgresql', current_setting('server_version_num');" >>"$scratch/facts"
  ask "$(table_sums)" >>"$scratch/facts"
  ask "COMMIT;" >/dev/null
  close_snapshot
  copy_files
  account_for_files
  if [ -r "$ENV_FILE" ]; then encrypt settings.env.age <"$ENV_FILE"; fi
  write_manifest
}

# open_snapshot holds a transaction open whose snapshot pg_dump and the sums of the tables share.
open_snapshot() {
  coproc SNAPSHOT { exec 9>&-; query "$database" 2>"$work/scratch/snapshot.err"; }
  # shellcheck disable=SC2153 # bash sets it
  snapshot_pid=$SNAPSHOT_PID
  exec 7<&"${SNAPSHOT[0]}" 8>&"${SNAPSHOT[1]}"
  # The session idles in its transaction while pg_dump works, which the server may be set to end.
  snapshot=$(ask "SET idle_in_transaction_session_timeout = 0; BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT pg_export_snapshot();")
}

close_snapshot() {
  exec 8>&-
  local in=${SNAPSHOT[1]:-}
  if [ -n "$in" ]; then eval "exec $in>&-"; fi # psql ends at the end of its input
  wait "$snapshot_pid"
  snapshot_pid=
  exec 7<&-
}

ask() { # SQL; prints the answer
  local line
  printf '%s\n\\echo --end--\n' "$1" >&8
  while IFS= read -r line <&7; do
    if [ "$line" = --end-- ]; then return; fi
    printf '%s\n' "$line"
  done
  die 1 "the database ended the snapshot"
}

# copy_files packs the files and lists what was packed.
copy_files() {
  mkfifo "$work/scratch/pipe"
  tar -tf "$work/scratch/pipe" >"$work/scratch/listed" &
  local lister=$!
  pack_files | tee "$work/scratch/pipe" | encrypt files.tar.age
  wait "$lister"
  sed -e 's|^\./||' -e '/\/$/d' -e '/^$/d' "$work/scratch/listed" | sort >"$work/scratch/copied"
}

pack_files() {
  if files_are_in_bucket; then
    mkdir "$work/scratch/files"
    rclone copy --quiet "$files_remote" "$work/scratch/files"
    tar -C "$work/scratch/files" -cf - .
    rm -rf "$work/scratch/files"
  else # 1: a file was removed while it was read, which account_for_files looks into
    # shellcheck disable=SC2016 # expanded there
    in_files 'tar --ignore-failed-read --warning=no-file-changed --warning=no-file-removed -cf - . || [ $? -eq 1 ]' </dev/null
  fi
}

# account_for_files finds out about files that the snapshot names and that were not there to be copied.
account_for_files() {
  local missing=$work/scratch/missing
  comm -23 "$work/scratch/named" "$work/scratch/copied" >"$missing"
  lost=0
  if [ ! -s "$missing" ]; then return; fi
  lost=$({
    echo 'CREATE TEMP TABLE missing (blob_key text); COPY missing FROM STDIN;'
    cat "$missing"
    echo '\.'
    echo 'SELECT count(*) FROM invoice_files JOIN missing USING (blob_key) WHERE removed_at IS NULL;'
  } | query "$database")
}

write_manifest() {
  local backup=$work/backup
  {
    echo 'format smarket-backup-1'
    echo "created $(date -u +%FT%TZ)"
    echo "smarket $(smarket --version 2>/dev/null </dev/null | sed 's/.* //' || echo unknown)"
    echo "files $(wc -l <"$work/scratch/copied")"
    echo "files-missing $(wc -l <"$work/scratch/missing")"
    cat "$work/scratch/facts"
  } >"$backup/manifest"
  (cd "$backup" && sha256sum manifest ./*.age) | sed 's| \./| |' >"$work/scratch/SHA256SUMS"
  mv "$work/scratch/SHA256SUMS" "$backup/SHA256SUMS"
}

# expired reads names of backups, the newest first, and prints those that no rule keeps.
expired() {
  local last=$(($(setting BACKUP_KEEP_LAST 3))) name rule keep period day week month
  [ "$last" -ge 1 ] || last=1 # the one just made
  local -A left=([day]=$(setting BACKUP_KEEP_DAILY 7) [week]=$(setting BACKUP_KEEP_WEEKLY 4) [month]=$(setting BACKUP_KEEP_MONTHLY 6))
  local -A seen=()
  while read -r name; do
    keep=no
    if [ "$last" -gt 0 ]; then keep=yes last=$((last - 1)); fi
    # shellcheck disable=SC2034 # by ${!rule}
    read -r day week month < <(date -u -d "${name:0:8}" '+%F %G-W%V %Y-%m')
    for rule in day week month; do
      period=$rule.${!rule}
      if [ -n "${seen[$period]:-}" ] || [ "${left[$rule]}" -le 0 ]; then continue; fi
      seen[$period]=$name left[$rule]=$((left[$rule] - 1)) keep=yes
    done
    if [ "$keep" = no ]; then echo "$name"; fi
  done
}

# upload copies the new backup, its checksums last: a folder without them is not whole. Then old copies are removed.
upload() {
  need_programs rclone
  local target old
  bucket backup "$s3" "$(setting BACKUP_S3_ENDPOINT)"
  target=backup:$(bucket_path "$s3")
  rclone copy --quiet --exclude SHA256SUMS "$dir/$name" "$target/$name" &&
    rclone check --quiet --one-way --exclude SHA256SUMS "$dir/$name" "$target/$name" &&
    rclone copyto --quiet "$dir/$name/SHA256SUMS" "$target/$name/SHA256SUMS" || return
  say "copied to ${s3%%\?*}/$name"
  rclone lsf --dirs-only "$target" | tr -d / | backup_names | expired | while read -r old; do
    rclone purge --quiet "$target/$old" || return
    say "removed $old from S3: beyond what is kept"
  done
}

main "$@"
