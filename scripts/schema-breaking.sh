#!/usr/bin/env bash
# Fails when schema.graphql breaks clients of an earlier one: that of the merge base with the default branch, or on that branch
# that of the commit before. graph/breaking-allowed.txt lists the breaks that are meant. Usage: schema-breaking.sh [commit]
set -euo pipefail
cd "$(dirname "$0")/.."

base=${1:-}
if [ -z "$base" ]; then
  for branch in origin/HEAD origin/main main; do
    if at=$(git merge-base HEAD "$branch" 2>/dev/null) && [ "$at" != "$(git rev-parse HEAD)" ]; then
      base=$at
      break
    fi
  done
fi
if [ -z "$base" ]; then
  base=$(git rev-parse --verify --quiet 'HEAD~1^{commit}' || true)
fi
if [ -z "$base" ] || ! git cat-file -e "$base:schema.graphql" 2>/dev/null; then
  echo 'There is no earlier schema.graphql to compare with.'
  exit 0
fi

before=$(mktemp)
trap 'rm -f "$before"' EXIT
git show "$base:schema.graphql" >"$before"
echo "schema.graphql beside that of ${base:0:12}:"
node test/conformance/breaking.mjs "$before" schema.graphql graph/breaking-allowed.txt
