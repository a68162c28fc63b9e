"""Exams: one patient, photographed at one visit."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from ml.vocabulary import Laterality
from screening.labels.choices import values
from screening.labels.exam_states import EXAM_STATE_CHOICES
from screening.labels.worklist import QUALITY_CHOICES, READING_URGENCY_CHOICES
from screening.models.base import BaseModel
from screening.models.patients import Patient
from screening.models.sites import Site
from screening.policy import ExamQuality, Urgency, WorklistBand, WorklistRank
from screening.policy.exam_states import PHOTOGRAPHED, WAITING, ExamState

_IS_WAITING = models.Q(status__in=values(sorted(WAITING)))
_IS_PHOTOGRAPHED = models.Q(status__in=values(sorted(PHOTOGRAPHED)))
_IS_UNFINISHED = models.Q(status__in=values(sorted(PHOTOGRAPHED | WAITING)))
_WAS_NEVER_HANDED_OVER = models.Q(status__in=["cancelled", *values(sorted(PHOTOGRAPHED))])


class Exam(BaseModel):
    """One visit. ``status`` is the progress of people (``policy.exam_states``), ``Grading.status`` that of the model.

    ``worklist_rank`` (a ``policy.WorklistRank``), ``worst_grade`` and ``max_p_referable`` follow from the current
    grading of each photograph in use (``services.worklist``). The last two are null if no photograph has a grade.
    ``quality`` (a ``policy.ExamQuality``) is that of the photographs, independent of their grades.

    ``due_at`` is when the exam should be read: the hand-over and the site's target for ``reading_urgency``, which the
    photographer chooses. ``worklist_band`` (a ``policy.WorklistBand``) and ``due_at`` are the order of the worklist.

    ``reading_round`` increases each time the exam has to be read again: it was returned to the photographer, its
    photographs changed, or its signed review does not count any more. First readings and reviews of an earlier round
    stay and do not count.
    """

    ABSENT_REASON_FIELDS = {
        Laterality.RIGHT: "right_eye_absent_reason",
        Laterality.LEFT: "left_eye_absent_reason",
    }
    NOT_PHOTOGRAPHED_REASON_FIELDS = {
        Laterality.RIGHT: "right_eye_not_photographed_reason",
        Laterality.LEFT: "left_eye_not_photographed_reason",
    }
    UNOBTAINABLE_FIELDS = {
        Laterality.RIGHT: "right_eye_unobtainable",
        Laterality.LEFT: "left_eye_unobtainable",
    }

    class Unobtainable(models.TextChoices):
        """Why no gradable photograph of a present eye can be obtained by camera."""

        CATARACT = "cataract", _("Cataract or another opacity")
        SMALL_PUPIL = "small_pupil", _("Small pupil")
        NO_COOPERATION = "no_cooperation", _("The patient cannot cooperate")
        OTHER = "other", _("Another reason")

    Status = ExamState

    site = models.ForeignKey(Site, models.PROTECT, related_name="exams")
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="exams")
    status = models.CharField(_("status"), max_length=16, choices=EXAM_STATE_CHOICES, default=ExamState.OPEN.value)
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    submitted_at = models.DateTimeField(_("submitted at"), null=True, blank=True)
    right_eye_absent_reason = models.CharField(_("right eye absent: reason"), max_length=200, blank=True, default="")
    left_eye_absent_reason = models.CharField(_("left eye absent: reason"), max_length=200, blank=True, default="")
    right_eye_not_photographed_reason = models.CharField(
        _("right eye not photographed: reason"), max_length=200, blank=True, default=""
    )
    left_eye_not_photographed_reason = models.CharField(
        _("left eye not photographed: reason"), max_length=200, blank=True, default=""
    )
    right_eye_unobtainable = models.CharField(
        _("right eye not obtainable: why"), max_length=16, choices=Unobtainable.choices, blank=True, default=""
    )
    left_eye_unobtainable = models.CharField(
        _("left eye not obtainable: why"), max_length=16, choices=Unobtainable.choices, blank=True, default=""
    )
    right_eye_unobtainable_reason = models.CharField(
        _("right eye not obtainable: in words"), max_length=200, blank=True, default=""
    )
    left_eye_unobtainable_reason = models.CharField(
        _("left eye not obtainable: in words"), max_length=200, blank=True, default=""
    )
    returned_at = models.DateTimeField(_("returned to the photographer at"), null=True, blank=True)
    returned_reason = models.CharField(_("returned: reason"), max_length=300, blank=True, default="")
    reading_round = models.PositiveSmallIntegerField(_("reading round"), default=0)

    reading_urgency = models.CharField(
        _("how soon it should be read"),
        max_length=12,
        choices=READING_URGENCY_CHOICES,
        default=Urgency.ROUTINE.value,
    )
    due_at = models.DateTimeField(_("due at"), null=True, blank=True)
    worklist_band = models.PositiveSmallIntegerField(_("worklist band"), default=WorklistBand.BY_DUE_TIME.value)
    quality = models.CharField(
        _("quality of the photographs"), max_length=12, choices=QUALITY_CHOICES, default=ExamQuality.UNGRADED.value
    )
    worklist_rank = models.PositiveSmallIntegerField(_("worklist rank"), default=WorklistRank.UNGRADED.value)
    is_oedema_suspected = models.BooleanField(_("suspicion of macular oedema by the model"), default=False)
    worst_grade = models.PositiveSmallIntegerField(_("worst grade by the model"), null=True, blank=True)
    max_p_referable = models.FloatField(_("largest probability of a referable eye"), null=True, blank=True)

    class Meta:
        verbose_name = _("exam")
        verbose_name_plural = _("exams")
        ordering = ["-created_at", "id"]
        indexes = [
            models.Index(fields=["site", "status", "due_at"], name="exam_by_due_time"),
            models.Index(fields=["site", "created_at"], name="exam_by_visit"),
            models.Index(fields=["-created_at", "id"], name="exam_newest"),
            models.Index(fields=["site"], name="exam_read_again", condition=models.Q(reading_round__gt=0)),
            # The orders of the worklist, for users of any number of sites.
            models.Index(
                fields=["worklist_band", "due_at", "created_at", "id"], name="exam_by_band", condition=_IS_WAITING
            ),
            models.Index(fields=["due_at", "created_at", "id"], name="exam_by_due", condition=_IS_WAITING),
            models.Index(fields=["submitted_at", "id"], name="exam_by_submission", condition=_IS_WAITING),
            models.Index(fields=["-created_at", "id"], name="exam_open", condition=_IS_PHOTOGRAPHED),
            models.Index(fields=["-created_at", "id"], name="exam_signed", condition=models.Q(status="signed")),
            # All that the counts of the worklist distinguish.
            models.Index(
                fields=["site", "status", "quality", "worklist_rank", "worklist_band", "due_at", "id"],
                name="exam_of_worklist",
                condition=_IS_UNFINISHED,
            ),
            # The worklist in the order of names: it goes through the people, and finds the exam of each.
            models.Index(fields=["patient", "status"], name="exam_unfinished_of_person", condition=_IS_UNFINISHED),
            # The people whose exam is in progress, for the due list.
            models.Index(
                fields=["site"],
                include=["patient", "status", "created_at", "returned_at"],
                name="exam_in_progress",
                condition=_IS_UNFINISHED,
            ),
        ]
        constraints = [
            models.CheckConstraint(condition=models.Q(status__in=values(ExamState)), name="exam_status_known"),
            models.CheckConstraint(
                condition=_WAS_NEVER_HANDED_OVER | models.Q(submitted_at__isnull=False),
                name="exam_submitted_has_time",
            ),
            *(
                models.CheckConstraint(
                    condition=models.Q(**{f"{eye}_eye_unobtainable": "", f"{eye}_eye_unobtainable_reason": ""})
                    | models.Q(**{f"{eye}_eye_unobtainable__in": ["cataract", "small_pupil", "no_cooperation"]})
                    | models.Q(**{f"{eye}_eye_unobtainable": "other"})
                    & ~models.Q(**{f"{eye}_eye_unobtainable_reason": ""}),
                    name=f"exam_{eye}_eye_unobtainable_known",
                )
                for eye in ("right", "left")
            ),
            models.CheckConstraint(
                condition=models.Q(worklist_rank__in=[rank.value for rank in WorklistRank]), name="exam_rank_known"
            ),
            models.CheckConstraint(
                condition=_WAS_NEVER_HANDED_OVER | models.Q(due_at__isnull=False),
                name="exam_submitted_has_due_time",
            ),
            models.CheckConstraint(
                condition=~models.Q(status="returned") | models.Q(returned_at__isnull=False),
                name="exam_returned_has_time",
            ),
            models.CheckConstraint(
                condition=models.Q(worklist_band__in=[band.value for band in WorklistBand]), name="exam_band_known"
            ),
            models.CheckConstraint(condition=models.Q(quality__in=values(ExamQuality)), name="exam_quality_known"),
            models.CheckConstraint(
                condition=models.Q(reading_urgency__in=values(Urgency)), name="exam_reading_urgency_known"
            ),
        ]

    def __str__(self) -> str:
        return f"Exam {self.id}"

    @property
    def is_open(self) -> bool:
        """Whether the photographer works on it: open or returned."""
        return self.status in PHOTOGRAPHED

    @property
    def is_waiting(self) -> bool:
        """Whether it waits for a reader or a senior reviewer."""
        return self.status in WAITING

    @property
    def is_clear_negative(self) -> bool:
        """Whether the model flags no eye, and each eye that is present has photographs of good quality.

        NB: no other exam may be labelled, ordered or handled as a negative before a person has read it.
        """
        return self.worklist_rank == WorklistRank.ROUTINE and self.worst_grade is not None

    def absent_reason(self, laterality: str) -> str:
        """Why this eye is absent; empty if it is present."""
        return str(getattr(self, self.ABSENT_REASON_FIELDS[Laterality(laterality)]))

    def not_photographed_reason(self, laterality: str) -> str:
        """Why this eye could not be photographed at this visit; empty if none was given."""
        return str(getattr(self, self.NOT_PHOTOGRAPHED_REASON_FIELDS[Laterality(laterality)]))

    def unobtainable(self, laterality: str) -> str:
        """Why no gradable photograph of this eye can be obtained, an ``Unobtainable``; empty if none was given."""
        return str(getattr(self, self.UNOBTAINABLE_FIELDS[Laterality(laterality)]))

    def is_without_photograph(self, laterality: str) -> bool:
        """Whether there is a reason why this eye has no photograph: absent, not photographed or not obtainable."""
        eye = Laterality(laterality)
        return bool(self.absent_reason(eye) or self.not_photographed_reason(eye) or self.unobtainable(eye))

    def unobtainable_text(self, laterality: str) -> str:
        """``unobtainable`` in words; empty if none was given."""
        code = self.unobtainable(laterality)
        if code == self.Unobtainable.OTHER:
            return str(getattr(self, f"{self.UNOBTAINABLE_FIELDS[Laterality(laterality)]}_reason"))
        return str(self.Unobtainable(code).label) if code else ""
