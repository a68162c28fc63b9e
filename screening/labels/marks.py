"""Labels of marks on photographs, and sentences about marks that are refused."""

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from screening.labels.choices import choices
from screening.policy.lesions import Lesion
from screening.policy.marks import MAX_MARKS, MAX_POINTS, MIN_POINTS, MarkError, MarkFault, MarkShape

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

MARK_KIND_LABELS: dict[Lesion, "_StrPromise"] = {
    Lesion.MICROANEURYSMS: _("Microaneurysm"),
    Lesion.HAEMORRHAGES: _("Haemorrhage"),
    Lesion.BLOT_HAEMORRHAGES: _("Blot haemorrhage"),
    Lesion.HARD_EXUDATES: _("Hard exudate"),
    Lesion.COTTON_WOOL_SPOTS: _("Cotton-wool spot"),
    Lesion.VENOUS_BEADING_QUADRANTS: _("Venous beading"),
    Lesion.IRMA: _("IRMA"),
    Lesion.NEW_VESSELS_DISC: _("New vessels at the disc"),
    Lesion.NEW_VESSELS_ELSEWHERE: _("New vessels elsewhere"),
    Lesion.PRERETINAL_HAEMORRHAGE: _("Pre-retinal or vitreous haemorrhage"),
    Lesion.FIBROSIS: _("Fibrosis"),
    Lesion.DETACHMENT: _("Traction detachment"),
    Lesion.LASER_SCARS: _("Laser scar"),
    Lesion.NAEVUS: _("Naevus"),
    Lesion.OTHER_DISEASE: _("Other lesion"),
}
MARK_SHAPE_LABELS: dict[MarkShape, "_StrPromise"] = {
    MarkShape.POINT: _("point"),
    MarkShape.CIRCLE: _("circle"),
    MarkShape.OUTLINE: _("outline"),
}
MARK_KIND_CHOICES = choices(MARK_KIND_LABELS)
MARK_SHAPE_CHOICES = choices(MARK_SHAPE_LABELS)
FAULT_LABELS: dict[MarkFault, "_StrPromise"] = {
    MarkFault.MALFORMED: _("Mark %(number)s cannot be read. Delete it and draw it again."),
    MarkFault.UNKNOWN_KIND: _("The kind of mark %(number)s is not known. Delete it, choose a kind and draw it again."),
    MarkFault.UNKNOWN_SHAPE: _("Mark %(number)s is no point, circle or outline. Delete it and draw it again."),
    MarkFault.OUTSIDE: _("Mark %(number)s is outside the photograph. Delete it and draw it on the photograph."),
    MarkFault.NO_SIZE: _("The circle of mark %(number)s has no size, or is too large. Delete it and draw it again."),
    MarkFault.TOO_FEW_POINTS: ngettext_lazy(
        "Mark %(number)s needs at least %(least)s point. Delete it and draw it again.",
        "Mark %(number)s needs at least %(least)s points. Delete it and draw it again.",
        "least",
    ),
    MarkFault.TOO_MANY_POINTS: ngettext_lazy(
        "Mark %(number)s has more than %(most)s point. Delete it and draw it in fewer, or as a circle.",
        "Mark %(number)s has more than %(most)s points. Delete it and draw it in fewer, or as a circle.",
        "most",
    ),
    MarkFault.TOO_MANY_MARKS: ngettext_lazy(
        "There is more than %(most)s mark on this eye. Delete some of them.",
        "There are more than %(most)s marks on this eye. Delete some of them.",
        "most",
    ),
}
ALL_MALFORMED = _("The marks of this eye cannot be read. Reload the page and draw them again.")
_TOO_LONG = _("The marks of this eye have too many points together. Delete some, or draw circles instead of outlines.")


def marks_too_long() -> str:
    """The marks of an eye have more points than can be stored."""
    return str(_TOO_LONG)


def mark_error_text(error: MarkError) -> str:
    """Why marks are refused, and what to do."""
    if error.fault is MarkFault.MALFORMED and not error.number:
        return str(ALL_MALFORMED)
    most = MAX_MARKS if error.fault is MarkFault.TOO_MANY_MARKS else MAX_POINTS
    return str(FAULT_LABELS[error.fault] % {"number": error.number, "least": MIN_POINTS, "most": most})
