#!/bin/sh
# Prepares the database, once whatever the number of containers, and becomes gunicorn.
set -eu
python manage.py bootstrap
exec gunicorn --config deploy/gunicorn_conf.py drsite.wsgi:application
