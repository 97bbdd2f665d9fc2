#!/bin/sh
# Makes the files that docker-compose.yml expects in ./secrets, once; never replaces one.
set -eu
umask 077
cd "$(dirname "$0")/.."
mkdir -p secrets
cd secrets

random() { python3 -c "import secrets; print(secrets.token_urlsafe($1), end='')"; }
keep() { [ -e "$1" ] || cat >"$1"; }

for role in postgres owner app; do random 32 | keep "${role}_password"; done
random 64 | keep secret_key
python3 -c 'import base64, os; print(base64.b64encode(os.urandom(32)).decode())' | keep media_key
printf 'postgresql://clinic_app:%s@postgres/clinic' "$(cat app_password)" | keep database_url
printf 'postgresql://clinic_owner:%s@postgres/clinic' "$(cat owner_password)" |
    keep database_owner_url
# A key that seals documents, good for ten years; one of a certificate authority may take its place.
if [ ! -e seal_p12 ]; then
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -sha256 -days 3650 \
        -subj "/CN=${CLINIC_NAME:-Clinic}" -addext basicConstraints=critical,CA:FALSE \
        -addext keyUsage=critical,digitalSignature,nonRepudiation \
        -keyout seal.key -out seal.crt 2>/dev/null
    openssl pkcs12 -export -inkey seal.key -in seal.crt -passout pass: -out seal_p12
    rm seal.key seal.crt
fi
# The containers read them as users of their own; on this machine the folder keeps others out.
chmod 0444 ./*
chmod 0700 .
echo "The secrets are in $(pwd). Keep copies of media_key and seal_p12 apart: without the first"
echo "no stored file opens, and only the second seals as before. CLINIC_NAME names the seal."
