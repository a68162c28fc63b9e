"""The Django app of people, visits and decisions, and its admin panel."""

from axes.apps import AppConfig as AxesConfig
from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.utils.translation import gettext_lazy as _


class ScreeningConfig(AppConfig):
    name = "screening"
    verbose_name = _("Screening")
    default = True

    def ready(self) -> None:
        """Register the start-up checks, and have files decoded in child processes."""
        from django.conf import settings

        from ml.serving.decoders import decoders
        from screening import access_audit, system_checks  # noqa: F401

        decoders.use_processes(settings.DECODER_PROCESSES)


class ScreeningAdminConfig(AdminConfig):
    """Django's admin with our own panel for a site."""

    default_site = "screening.admin_site.ScreeningAdminSite"
    default = False


class LogInsConfig(AxesConfig):  # type: ignore[misc]  # no types
    """Failed log-ins and lock-outs, under a name that an administrator understands."""

    verbose_name = _("Log-ins")
    default = False
