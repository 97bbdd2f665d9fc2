#!/bin/sh
# Takes the addresses that hold passwords from files, as Docker and Kubernetes give secrets,
# then becomes the command. SECRET_KEY_FILE and MEDIA_KEY_FILE are read by the settings.
set -eu

for name in DATABASE_URL DATABASE_OWNER_URL REDIS_URL EMAIL_URL SMS_URL; do
    eval "file=\${${name}_FILE:-}"
    if [ -n "$file" ]; then
        [ -r "$file" ] || { echo "${name}_FILE names $file, which cannot be read." >&2; exit 1; }
        value=$(cat "$file")
        export "$name=$value"
        unset "${name}_FILE"
    fi
done

exec "$@"
