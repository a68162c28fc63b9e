"""Fundus photographs."""

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from ml.vocabulary import Laterality
from screening.labels.choices import values
from screening.labels.eyes import LATERALITY_CHOICES
from screening.models.base import BaseModel
from screening.models.exams import Exam
from screening.models.sites import Site


def random_photo_name(_image: "FundusImage", filename: str) -> str:
    """A random storage name, ``photos/ab/<uuid>.<ext>``, with the extension of ``filename``."""
    name = uuid.uuid4().hex
    return f"photos/{name[:2]}/{name}.{filename.rpartition('.')[2].lower()}"


class FundusImage(BaseModel):
    """A photograph of one eye. The name of the uploaded file is not stored: it often names the patient.

    ``study_uid`` and ``instance_uid`` are those of a DICOM file, under which an archive has the original.
    """

    class Field(models.TextChoices):
        """What the photograph is centred on."""

        MACULA = "macula", _("Macula-centred")
        DISC = "disc", _("Disc-centred")
        OTHER = "other", _("Other field")

    class Format(models.TextChoices):
        JPEG = "JPEG", "JPEG"
        PNG = "PNG", "PNG"
        TIFF = "TIFF", "TIFF"
        WEBP = "WEBP", "WebP"

    class CaptureSource(models.TextChoices):
        """Where the date of the photograph comes from."""

        CLIENT = "client", _("entered at the upload")
        EXIF = "exif", _("read from the file")
        UPLOAD = "upload", _("day of the upload")

    class Pupil(models.TextChoices):
        """The pupil at the time of the photograph (DICOM: Pupil Dilated); empty if it was not recorded."""

        DILATED = "dilated", _("Dilated")
        UNDILATED = "undilated", _("Not dilated")

    class Writing(models.TextChoices):
        """What was done with writing found outside the retina."""

        NONE = "none", _("none found")
        KEPT = "kept", _("kept")
        BLANKED = "blanked", _("blanked before storing")

    class WithdrawnCode(models.TextChoices):
        """Why a photograph is withdrawn."""

        WRONG_EYE = "wrong_eye", _("Wrong eye")
        WRONG_PATIENT = "wrong_patient", _("Wrong patient")
        POOR_QUALITY = "poor_quality", _("Poor quality")
        OTHER = "other", _("Another reason")

    exam = models.ForeignKey(Exam, models.PROTECT, related_name="images")
    laterality = models.CharField(_("eye"), max_length=2, choices=LATERALITY_CHOICES)
    field = models.CharField(_("field"), max_length=10, choices=Field.choices, default=Field.MACULA)
    sha256 = models.CharField(_("SHA-256 of the uploaded file"), max_length=64)
    file = models.FileField(_("file"), upload_to=random_photo_name, max_length=100)
    format = models.CharField(_("format"), max_length=4, choices=Format.choices)
    width_px = models.PositiveIntegerField(_("width (px, upright)"))
    height_px = models.PositiveIntegerField(_("height (px, upright)"))
    n_bytes = models.PositiveIntegerField(_("size (bytes)"))
    camera = models.CharField(_("camera"), max_length=80, blank=True, default="")
    study_uid = models.CharField(_("DICOM study"), max_length=64, blank=True, default="")
    instance_uid = models.CharField(_("DICOM image"), max_length=64, blank=True, default="")
    captured_on = models.DateField(_("date of the photograph"), null=True, blank=True)
    captured_on_source = models.CharField(
        _("date of the photograph: source"), max_length=8, choices=CaptureSource.choices, blank=True, default=""
    )
    writing = models.CharField(
        _("writing outside the retina"), max_length=8, choices=Writing.choices, default=Writing.NONE
    )
    pupil = models.CharField(_("pupil"), max_length=9, choices=Pupil.choices, blank=True, default="")
    is_synthetic = models.BooleanField(_("synthetic, not a patient"), default=False)
    copy_reason = models.CharField(
        _("also in the exam of another patient: reason"), max_length=200, blank=True, default=""
    )
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    withdrawn_at = models.DateTimeField(_("withdrawn at"), null=True, blank=True)
    withdrawn_code = models.CharField(
        _("withdrawn: why"), max_length=16, choices=WithdrawnCode.choices, blank=True, default=""
    )
    withdrawn_reason = models.CharField(_("withdrawn: reason"), max_length=200, blank=True, default="")

    class Meta:
        verbose_name = _("fundus image")
        verbose_name_plural = _("fundus images")
        ordering = ["laterality", "created_at", "id"]
        indexes = [
            models.Index(fields=["sha256"], name="image_by_sha256"),
            models.Index(fields=["-created_at", "id"], name="image_newest"),
            models.Index(
                fields=["exam"],
                name="image_with_writing",
                condition=models.Q(writing="kept", withdrawn_at__isnull=True),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["exam", "sha256"], condition=models.Q(withdrawn_at__isnull=True), name="image_once_an_exam"
            ),
            models.CheckConstraint(
                condition=models.Q(laterality__in=values(Laterality)), name="image_laterality_known"
            ),
            models.CheckConstraint(condition=models.Q(field__in=["macula", "disc", "other"]), name="image_field_known"),
            models.CheckConstraint(
                condition=models.Q(writing__in=["none", "kept", "blanked"]), name="image_writing_known"
            ),
            models.CheckConstraint(
                condition=models.Q(pupil__in=["", "dilated", "undilated"]), name="image_pupil_known"
            ),
            models.CheckConstraint(
                condition=models.Q(width_px__gte=1, height_px__gte=1, n_bytes__gte=1), name="image_has_size"
            ),
            models.CheckConstraint(
                condition=models.Q(withdrawn_at__isnull=True, withdrawn_code="", withdrawn_reason="")
                | models.Q(
                    withdrawn_at__isnull=False, withdrawn_code__in=["wrong_eye", "wrong_patient", "poor_quality"]
                )
                | models.Q(withdrawn_at__isnull=False, withdrawn_code="other") & ~models.Q(withdrawn_reason=""),
                name="image_withdrawn_with_reason",
            ),
            models.CheckConstraint(
                condition=models.Q(captured_on__isnull=True, captured_on_source="")
                | models.Q(captured_on__isnull=False, captured_on_source__in=["client", "exif", "upload"]),
                name="image_capture_date_has_source",
            ),
        ]

    def __str__(self) -> str:
        return f"Image {self.id}"

    @property
    def is_withdrawn(self) -> bool:
        return self.withdrawn_at is not None


def required_fields(site: Site) -> list[FundusImage.Field]:
    """Fields of which the site requires a photograph of each eye."""
    required = {FundusImage.Field.MACULA: site.requires_macula, FundusImage.Field.DISC: site.requires_optic_disc}
    return [field for field, is_required in required.items() if is_required]
