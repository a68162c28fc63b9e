"""Questions about a patient before saving: is this person, or this number, registered already?

Patients are never merged and never treated as one by themselves: a person answers.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy

from screening.folding import are_same_names, fold_number, is_scientific, name_key
from screening.models import AuditEvent, Patient, Site, User
from screening.services.audit import record_event

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

MAX_SIMILAR = 20
"""Similar patients that one question shows."""
_MESSAGES: dict[str, "_StrPromise"] = {
    "similar_number": gettext_lazy(
        "This number differs from that of another patient only in blanks, dashes, capitals or the form of the digits. "
        "Check whether it is the same person."
    ),
    "possible_duplicate": gettext_lazy(
        "A patient with these names, and a birth date that could be the same, is registered under another number. "
        "Check whether it is the same person."
    ),
    "scientific_number": gettext_lazy(
        "This number looks as if a spreadsheet had shortened it, as 1.2E+10 for 12000000000. Check the number."
    ),
}


@dataclass(frozen=True, slots=True)
class PatientQuestion:
    """A question to answer before a patient is saved. ``field`` is the detail that it is about.

    ``code`` is ``similar_number``, ``possible_duplicate`` or ``scientific_number``; ``similar`` are the patients
    already registered, at most ``MAX_SIMILAR``, oldest first.
    """

    code: str
    field: str
    similar: tuple[Patient, ...] = ()

    @property
    def message(self) -> str:
        """The question, for the user."""
        return str(_MESSAGES[self.code])

    @property
    def answers(self) -> frozenset[str]:
        """What confirms this question: its code, with each similar patient, so that a new one raises it again."""
        return frozenset(f"{self.code}:{patient.pk}" for patient in self.similar) or frozenset({self.code})


class PatientNotConfirmed(Exception):
    """The patient may be registered already, or the number may be damaged. Nothing is saved.

    To save, send the same details with ``answers`` as ``confirm``.
    """

    def __init__(self, site: Site, questions: tuple[PatientQuestion, ...]) -> None:
        super().__init__(" ".join(question.message for question in questions))
        self.site = site
        self.questions = questions

    @property
    def answers(self) -> list[str]:
        """All answers that confirm the questions."""
        return sorted(answer for question in self.questions for answer in question.answers)

    @property
    def similar(self) -> tuple[Patient, ...]:
        """The patients already registered, each once."""
        return tuple({patient.pk: patient for question in self.questions for patient in question.similar}.values())


def questions_about(patient: Patient) -> tuple[PatientQuestion, ...]:
    """Questions about the number, names and birth of a patient who is not saved yet. Two queries.

    Patients of other sites are not compared.
    """
    others = Patient.objects.filter(site=patient.site).exclude(pk=patient.pk).select_related("site")
    others = others.order_by("created_at", "pk")
    questions = []
    if is_scientific(patient.mrn):
        questions.append(PatientQuestion("scientific_number", "mrn"))
    same_number = others.filter(folded_mrn=fold_number(patient.mrn)).exclude(mrn=patient.mrn)[:MAX_SIMILAR]
    if similar := tuple(same_number):
        questions.append(PatientQuestion("similar_number", "mrn", similar))
    if similar := tuple(_same_people(patient, others)):
        questions.append(PatientQuestion("possible_duplicate", "family_name", similar))
    return tuple(questions)


def record_similar(error: PatientNotConfirmed, *, by: User) -> None:
    """Audit that similar patients were shown to a user. NB: outside the transaction that ``error`` rolled back."""
    codes = ",".join(question.code for question in error.questions)
    data: dict[str, str | float | bool | None] = {"n_found": len(error.similar), "questions": codes}
    record_event(verb=AuditEvent.Verb.PATIENTS_SEARCHED, subject=None, site=error.site, data=data, by=by)


def _same_people(patient: Patient, others: QuerySet[Patient]) -> Iterator[Patient]:
    names = patient.family_name, patient.given_name
    candidates = others.filter(name_key=name_key(*names), merged_into__isnull=True).iterator()
    found = (
        other
        for other in candidates
        if are_same_names(names, (other.family_name, other.given_name)) and other.birth.could_be(patient.birth)
    )
    yield from islice(found, MAX_SIMILAR)
