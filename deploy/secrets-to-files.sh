#!/bin/sh
# Moves each secret of .env into a file, for deploy/compose.secrets.yml:
#   sh deploy/secrets-to-files.sh [.env [secrets]]
# Only the owner may open the folder. The files in it are readable to all, because each service has another user.
set -eu
umask 077
env=${1:-.env}
folder=${2:-secrets}
[ -f "$env" ] || { echo "$env does not exist. Write it: sh deploy/new-env.sh screening.example.org > $env" >&2; exit 1; }
[ ! -e "$folder" ] || { echo "$folder exists already. Nothing was changed." >&2; exit 1; }
names="SECRET_KEY DATABASE_PASSWORD REDIS_PASSWORD METRICS_TOKEN"
for name in $names; do
    # Compose interprets quotes, $ and blanks in .env. In a file they would be part of the secret.
    grep -Eq "^$name=[A-Za-z0-9_.+/=-]+$" "$env" || {
        echo "$env has no $name, or one with other characters than letters, digits and _.+/=-. Nothing was changed." >&2
        exit 1
    }
done
! grep -q '^COMPOSE_FILE=' "$env" || { echo "$env has COMPOSE_FILE already. Nothing was changed." >&2; exit 1; }
mkdir "$folder"
for name in $names; do
    sed -n "s/^$name=//p" "$env" | tail -n 1 | tr -d '\n' >"$folder/$name"
    chmod 444 "$folder/$name"
done
sed -E "/^($(echo "$names" | tr ' ' '|'))=/d" "$env" >"$env.new"
printf '%s\n' "# Secrets are in the folder $folder (deploy/compose.secrets.yml)." "SECRETS_DIR=$(case $folder in /*) ;; *) printf ./ ;; esac)$folder" \
    "COMPOSE_FILE=docker-compose.yml:deploy/compose.secrets.yml" >>"$env.new"
mv "$env.new" "$env"
echo "The secrets of $env are now in $folder. Run: docker compose up -d"
