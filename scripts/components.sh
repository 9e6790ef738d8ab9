#!/usr/bin/env bash
# Installs the real components that the tests use, where they are absent and this user may install them. Without that right
# it prints the command and fails: a test never runs against less than the real thing.
set -euo pipefail

missing=()
need() { # package, then commands any of which proves that it is there
  local package=$1 command
  shift
  for command in "$@"; do
    if command -v "$command" >/dev/null 2>&1 || compgen -G "$command" >/dev/null; then return; fi
  done
  missing+=("$package")
}

need postgresql '/usr/lib/postgresql/*/bin/initdb' initdb
need redis-server redis-server
need tesseract-ocr tesseract
need poppler-utils pdftotext
need nodejs node
need npm npm
need imagemagick identify
need nginx nginx /usr/sbin/nginx
need curl curl # of scripts/cloudflare-ranges.sh
need chromium chromium chromium-browser google-chrome
need age age
need rclone rclone
need shellcheck shellcheck
need curl curl
need python3-grpcio '/usr/lib/python3/dist-packages/grpc' # of the example of a provider in Python
need python3-protobuf '/usr/lib/python3/dist-packages/google/protobuf'
need python3-cryptography '/usr/lib/python3/dist-packages/cryptography'
if command -v tesseract >/dev/null 2>&1; then
  tesseract --list-langs 2>/dev/null | grep -qx por || missing+=(tesseract-ocr-por)
else
  missing+=(tesseract-ocr-por)
fi

if [ ${#missing[@]} -eq 0 ]; then exit 0; fi

install=(apt-get install -y --no-install-recommends "${missing[@]}")
if ! command -v apt-get >/dev/null 2>&1; then
  echo "The tests need these programs, by Debian's package names: ${missing[*]}" >&2
  exit 1
fi
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! sudo -n true 2>/dev/null; then
    echo "The tests need: sudo ${install[*]}" >&2
    exit 1
  fi
  as_root=(sudo -n)
fi
export DEBIAN_FRONTEND=noninteractive
# A package that starts its server would take the port of one that is meant to be there.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  "${as_root[@]}" sh -c "printf '#!/bin/sh\nexit 101\n' > $policy && chmod +x $policy"
  trap '"${as_root[@]}" rm -f "$policy"' EXIT
fi
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" "${install[@]}" >/dev/null
