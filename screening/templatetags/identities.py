"""The person of an exam as a user sees it: with name, number and birth date, or only age band and sex."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django import template
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from screening.labels.dates import day_text
from screening.models import Exam

register = template.Library()
_DAYS_A_MONTH = 365.25 / 12


@dataclass(frozen=True, slots=True)
class ShownPerson:
    """What a list shows of the person of an exam."""

    name: str
    mrn: str = "–"
    birth_text: str = "–"


@register.simple_tag
def shown_person(exam: Exam, hidden_sites: Collection[UUID]) -> ShownPerson:
    """``{% shown_person exam hidden_sites as person %}``, of an exam that was loaded with its patient."""
    patient = exam.patient
    if exam.site_id in hidden_sites:
        return ShownPerson(patient.case_text_on(timezone.localdate(timezone=exam.site.zone)))
    return ShownPerson(patient.full_name, patient.mrn, patient.birth_text)


@register.filter
def visit_text(earlier: Exam, exam: Exam) -> str:
    """The day of an earlier exam; only how long before ``exam`` it was, if the user does not see the person.

    Of exams that ``selectors.exams`` loaded.
    """
    if getattr(earlier, "sees_identity", False):
        return day_text(earlier.created_at, earlier.site.zone)
    return _months_before(earlier.created_at, exam.created_at)


def _months_before(earlier: datetime, later: datetime) -> str:
    """``14 months earlier``."""
    n = round((later - earlier).days / _DAYS_A_MONTH)
    return ngettext("%d month earlier", "%d months earlier", n) % n if n else _("less than a month earlier")
