"""Drafts of decisions between two readers."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from screening.models.base import BaseModel
from screening.models.exams import Exam


class ArbitrationDraft(BaseModel):
    """What a senior reviewer entered on the consensus page and has not signed. No other user sees it.

    NB: no ``ReadingDraft``: that one makes its writer a reader, from whom the result of a colleague is hidden.
    The fields are those of ``ReadingDraft``.
    """

    exam = models.ForeignKey(Exam, models.PROTECT, related_name="+")
    arbiter = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    entries = models.JSONField(_("entries"), default=dict)
    version = models.PositiveIntegerField(_("version"), default=1)
    page_version = models.CharField(_("version of the page"), max_length=16, blank=True, default="")
    updated_at = models.DateTimeField(_("changed at"), db_index=True)

    class Meta:
        verbose_name = _("draft of a decision")
        verbose_name_plural = _("drafts of decisions")
        ordering = ["-updated_at", "id"]
        constraints = [models.UniqueConstraint(fields=["exam", "arbiter"], name="draft_once_an_arbiter")]

    def __str__(self) -> str:
        return f"Draft {self.id}"
