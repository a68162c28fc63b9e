"""How a user arranges the worklist."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from screening.models.base import BaseModel


class WorklistLayout(BaseModel):
    """The arrangement of the worklist that a user last chose. It holds nothing of a patient."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="worklist_layout")
    is_dense = models.BooleanField(_("rows are low"), default=True)

    class Meta:
        verbose_name = _("layout of the worklist")
        verbose_name_plural = _("layouts of the worklist")

    def __str__(self) -> str:
        return f"Layout {self.id}"
