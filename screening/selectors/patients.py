"""Patients: search, and history of exams."""

import uuid
from dataclasses import dataclass

from django.db.models import Count, Max, Prefetch, Q, QuerySet
from django.shortcuts import get_object_or_404

from screening.access import restrict
from screening.models import Exam, EyeFinding, Patient, Review, User


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
        "family_name", "given_name", "mrn", "pk"
    )


def search_patients(*, user: User, text: str) -> QuerySet[Patient]:
    """Patients by the start of their number or names; an empty text finds all.

    A patient matches if the number starts with ``text``, or if each term of it starts one of the names.
    """
    terms = text.replace(",", " ").split()
    by_name = Q()
    for term in terms:
        by_name &= (
            Q(given_name__istartswith=term)
            | Q(family_name__istartswith=term)
            | Q(given_name__icontains=f" {term}")
            | Q(family_name__icontains=f" {term}")
        )
    if not terms:
        return list_patients(user=user)
    return list_patients(user=user).filter(Q(mrn__istartswith=text.strip()) | by_name)


def find_patients(*, user: User, mrn: str, is_prefix: bool = False) -> QuerySet[Patient]:
    """Patients whose number is ``mrn``, or starts with it (case-insensitive) if ``is_prefix``."""
    wanted = Q(mrn__istartswith=mrn) if is_prefix else Q(mrn=mrn)
    return list_patients(user=user).filter(wanted)


def get_patient(*, user: User, patient_id: uuid.UUID | str) -> Patient:
    """A patient of the user's sites, with the site. Raises Http404."""
    return get_object_or_404(restrict(Patient.objects.select_related("site"), user), pk=patient_id)


def get_patient_history(*, user: User, patient_id: uuid.UUID | str) -> PatientHistory:
    """A patient with all exams and their current reviews, in four queries. Raises Http404."""
    patient = get_patient(user=user, patient_id=patient_id)
    current = Review.objects.filter(amendments__isnull=True).select_related("reviewer")
    current = current.prefetch_related(Prefetch("findings", EyeFinding.objects.order_by("laterality")))
    exams = (
        patient.exams.select_related("site")
        .annotate(n_images=Count("images", filter=Q(images__withdrawn_at__isnull=True)))
        .prefetch_related(Prefetch("reviews", current, to_attr="current_reviews"))
        .order_by("-created_at", "pk")
    )
    return PatientHistory(patient, tuple(exams))
