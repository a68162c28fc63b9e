"""Search everywhere: the first patients and exams that a text finds, of those that the user may see."""

import re
import uuid
from dataclasses import dataclass

from screening.access import Action, can, restrict
from screening.models import Document, Exam, Patient, User
from screening.selectors.identities import may_view_case, with_sees_identity
from screening.selectors.patients import is_found_by

MAX_FOUND = 6
"""Of each kind: a search that finds more is to be more exact, or is done on the page of patients."""
MIN_NUMBER_CHARS = 8
_HEX = 32


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found. ``has_more_patients``: the page of patients shows more."""

    patients: tuple[Patient, ...]
    exams: tuple[Exam, ...]
    has_more_patients: bool


def search_records(*, user: User, text: str) -> Found:
    """Patients by the start of number or names, and exams by the start of their id or that of a document. Few queries.

    The text of an exam's id has at least ``MIN_NUMBER_CHARS`` digits.
    """
    patients: list[Patient] = []
    if text.strip() and can(user, Action.VIEW_PATIENT):
        rows = restrict(Patient.objects.filter(is_found_by(text), merged_into__isnull=True), user)
        patients = list(rows.select_related("site").order_by("folded_name", "mrn", "pk")[: MAX_FOUND + 1])
    return Found(tuple(patients[:MAX_FOUND]), _exams(user, text), len(patients) > MAX_FOUND)


def _exams(user: User, text: str) -> tuple[Exam, ...]:
    digits = re.sub(r"[\s-]", "", text).lower()
    if not re.fullmatch(rf"[0-9a-f]{{{MIN_NUMBER_CHARS},{_HEX}}}", digits):
        return ()
    ids = {"pk__gte": uuid.UUID(digits.ljust(_HEX, "0")), "pk__lte": uuid.UUID(digits.ljust(_HEX, "f"))}
    of_documents = Document.objects.filter(**ids, exam__isnull=False).values_list("exam", flat=True)[:MAX_FOUND]
    seen = Exam.objects.filter(may_view_case(user)).select_related("patient", "site")
    exams = seen.filter(pk__in=[*Exam.objects.filter(**ids).values_list("pk", flat=True)[:MAX_FOUND], *of_documents])
    return tuple(with_sees_identity(exams, user).order_by("-created_at", "pk")[:MAX_FOUND])
