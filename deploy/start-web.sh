#!/bin/sh
# Prepares the database, once whatever the number of containers, and becomes gunicorn.
set -eu
python manage.py prepare
exec gunicorn --config deploy/gunicorn_conf.py drsite.wsgi:application
