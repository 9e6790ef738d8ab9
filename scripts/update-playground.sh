#!/bin/sh
# Fetches the parts of the playground (GraphiQL and React, both MIT) from the npm registry into graph/playground/assets. They are
# committed, so that neither a build nor a browser needs the network. The fonts inside GraphiQL's style sheet have licences of
# their own and are taken out: the page uses the system's.
set -eu
graphiql=3.9.0 react=18.3.1
out=$(cd "$(dirname "$0")/../graph/playground/assets" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
for package in "graphiql@$graphiql" "react@$react" "react-dom@$react"; do
  tar xzf "$(npm pack --silent "$package")"
  name=${package%@*}
  cp package/LICENSE "$out/$name.LICENSE"
  case $name in
  graphiql)
    sed 's/^\/\/# sourceMappingURL=.*//' package/graphiql.min.js >"$out/graphiql.min.js"
    sed 's/@font-face{[^}]*}//g' package/graphiql.min.css >"$out/graphiql.min.css"
    ;;
  *) cp "package/umd/$name.production.min.js" "$out/" ;;
  esac
  rm -rf package
done
printf 'graphiql %s\nreact %s\nreact-dom %s\n' "$graphiql" "$react" "$react" >"$out/VERSIONS"
