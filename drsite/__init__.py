"""Wiring of the site. Importing it makes the Celery app the current one, so that tasks find their broker."""

from drsite.celery import app as celery_app

__all__ = ("celery_app",)
