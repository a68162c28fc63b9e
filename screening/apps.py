"""The Django app of people, visits and decisions."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ScreeningConfig(AppConfig):
    name = "screening"
    verbose_name = _("Screening")

    def ready(self) -> None:
        """Register the start-up checks."""
        from screening import checks  # noqa: F401
