"""Letters that are made at once for the people of a list, as files for printing."""

import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from screening.labels.choices import values
from screening.labels.letters import BATCH_STATE_CHOICES, REASON_CHOICES, VARIANT_CHOICES
from screening.labels.recall import STEP_CHOICES
from screening.models.base import BaseModel
from screening.models.documents import Document
from screening.models.patients import Patient
from screening.models.reviews import Review
from screening.models.sites import Site
from screening.policy.letters import BatchState, LetterReason, LetterVariant


def random_batch_name(_batch: "LetterBatch", filename: str) -> str:
    """A random storage name, ``letters/ab/<uuid>.pdf`` or ``.zip``."""
    name = uuid.uuid4().hex
    return f"letters/{name[:2]}/{name}.{filename.rpartition('.')[2]}"


class LetterBatch(BaseModel):
    """Letters to the people of a list. Its id comes from the form: a repetition finds it.

    A worker claims it by a conditional UPDATE, ``n_attempts`` is the fencing token. ``pdf`` has all letters for a
    folding machine, ``archive`` a file of each; both are empty until it is done, and if no letter was made; text files
    have no ``pdf``. Both are copies of documents: they are deleted after ``LETTER_FILES_DAYS``, and can be made again.
    """

    site = models.ForeignKey(Site, models.PROTECT, related_name="letter_batches")
    variant = models.CharField(_("variant"), max_length=12, choices=VARIANT_CHOICES)
    state = models.CharField(
        _("state"), max_length=10, choices=BATCH_STATE_CHOICES, default=BatchState.QUEUED.value, db_index=True
    )
    n_letters = models.PositiveIntegerField(_("letters to make"))
    n_attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    worked_at = models.DateTimeField(_("last worked on at"), auto_now_add=True)
    finished_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    pdf = models.FileField(_("PDF"), upload_to=random_batch_name, max_length=100, blank=True, default="")
    archive = models.FileField(_("archive"), upload_to=random_batch_name, max_length=100, blank=True, default="")
    files_deleted_at = models.DateTimeField(_("files deleted at"), null=True, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("created by")
    )

    class Meta:
        verbose_name = _("batch of letters")
        verbose_name_plural = _("batches of letters")
        ordering = ["-created_at", "id"]
        indexes = [models.Index(fields=["site", "-created_at"], name="letter_batches_of_site")]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=values(BatchState)), name="letter_batch_state_known"),
            models.CheckConstraint(condition=Q(variant__in=values(LetterVariant)), name="letter_batch_variant_known"),
        ]

    def __str__(self) -> str:
        return f"Batch of letters {self.id}"

    @property
    def is_working(self) -> bool:
        return self.state in {BatchState.QUEUED, BatchState.RUNNING}

    @property
    def files_until(self) -> datetime | None:
        """Until when the files are kept; None without files."""
        if self.finished_at is None or not self.archive:
            return None
        return self.finished_at + timedelta(days=settings.LETTER_FILES_DAYS)


class BatchLetter(BaseModel):
    """A letter of a batch, or why a person gets none. ``document`` is set once it is made.

    ``step`` is the step of call and recall that it carries out, empty for letters about a result.
    """

    batch = models.ForeignKey(LetterBatch, models.PROTECT, related_name="letters")
    position = models.PositiveIntegerField(_("position"))
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="+")
    review = models.ForeignKey(Review, models.PROTECT, related_name="+", null=True, blank=True)
    kind = models.CharField(_("kind"), max_length=20, choices=Document.Kind.choices, blank=True, default="")
    step = models.CharField(_("step"), max_length=12, choices=STEP_CHOICES, blank=True, default="")
    reason = models.CharField(_("reason"), max_length=12, choices=REASON_CHOICES, blank=True, default="")
    document = models.ForeignKey(Document, models.PROTECT, related_name="+", null=True, blank=True)

    class Meta:
        verbose_name = _("letter of a batch")
        verbose_name_plural = _("letters of batches")
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["batch", "position"], name="batch_letter_position_once"),
            models.CheckConstraint(
                condition=Q(reason="") | Q(reason__in=values(LetterReason), document__isnull=True),
                name="batch_letter_reason_known",
            ),
        ]

    def __str__(self) -> str:
        return f"Letter {self.position} of {self.batch_id}"
