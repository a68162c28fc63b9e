"""The WSGI door: ``gunicorn drsite.wsgi``."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "drsite.settings")

application = get_wsgi_application()
