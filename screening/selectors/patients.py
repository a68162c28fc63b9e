"""Patients: search, and history of exams."""

import uuid
from dataclasses import dataclass

from django.db.models import Case, CharField, Count, F, Max, Prefetch, Q, QuerySet, When
from django.db.models.functions import Cast, ExtractYear
from django.shortcuts import get_object_or_404

from screening.access import restrict
from screening.folding import clean_number, fold_number, search_terms
from screening.models import Exam, EyeFinding, Patient, PatientSearchTerm, Review, User
from screening.selectors.reviews import IN_FORCE, without_unread


@dataclass(frozen=True, slots=True)
class PatientHistory:
    """A patient and their exams, newest first.

    Each exam has ``current_reviews`` (at most one, with findings) and ``n_images``.
    """

    patient: Patient
    exams: tuple[Exam, ...]


def list_patients(*, user: User) -> QuerySet[Patient]:
    """Patients of the user's sites by name, with ``last_exam_at`` and ``n_exams``."""
    patients = restrict(Patient.objects.select_related("site"), user)
    return patients.annotate(last_exam_at=Max("exams__created_at"), n_exams=Count("exams")).order_by(
        "folded_name", birth_order(), "mrn", "pk"
    )


def search_patients(*, user: User, text: str) -> QuerySet[Patient]:
    """Patients by the start of their number or names, folded (``screening.folding``); an empty text finds all.

    A patient matches if the number starts with ``text``, or if each term of it starts a term of the names.
    """
    if not text.strip():
        return list_patients(user=user)
    return list_patients(user=user).filter(pk__in=matching_ids(text))


def matching_ids(text: str) -> QuerySet[Patient, uuid.UUID]:
    """Ids of the patients of all sites whom ``search_patients`` finds. NB: the caller restricts them."""
    return _by_number_prefix(text).union(_by_names(text))


def birth_order() -> Case:
    """Expression that sorts by birth: date, month or year as text; the year of an estimated age; unknown first."""
    year = ExtractYear("age_estimated_on") - F("estimated_age")
    return Case(When(estimated_age__isnull=False, then=Cast(year, CharField())), default=F("born_on"))


def find_patients(*, user: User, mrn: str, is_prefix: bool = False) -> QuerySet[Patient]:
    """Patients whose number is exactly ``mrn``, or starts with it (folded) if ``is_prefix``."""
    patients = list_patients(user=user)
    return patients.filter(pk__in=_by_number_prefix(mrn)) if is_prefix else patients.filter(mrn=clean_number(mrn))


def _by_number_prefix(text: str) -> QuerySet[Patient, uuid.UUID]:
    folded = fold_number(text)
    patients = Patient.objects.filter(folded_mrn__prefix=folded) if folded else Patient.objects.none()
    return patients.order_by().values_list("pk", flat=True)


def _by_names(text: str) -> QuerySet[Patient, uuid.UUID]:
    """Ids of patients by the terms of a text. A compound matches as one term, or by all its components."""
    terms = search_terms(text)
    patients = (Patient.objects if terms else Patient.objects.none()).order_by()
    for term, components in terms:
        found = _by_term(term)
        if components:
            by_components = Patient.objects.order_by()
            for component in components:
                by_components = by_components.filter(pk__in=_by_term(component))
            found = found.union(by_components.values_list("pk", flat=True))
        patients = patients.filter(pk__in=found)
    return patients.values_list("pk", flat=True)


def _by_term(term: str) -> QuerySet[PatientSearchTerm, uuid.UUID]:
    return PatientSearchTerm.objects.filter(term__prefix=term).order_by().values_list("patient_id", flat=True)


def get_patient(*, user: User, patient_id: uuid.UUID | str) -> Patient:
    """A patient of the user's sites, with the site. Raises Http404."""
    return get_object_or_404(restrict(Patient.objects.select_related("site"), user), pk=patient_id)


def get_patient_history(*, user: User, patient_id: uuid.UUID | str) -> PatientHistory:
    """A patient with all exams and their current reviews, in four queries. Raises Http404."""
    patient = get_patient(user=user, patient_id=patient_id)
    current = Review.objects.filter(IN_FORCE).select_related("reviewer")
    findings = Prefetch("findings", EyeFinding.objects.order_by("laterality"))
    current = without_unread(current, user).prefetch_related(findings)
    exams = (
        patient.exams.select_related("site")
        .annotate(n_images=Count("images", filter=Q(images__withdrawn_at__isnull=True)))
        .prefetch_related(Prefetch("reviews", current, to_attr="current_reviews"))
        .order_by("-created_at", "pk")
    )
    return PatientHistory(patient, tuple(exams))
