"""Drafts of readings: what a reviewer entered and has not signed."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from screening.models.base import BaseModel
from screening.models.exams import Exam
from screening.models.reviews import Review


class ReadingDraft(BaseModel):
    """What a reviewer entered for an exam and has not signed. No other user sees it, also not in the admin panel.

    ``entries`` maps names of the form's fields to texts. ``base_review`` is the review in force when the page was
    opened; null: the exam was not signed. ``version`` counts the changes. ``page_version`` identifies the photographs
    that the reviewer read (``views.review_panel``).
    """

    exam = models.ForeignKey(Exam, models.PROTECT, related_name="reading_drafts")
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    base_review = models.ForeignKey(Review, models.PROTECT, related_name="+", null=True, blank=True)
    entries = models.JSONField(_("entries"), default=dict)
    version = models.PositiveIntegerField(_("version"), default=1)
    reading_round = models.PositiveSmallIntegerField(_("reading round"), default=0)
    page_version = models.CharField(_("version of the page"), max_length=16, blank=True, default="")
    page_id = models.CharField(_("page that saved it"), max_length=36, blank=True, default="")
    updated_at = models.DateTimeField(_("changed at"), db_index=True)

    class Meta:
        verbose_name = _("draft of a reading")
        verbose_name_plural = _("drafts of readings")
        ordering = ["-updated_at", "id"]
        constraints = [models.UniqueConstraint(fields=["exam", "reviewer"], name="draft_once_a_reviewer")]

    def __str__(self) -> str:
        return f"Draft {self.id}"
