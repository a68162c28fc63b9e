"""Project configuration. Importing it makes its Celery app the current one, as shared tasks need."""

from drsite.celery import app as celery_app

__all__ = ("celery_app",)
