#!/usr/bin/env bash
# Tells somebody what has failed: deploy/systemd/smarket-alert@.service runs it. ALERT_URL, from the environment or ENV_FILE, gets
# a POST with one line of text: an address of ntfy, of healthchecks.io (…/fail), of a chat's webhook that takes text. Without
# it the journal alone knows: journalctl -p err.
set -euo pipefail
# shellcheck source=lib/installation.sh
. "$(dirname "$0")/lib/installation.sh"

if [ $# -ne 1 ] || [[ $1 == -* ]]; then
  echo "Usage: scripts/alert.sh NAME    (exit codes: 0 told, 1 not told, 64 wrong usage)"
  [ "${1:-}" = --help ] && exit 0
  exit "$EXIT_USAGE"
fi
line="$1 failed on $(uname -n)"
say "$line"
url=$(setting ALERT_URL)
if [ -z "$url" ]; then exit 0; fi
# The address may be a secret: curl reads it from standard input, so that it is in no list of processes, and says nothing.
printf 'url = "%s"\n' "$url" | curl --silent --fail --max-time 20 --retry 3 --output /dev/null --data "$line" --config - ||
  die 1 "ALERT_URL did not take the alert"
