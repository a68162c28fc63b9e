"""Documents as PDF, and the letterhead that they have."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from screening.labels.choices import values
from screening.labels.documents import FAILURE_CHOICES, FAILURE_TEXTS, DocumentFailure
from screening.labels.letters import VARIANT_CHOICES
from screening.models.base import BaseModel
from screening.models.exams import Exam
from screening.models.messages import MessageTemplate
from screening.models.patients import Patient
from screening.models.reviews import Review
from screening.models.sites import Site
from screening.policy.letters import LetterVariant
from screening.postal_addresses import MAX_ADDRESS_CHARS

_OF_REVIEW = ["clinical_report", "result_letter", "doctor_letter", "referral_letter"]


class Letterhead(BaseModel):
    """Name, address and logo at the head of the documents of a site.

    Rows are added and never changed, by a trigger; the newest counts. ``logo`` is a PNG that ``services.letterheads``
    made; empty without a logo. ``hospital_address`` is that of referral letters.
    """

    site = models.ForeignKey(Site, models.PROTECT, related_name="letterheads")
    name = models.CharField(_("name of the institution"), max_length=120)
    address = models.TextField(_("address"), max_length=MAX_ADDRESS_CHARS, blank=True, default="")
    hospital_address = models.TextField(
        _("name and address of the eye hospital"), max_length=MAX_ADDRESS_CHARS, blank=True, default=""
    )
    logo = models.BinaryField(_("logo"), blank=True, default=b"")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("letterhead")
        verbose_name_plural = _("letterheads")
        ordering = ["-created_at", "id"]
        indexes = [models.Index(fields=["site", "-created_at"], name="letterhead_newest")]
        constraints = [models.CheckConstraint(condition=~Q(name=""), name="letterhead_has_name")]

    def __str__(self) -> str:
        return f"Letterhead {self.id}"


def random_document_name(document: "Document", _filename: str) -> str:
    """A random storage name, ``documents/ab/<uuid>.pdf``, or ``.txt`` for a text file."""
    name = uuid.uuid4().hex
    return f"documents/{name[:2]}/{name}.{document.extension}"


class Document(BaseModel):
    """A PDF or a text file about a patient: requested, then made by a task.

    Once it is done, neither row nor file changes, by a trigger. ``id`` is printed on it; ``created_at`` is its date.
    ``data_sha256`` is the hash of what it contains without both: the same data need no second document. ``sha256`` and
    ``n_bytes`` are those of the file. ``text`` is the version of the text of a letter, null for the built-in one.
    """

    class Kind(models.TextChoices):
        """What it is for. The makers of each kind are in ``screening/reports/``."""

        CLINICAL_REPORT = "clinical_report", _("Clinical report")
        RESULT_LETTER = "result_letter", _("Letter to the patient")
        DOCTOR_LETTER = "doctor_letter", _("Letter to the doctor")
        REFERRAL_LETTER = "referral_letter", _("Letter to the eye hospital")
        INVITATION_LETTER = "invitation_letter", _("Invitation")
        REMINDER_LETTER = "reminder_letter", _("Reminder")
        MISSED_LETTER = "missed_letter", _("Letter after a missed appointment")

    class Status(models.TextChoices):
        QUEUED = "queued", _("Waiting")
        RUNNING = "running", _("Being made")
        DONE = "done", _("Made")
        FAILED = "failed", _("Failed")

    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices)
    site = models.ForeignKey(Site, models.PROTECT, related_name="documents")
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="documents")
    exam = models.ForeignKey(Exam, models.PROTECT, related_name="documents", null=True, blank=True)
    review = models.ForeignKey(Review, models.PROTECT, related_name="documents", null=True, blank=True)
    letterhead = models.ForeignKey(Letterhead, models.PROTECT, related_name="documents", null=True, blank=True)
    variant = models.CharField(
        _("variant"), max_length=12, choices=VARIANT_CHOICES, default=LetterVariant.STANDARD.value
    )
    text = models.ForeignKey(MessageTemplate, models.PROTECT, related_name="documents", null=True, blank=True)
    language = models.CharField(_("language"), max_length=10)
    has_heatmaps = models.BooleanField(_("with heatmaps"), default=False)
    data_sha256 = models.CharField(_("SHA-256 of the data"), max_length=64)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    status = models.CharField(_("status"), max_length=8, choices=Status.choices, default=Status.QUEUED)
    failure_code = models.CharField(_("failure code"), max_length=20, choices=FAILURE_CHOICES, blank=True, default="")
    n_attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    queued_at = models.DateTimeField(_("queued at"))
    published_at = models.DateTimeField(_("sent to the workers at"), null=True, blank=True)
    started_at = models.DateTimeField(_("started at"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)
    file = models.FileField(_("file"), upload_to=random_document_name, max_length=100, blank=True, default="")
    sha256 = models.CharField(_("SHA-256 of the file"), max_length=64, blank=True, default="")
    n_bytes = models.PositiveIntegerField(_("size (bytes)"), null=True, blank=True)

    class Meta:
        verbose_name = _("document")
        verbose_name_plural = _("documents")
        ordering = ["-created_at", "id"]
        indexes = [
            models.Index(fields=["status", "queued_at"], name="document_by_status"),
            models.Index(fields=["exam", "-created_at"], name="document_of_exam"),
            models.Index(fields=["patient", "-created_at"], name="document_of_patient"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=[*_OF_REVIEW, "invitation_letter", "reminder_letter", "missed_letter"]),
                name="document_kind_known",
            ),
            models.CheckConstraint(condition=Q(variant__in=values(LetterVariant)), name="document_variant_known"),
            models.CheckConstraint(
                condition=Q(status__in=["queued", "running", "done", "failed"]), name="document_status_known"
            ),
            models.CheckConstraint(
                condition=~Q(kind__in=_OF_REVIEW) | Q(exam__isnull=False, review__isnull=False),
                name="document_has_review",
            ),
            models.CheckConstraint(
                condition=Q(status="done", n_bytes__isnull=False, failure_code="") & ~Q(file="") & ~Q(sha256="")
                | ~Q(status="done") & Q(file="", sha256="", n_bytes__isnull=True),
                name="document_done_has_file",
            ),
            models.CheckConstraint(
                condition=Q(status="failed", failure_code__in=values(DocumentFailure))
                | ~Q(status="failed") & Q(failure_code=""),
                name="document_failed_has_code",
            ),
        ]

    def __str__(self) -> str:
        return f"Document {self.id}"

    @property
    def extension(self) -> str:
        """The end of the name of its file."""
        return "txt" if self.variant == LetterVariant.PLAIN_TEXT else "pdf"

    @property
    def is_pending(self) -> bool:
        return self.status in {self.Status.QUEUED, self.Status.RUNNING}

    @property
    def failure_text(self) -> str:
        """What failed and what to do about it; empty unless failed."""
        return str(FAILURE_TEXTS[DocumentFailure(self.failure_code)]) if self.failure_code else ""
