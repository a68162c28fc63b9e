"""How a user arranges the reading page."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from screening.models.base import BaseModel


class ReadingLayout(BaseModel):
    """The arrangement of the reading page that a user last chose. It holds nothing of a patient."""

    class View(models.TextChoices):
        """Which photographs are beside each other."""

        EYES = "eyes", _("Right and left eye")
        VISITS = "visits", _("This visit and the one before")
        FIELDS = "fields", _("Two fields of each eye")

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="reading_layout")
    view = models.CharField(_("view"), max_length=8, choices=View.choices, default=View.EYES)
    shows_panel = models.BooleanField(_("shows the side panel"), default=True)
    shows_strip = models.BooleanField(_("shows the strip of photographs"), default=True)

    class Meta:
        verbose_name = _("layout of the reading page")
        verbose_name_plural = _("layouts of the reading page")
        constraints = [
            models.CheckConstraint(condition=models.Q(view__in=["eyes", "visits", "fields"]), name="layout_view_known")
        ]

    def __str__(self) -> str:
        return f"Layout {self.id}"

    @property
    def css_classes(self) -> str:
        """Classes of the frame of the page."""
        hidden = {"is-panel-hidden": not self.shows_panel, "is-strip-hidden": not self.shows_strip}
        return " ".join([f"view-{self.view}", *(name for name, is_hidden in hidden.items() if is_hidden)])
