"""Columns of lists and inlines: persons, moments, eyes, grades and photographs as people read them."""

from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Model
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from screening.labels.dates import day_text, moment_text
from screening.labels.findings import finding_text
from screening.labels.grades import GRADE_LABELS
from screening.models import Exam, FundusImage, Grading, Patient
from screening.site_paths import site_of

Column = Callable[[Any], Any]


def person_text(patient: Patient) -> str:
    """Medical record number and initials. NB: not the name, which a list has no need of."""
    return format_html("<bdi>{}</bdi> <bdi>{}</bdi>", patient.mrn, patient.initials)


def record_text(obj: Any) -> str:
    """What a person calls a record: of an exam the patient, its day and site, then the eye of what belongs to it."""
    if isinstance(obj, Patient):
        return f"{obj.mrn} {obj.initials} · {obj.site}".replace("  ", " ")
    exam = exam_of(obj)
    if exam is None:
        return str(obj)
    eye = obj.image if isinstance(obj, Grading) else obj
    person, day = f"{exam.patient.mrn} {exam.patient.initials}".strip(), day_text(exam.created_at, exam.site.zone)
    eye_text = str(eye.get_laterality_display()) if hasattr(eye, "get_laterality_display") else ""
    return " · ".join(filter(None, (person, day, str(exam.site), eye_text)))


def exam_of(obj: Any) -> Exam | None:
    """The exam that a record is, or belongs to; None if it has none."""
    if isinstance(obj, Exam):
        return obj
    owner = obj.image if isinstance(obj, Grading) else obj
    exam = getattr(owner, "exam", None)
    return exam if isinstance(exam, Exam) else None


def link_to(obj: Any) -> str:
    """A link to the page of a record in the panel."""
    address = reverse(f"admin:{obj._meta.app_label}_{obj._meta.model_name}_change", args=[obj.pk])
    return format_html('<a href="{}">{}</a>', address, record_text(obj))


def person_column(path: str) -> Column:
    """The patient at ``path``, such as ``exam__patient``."""
    get_patient = attrgetter(path.replace("__", "."))

    @admin.display(description=_("patient"), ordering=f"{path}__folded_mrn")
    def person(obj: Any) -> str:
        return person_text(get_patient(obj))

    return person


def moment_column(model: type[Model], field: str) -> Column:
    """A moment in the time zone of the site of the record."""

    @admin.display(description=getattr(model._meta.get_field(field), "verbose_name", field), ordering=field)
    def moment(obj: Any) -> str:
        site = site_of(obj)
        return moment_text(getattr(obj, field), site.zone if site else None)

    moment.__name__ = field
    return moment


@admin.display(description=_("grade"), ordering="grade")
def grade(obj: Any) -> str:
    """The grade in words."""
    return "–" if obj.grade is None else str(GRADE_LABELS[obj.grade])


@admin.display(description=_("finding"), ordering="grade")
def finding(obj: Any) -> str:
    """The finding in words."""
    return finding_text(obj)


@admin.display(description=_("size"), ordering="width_px")
def size(obj: FundusImage) -> str:
    """Width and height."""
    return f"{obj.width_px} × {obj.height_px} px"


def photo_of(image: Any) -> str:
    """The thumbnail of a row of ``with_may_see_photo``; a dash if its page is not shown to the user."""
    if not image.may_see_photo:
        return format_html('<span title="{}">–</span>', _("Only for people with a role at the site"))
    address = reverse("screening:image-thumbnail", args=[image.pk])
    text = f"{image.get_laterality_display()}, {image.get_field_display()}"
    return format_html('<img class="admin-photo" src="{}" alt="{}" loading="lazy">', address, text)


@admin.display(description=_("photograph"))
def photo(obj: Any) -> str:
    """The thumbnail."""
    return photo_of(obj)


class GradeFilter(admin.AllValuesFieldListFilter):
    """Filter by the grades that occur, in words."""

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        labels = {str(value): str(label) for value, label in GRADE_LABELS.items()}
        for choice in super().choices(changelist):
            yield {**choice, "display": labels.get(str(choice["display"]), choice["display"])}
