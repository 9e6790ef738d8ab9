#!/usr/bin/env bash
# Known vulnerabilities in the code that is really called. The database is at vuln.go.dev; where that cannot be reached the
# check cannot be made, which is said and is no failure: the same code passes or fails where it can.
set -euo pipefail

if ! curl -fsS --max-time 10 -o /dev/null https://vuln.go.dev/index/db.json 2>/dev/null; then
  echo 'vuln: https://vuln.go.dev cannot be reached from here; not checked'
  exit 0
fi
exec go tool govulncheck -tags nodynamic ./...
