#!/usr/bin/env bash
# Fuzzes what strangers' bytes reach first: fuzz.sh [SECONDS], for each target. A failing input is kept under the package's
# testdata/fuzz and fails go test from then on: mend the fault and commit the input.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-30}

targets=(
  './graph FuzzDecodeParams'
  './graph FuzzUploadMap'
  './resolvers FuzzMultipart'
  './internal/document FuzzInspect'
  './internal/document FuzzScrubbed'
  './internal/document FuzzXML'
  './internal/fiscal FuzzParseQR'
  './internal/sefaz FuzzReadPage'
  './providers FuzzDraftFromReply'
  './providers/internal/wire FuzzFromProto'
)

for target in "${targets[@]}"; do
  read -r package name <<<"$target"
  echo "== $package $name"
  go test -tags nodynamic -run '^$' -fuzz "^$name\$" -fuzztime "${seconds}s" -fuzzminimizetime 100x -parallel=2 "$package"
done
