#!/bin/sh
# Certbot's deploy hook, on the host: gives the edge a certificate that was made or renewed, and has it read it.
#
#   RENEWED_LINEAGE   the folder of the certificate; Certbot sets it
#   SMARKET_CERTS     the folder that is /etc/nginx/certs in the edge's container
#   SMARKET_RELOAD    the command that has the edge read its configuration; it is not run while the edge is not there yet
#   SMARKET_CERTS_GROUP   the group that may read the key: 101, that of the image's nginx, by default
#
# docs/SSL_SETUP.md says how it is installed. Each file takes the place of the former one at once, the key last, and nothing is
# replaced when certificate and key do not belong together.
set -eu
umask 077

from=${RENEWED_LINEAGE:?is set by Certbot}
to=${SMARKET_CERTS:?the folder of the certificates of the edge}
group=${SMARKET_CERTS_GROUP:-101}

certified=$(openssl x509 -in "$from/fullchain.pem" -noout -pubkey)
held=$(openssl pkey -in "$from/privkey.pem" -pubout)
if [ "$certified" != "$held" ]; then
  echo "The certificate and the key in $from do not belong together." >&2
  exit 1
fi

for name in fullchain privkey; do
  cp "$from/$name.pem" "$to/$name.pem.new"
  chgrp "$group" "$to/$name.pem.new"
  chmod 640 "$to/$name.pem.new"
done
for name in fullchain privkey; do
  mv "$to/$name.pem.new" "$to/$name.pem"
done
if [ -n "${SMARKET_RELOAD:-}" ]; then
  sh -c "$SMARKET_RELOAD"
fi
