"""The Celery app: ``celery -A drsite worker`` grades photographs, ``celery -A drsite beat`` runs the sweep."""

import logging.config
import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "drsite.settings")

app = Celery("drsite")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def use_the_sites_logging(**_kwargs: Any) -> None:
    """Give workers the site's log format, which never prints an exception's own words."""
    logging.config.dictConfig(settings.LOGGING)
