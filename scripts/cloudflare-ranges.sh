#!/usr/bin/env bash
# Writes the addresses of Cloudflare for nginx: whose word about the client's address the edge takes, and nobody else's.
#
#   scripts/cloudflare-ranges.sh [FILE]     FILE defaults to deploy/nginx/cloudflare.conf; - is standard output
#
# Run it when Cloudflare announces a change (a few times in ten years), look at `git diff`, then `nginx -t && nginx -s reload`.
# Whatever is not a plain list of networks of some size is refused, and FILE stays as it was: a range too many would let anybody
# in it say who they are. CLOUDFLARE_IPS is where the lists ips-v4 and ips-v6 are, https://www.cloudflare.com by default.
set -euo pipefail

base=${CLOUDFLARE_IPS:-https://www.cloudflare.com}
target=${1:-$(dirname "$0")/../deploy/nginx/cloudflare.conf}

# fetch prints one list, a network a line. The lists have no newline at their end.
fetch() {
  local name=$1 form=$2 least=$3 text line bits
  text=$(curl --fail --silent --show-error --location --max-time 20 --max-filesize 65536 "$base/$name")
  while IFS= read -r line; do
    line=${line%$'\r'}
    [ -n "$line" ] || continue
    if ! [[ $line =~ $form ]]; then
      echo "$base/$name has a line that is no network: ${line:0:60}" >&2
      return 1
    fi
    bits=${line##*/}
    if [ "$bits" -lt "$least" ]; then
      echo "$base/$name has a network that is too large: $line" >&2
      return 1
    fi
    printf '%s\n' "$line"
  done <<<"$text"
}

v4=$(fetch ips-v4 '^[0-9]{1,3}(\.[0-9]{1,3}){3}/[0-9]{1,2}$' 12)
v6=$(fetch ips-v6 '^[0-9a-f:]+/[0-9]{1,3}$' 24)
if [ -z "$v4" ] || [ -z "$v6" ]; then
  echo "$base has no networks." >&2
  exit 1
fi

write() {
  cat <<'HEAD'
# Made by scripts/cloudflare-ranges.sh from https://www.cloudflare.com/ips-v4 and ips-v6. Do not edit.
#
# From these networks CF-Connecting-IP is believed, and becomes $remote_addr. From all others no header changes it.
real_ip_header CF-Connecting-IP;
HEAD
  printf '%s\n' "$v4" "$v6" | sed 's/.*/set_real_ip_from &;/'
  cat <<'MIDDLE'

# Whether the connection itself is from there.
geo $realip_remote_addr $from_cloudflare {
    default 0;
MIDDLE
  printf '%s\n' "$v4" "$v6" | sed 's/.*/    & 1;/'
  echo '}'
}

if [ "$target" = - ]; then
  write
  exit
fi
fresh=$(mktemp "$target.XXXXXX")
trap 'rm -f "$fresh"' EXIT
write >"$fresh"
chmod 644 "$fresh"
mv "$fresh" "$target"
