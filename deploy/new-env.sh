#!/bin/sh
# Writes settings of a new installation, with random secrets, to standard output:
#   sh deploy/new-env.sh screening.example.org > .env
set -eu
umask 077
host=${1:?Give the host name of the site: sh deploy/new-env.sh screening.example.org > .env}
random() { od -An -tx1 -N "$1" /dev/urandom | tr -d ' \n'; }
cat <<END
# Settings of this installation, with all its secrets: readable by the owner only, part of the backup, in no repository.
# .env.example describes more variables.
ALLOWED_HOSTS=$host
SECRET_KEY=$(random 32)
DATABASE_PASSWORD=$(random 24)
REDIS_PASSWORD=$(random 24)
METRICS_TOKEN=$(random 24)
# The first administrator. The password must be changed at the first log-in; remove this line after that.
ADMIN_USERNAME=admin
ADMIN_PASSWORD=$(random 8)
# Ports on which the site is reached.
HTTPS_PORT=443
HTTP_PORT=80
END
