#!/bin/sh
# Moves the secrets of .env into files of their own, one each, that deploy/compose.secrets.yml hands to the services:
#   sh deploy/secrets-to-files.sh [.env [secrets]]
# The folder is closed to everybody but its owner. The files within are readable, because each service reads as another user.
set -eu
umask 077
env=${1:-.env}
folder=${2:-secrets}
[ -f "$env" ] || { echo "There is no $env. Write one: sh deploy/new-env.sh screening.example.org > $env" >&2; exit 1; }
[ ! -e "$folder" ] || { echo "$folder exists already. Nothing was changed." >&2; exit 1; }
names="SECRET_KEY DATABASE_PASSWORD REDIS_PASSWORD METRICS_TOKEN"
for name in $names; do
    # Quotes, $ and blanks mean something in .env that they do not in a file: the secret would be another one.
    grep -Eq "^$name=[A-Za-z0-9_.+/=-]+$" "$env" || {
        echo "$env holds no $name, or one with other characters than letters, digits and _.+/=- in it. Nothing was changed." >&2
        exit 1
    }
done
! grep -q '^COMPOSE_FILE=' "$env" || { echo "$env names COMPOSE_FILE already. Nothing was changed." >&2; exit 1; }
mkdir "$folder"
for name in $names; do
    sed -n "s/^$name=//p" "$env" | tail -n 1 | tr -d '\n' >"$folder/$name"
    chmod 444 "$folder/$name"
done
sed -E "/^($(echo "$names" | tr ' ' '|'))=/d" "$env" >"$env.new"
printf '%s\n' "# Secrets are in the folder $folder (deploy/compose.secrets.yml)." "SECRETS_DIR=$(case $folder in /*) ;; *) printf ./ ;; esac)$folder" \
    "COMPOSE_FILE=docker-compose.yml:deploy/compose.secrets.yml" >>"$env.new"
mv "$env.new" "$env"
echo "The secrets of $env are now in $folder. Now: docker compose up -d"
