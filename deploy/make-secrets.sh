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
# The containers read them as users of their own; on this machine the folder keeps others out.
chmod 0444 ./*
chmod 0700 .
echo "The secrets are in $(pwd). Keep a copy of media_key apart: without it no stored file opens."
