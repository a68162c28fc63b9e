"""Marks on photographs: where a reader sees a lesion."""

from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from screening.labels.choices import values
from screening.labels.marks import MARK_KIND_CHOICES, MARK_SHAPE_CHOICES
from screening.models.base import BaseModel
from screening.models.images import FundusImage
from screening.models.readings import ReadingEye
from screening.models.reviews import EyeFinding, FirstReading
from screening.policy.lesions import Lesion
from screening.policy.marks import MARK_KINDS, Mark, MarkShape


class LesionMark(BaseModel):
    """A mark of a first reading, of a signed reading or of a signed finding. Never changed: an amendment has its own.

    ``points`` and ``radius`` are those of ``policy.marks.Mark``: fractions of the photograph. ``number`` is the order
    in which the reader drew the marks of the eye.
    """

    image = models.ForeignKey(FundusImage, models.PROTECT, related_name="marks")
    first_reading = models.ForeignKey(FirstReading, models.PROTECT, related_name="marks", null=True, blank=True)
    finding = models.ForeignKey(EyeFinding, models.PROTECT, related_name="marks", null=True, blank=True)
    reading_eye = models.ForeignKey(ReadingEye, models.PROTECT, related_name="marks", null=True, blank=True)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    number = models.PositiveSmallIntegerField(_("number"))
    kind = models.CharField(_("kind of the lesion"), max_length=30, choices=MARK_KIND_CHOICES)
    shape = models.CharField(_("shape"), max_length=8, choices=MARK_SHAPE_CHOICES)
    points = models.JSONField(_("points, fractions of width and height"))
    radius = models.FloatField(_("radius, fraction of the width"), null=True, blank=True)

    class Meta:
        verbose_name = _("mark")
        verbose_name_plural = _("marks")
        ordering = ["number", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(first_reading__isnull=True, finding__isnull=False, reading_eye__isnull=True)
                | Q(first_reading__isnull=False, finding__isnull=True, reading_eye__isnull=True)
                | Q(first_reading__isnull=True, finding__isnull=True, reading_eye__isnull=False),
                name="mark_of_one_reading_or_finding",
            ),
            models.UniqueConstraint(fields=["reading_eye", "number"], name="mark_number_once_a_reading_eye"),
            models.UniqueConstraint(fields=["first_reading", "number"], name="mark_number_once_a_reading"),
            models.UniqueConstraint(fields=["finding", "number"], name="mark_number_once_a_finding"),
            models.CheckConstraint(condition=Q(kind__in=values(MARK_KINDS)), name="mark_kind_known"),
            models.CheckConstraint(condition=Q(shape__in=values(MarkShape)), name="mark_shape_known"),
            models.CheckConstraint(
                condition=Q(shape="circle", radius__isnull=False, radius__gt=0, radius__lte=0.5)
                | Q(shape__in=["point", "outline"], radius__isnull=True),
                name="mark_radius_of_circles",
            ),
        ]

    def __str__(self) -> str:
        return f"Mark {self.id}"

    @property
    def value(self) -> Mark:
        """The mark without the record that it belongs to."""
        points = tuple((float(x), float(y)) for x, y in self.points)
        image_id: UUID = self.image_id
        return Mark(image_id, Lesion(self.kind), MarkShape(self.shape), points, self.radius)
