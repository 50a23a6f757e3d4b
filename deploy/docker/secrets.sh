#!/bin/sh
# Makes the secrets of compose.yaml, each at random, in ./secrets (or the folder that is named). Never touches what is
# there: the password of a database that exists cannot be made again.
set -eu
folder=${1:-$(dirname "$0")/secrets}
if [ -e "$folder" ]; then
    echo "$folder is there already; nothing was changed" >&2
    exit 1
fi
secret() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }

umask 077
mkdir "$folder"
postgres=$(secret)
nats=$(secret)
printf '%s' "$postgres" >"$folder/postgres_password"
cat >"$folder/nats.conf" <<END
authorization { user: hongyan, password: "$nats" }
END
cat >"$folder/hongyan.json" <<END
{
  "domains": { "main": { "keys": { "main-1": "$(secret)" }, "apiKeys": { "backend": "$(secret)" } } },
  "postgres": { "url": "postgres://hongyan:$postgres@postgres:5432/hongyan" },
  "nats": { "url": ["nats://nats:4222"], "user": "hongyan", "pass": "$nats" }
}
END
# Readable for the users inside of the containers; outside, the folder is closed to everybody but its owner.
chmod 644 "$folder"/*
echo "secrets are in $folder; tokens are signed with the key main-1 in hongyan.json"
