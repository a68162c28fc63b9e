#!/bin/sh
# Migrates the database (bootstrap takes a lock, so several containers may start at once), then runs gunicorn.
set -eu
python manage.py bootstrap
exec gunicorn --config deploy/gunicorn_conf.py drsite.wsgi:application
