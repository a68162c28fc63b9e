"""Patients: search, and history of exams."""

import datetime
import uuid
from dataclasses import dataclass
from typing import Any

from django.db.models import (
    Case,
    CharField,
    Count,
    Exists,
    F,
    Max,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Cast, Coalesce, ExtractYear
from django.shortcuts import get_object_or_404
from django.utils import timezone

from screening import policy
from screening.access import restrict
from screening.folding import clean_number, fold_number, is_one_letter, is_too_short_for_names, search_terms
from screening.models import Exam, EyeFinding, FundusImage, Patient, PatientSearchTerm, Review, User, VisualAcuity
from screening.selectors.drafts import is_read_late
from screening.selectors.earlier_results import without_earlier_unread
from screening.selectors.reviews import IN_FORCE, replaced_reviews, reviews_in_error, with_not_blind, without_unread

MAX_FOUND_IDS = 1000
"""A search that may find more people compares the rows of the list in its order."""
_FOUND_ID = Coalesce("merged_into", "pk")
"""A merged record is found as the one into which it was merged."""


@dataclass(frozen=True, slots=True)
class PatientHistory:
    """A patient and their exams, newest first.

    Each exam has ``current_reviews`` (at most one, with findings), ``replaced_reviews`` (each amended one with its
    amendment), ``reviews_in_error`` (those of before that do not count any more, with ``corrections``) and
    ``images_in_use``, and its visual acuities. No result of the model is among them.
    """

    patient: Patient
    exams: tuple[Exam, ...]


def list_patients(*, user: User) -> QuerySet[Patient]:
    """Patients of the user's sites by name, with ``last_exam_at`` and ``n_exams``, and as ``with_last_result``.

    Neither merged records nor cancelled exams are listed or counted.
    """
    patients = restrict(Patient.objects.filter(merged_into__isnull=True).select_related("site"), user)
    kept = Exam.objects.filter(patient=OuterRef("pk")).exclude(status=Exam.Status.CANCELLED).order_by()
    per_patient = kept.values("patient")
    counts = {
        "last_exam_at": Subquery(per_patient.annotate(at=Max("created_at")).values("at")),
        "n_exams": Coalesce(Subquery(per_patient.annotate(n=Count("pk")).values("n")), 0),
    }
    return with_last_result(patients, user).annotate(**counts).order_by("folded_name", birth_order(), "mrn", "pk")


def search_patients(*, user: User, text: str) -> QuerySet[Patient]:
    """Patients by the start of their number or names, folded (``screening.folding``); an empty text finds all.

    A patient matches if the number starts with ``text``, or if each term of it starts a term of the names. One letter
    finds exact numbers only: it starts a large share of all names (``is_too_short_for_names``).
    """
    if not text.strip():
        return list_patients(user=user)
    return list_patients(user=user).filter(is_found_by(text))


def is_found_by(text: str, *, patient: str = "") -> Q:
    """Condition of the patients whom ``search_patients`` finds; one query. ``patient``: path from a row to its patient.

    Few are found by their ids. Many are not all read before the rows are sorted: the rows of a list are compared in its
    order, so that a page of them is found soon.
    """
    if len(_some_found(text)) <= MAX_FOUND_IDS:
        return Q(**{f"{patient or 'pk'}__in": matching_ids(text)})
    merged = Patient.objects.filter(_matches(text, ""), merged_into__isnull=False).order_by().values("merged_into")
    return _matches(text, patient) | Q(**{f"{patient or 'pk'}__in": merged})


def _some_found(text: str) -> QuerySet[Any, Any]:
    """Some of ``matching_ids``, one more than the limit if there are so many; of one name by its terms alone."""
    if is_too_short_for_names(text):
        return matching_ids(text)[: MAX_FOUND_IDS + 1]
    (term, components), *others = search_terms(text) or [("", [])]
    names: QuerySet[Any, Any] = _by_names(text) if others or components or not term else _by_term(term)
    return _by_number_prefix(text).union(names, all=True)[: MAX_FOUND_IDS + 1]


def _matches(text: str, patient: str) -> Q:
    """The condition of ``matching_ids`` for each row, without merged records."""
    path, pk = (f"{patient}__", patient) if patient else ("", "pk")
    folded, is_short = fold_number(text), is_too_short_for_names(text)
    lookup = "exact" if is_short and len(folded) == 1 else "prefix"
    by_number = Q(**{f"{path}folded_mrn__{lookup}": folded}) if folded else Q(pk__in=())
    terms = [] if is_short else search_terms(text)
    by_names = Q() if terms else Q(pk__in=())
    for term, components in terms:
        of_all = Q(*(_starts(component, pk) for component in components))
        by_names &= _starts(term, pk) | of_all if components else _starts(term, pk)
    return by_number | by_names


def _starts(term: str, patient: str) -> Q:
    """Rows of patients with a name that starts so; ``patient``: path from a row to the id of its patient.

    NB: one letter is asked of those whom the other terms find.
    """
    if is_one_letter(term):
        return Q(Exists(PatientSearchTerm.objects.filter(patient=OuterRef(patient), term__prefix=term)))
    return Q(**{f"{patient}__in": _by_term(term)})


def matching_ids(text: str) -> QuerySet[Patient, uuid.UUID]:
    """Ids of the patients of all sites whom ``search_patients`` finds. NB: the caller restricts them."""
    if is_too_short_for_names(text):
        return _by_number_prefix(text) if len(fold_number(text)) > 1 else _by_number(text)
    return _by_number_prefix(text).union(_by_names(text))


def birth_order() -> Case:
    """Expression that sorts by birth: date, month or year as text; the year of an estimated age; unknown first."""
    year = ExtractYear("age_estimated_on") - F("estimated_age")
    return Case(When(estimated_age__isnull=False, then=Cast(year, CharField())), default=F("born_on"))


def find_patients(*, user: User, mrn: str, is_prefix: bool = False) -> QuerySet[Patient]:
    """Patients whose number is exactly ``mrn``, or starts with it (folded) if ``is_prefix``.

    The number of a merged record finds the record into which it was merged.
    """
    patients = list_patients(user=user)
    if is_prefix:
        return patients.filter(pk__in=_by_number_prefix(mrn))
    return patients.filter(pk__in=Patient.objects.filter(mrn=clean_number(mrn)).order_by().values(found_id=_FOUND_ID))


def _by_number_prefix(text: str) -> QuerySet[Patient, uuid.UUID]:
    folded = fold_number(text)
    patients = Patient.objects.filter(folded_mrn__prefix=folded) if folded else Patient.objects.none()
    return patients.order_by().values_list(_FOUND_ID, flat=True)


def _by_number(text: str) -> QuerySet[Patient, uuid.UUID]:
    """Ids of patients whose number is the text, folded."""
    return Patient.objects.filter(folded_mrn=fold_number(text)).order_by().values_list(_FOUND_ID, flat=True)


def _by_names(text: str) -> QuerySet[Patient, uuid.UUID]:
    """Ids of patients by the terms of a text. A compound matches as one term, or by all its components."""
    terms = search_terms(text)
    patients = (Patient.objects if terms else Patient.objects.none()).order_by()
    for term, components in terms:
        if not components:
            patients = patients.filter(_starts(term, "pk"))
            continue
        by_components = Patient.objects.order_by()
        for component in components:
            by_components = by_components.filter(_starts(component, "pk"))
        patients = patients.filter(pk__in=_by_term(term).union(by_components.values_list("pk", flat=True)))
    return patients.values_list(_FOUND_ID, flat=True)


def _by_term(term: str) -> QuerySet[PatientSearchTerm, uuid.UUID]:
    return PatientSearchTerm.objects.filter(term__prefix=term).order_by().values_list("patient_id", flat=True)


def get_patient(*, user: User, patient_id: uuid.UUID | str) -> Patient:
    """A patient of the user's sites, with the site and the record into which it is merged, as ``with_last_result``.

    Raises Http404.
    """
    patients = with_last_result(Patient.objects.select_related("site", "merged_into"), user)
    return get_object_or_404(restrict(patients, user), pk=patient_id)


def with_last_result(patients: QuerySet[Patient], user: User) -> QuerySet[Patient]:
    """Annotate ``has_result`` and ``recall_on``, of the result in force of the newest exam that has one.

    A result that is hidden from ``user``, who is reading that exam, is left out; ``sees_all`` is false then.
    """
    every = Review.objects.filter(IN_FORCE, exam__patient=OuterRef("pk"))
    results = without_unread(every, user)
    newest = results.order_by("-exam__created_at", "-signed_at").values("recall_on")
    sees_all = Case(When(is_read_late(user), then=Value(False)), default=Value(True))  # noqa: FBT003
    return patients.annotate(
        has_result=Exists(results), recall_on=Subquery(newest.values("recall_on")[:1]), sees_all=sees_all
    )


def due_on(patient: Patient) -> datetime.date | None:
    """When the patient is due (``policy.next_due_on``), of a patient with ``with_last_result``.

    After a result the stored day, which follows from the referral and the register too, unless a result is hidden.
    """
    if patient.has_result and patient.sees_all:  # type: ignore[attr-defined]
        return patient.due_on
    return policy.next_due_on(
        has_result=patient.has_result,  # type: ignore[attr-defined]  # annotated
        recall_on=patient.recall_on,  # type: ignore[attr-defined]
        today=timezone.localdate(timezone=patient.site.zone),
    )


def get_patient_history(*, user: User, patient_id: uuid.UUID | str) -> PatientHistory:
    """A patient with all exams and their current reviews, in twelve queries. Raises Http404."""
    patient = get_patient(user=user, patient_id=patient_id)
    current = with_not_blind(Review.objects.filter(IN_FORCE)).select_related("reviewer", "outcome_table")
    findings = Prefetch("findings", EyeFinding.objects.order_by("laterality").prefetch_related("marks"))
    current = without_unread(current, user).prefetch_related(findings)
    versions = without_unread(Review.objects.select_related("reviewer", "outcome_table"), user)
    versions = without_earlier_unread(versions, user).order_by("-signed_at")
    versions = versions.prefetch_related(findings)
    images = FundusImage.objects.filter(withdrawn_at__isnull=True).order_by("-laterality", "created_at", "pk")
    exams = (
        patient.exams.select_related("site", "visit_facts")
        .prefetch_related(
            Prefetch("images", images, to_attr="images_in_use"),
            Prefetch("acuities", VisualAcuity.objects.order_by("-created_at", "pk")),
            Prefetch("reviews", versions, to_attr="versions"),
            Prefetch("reviews", current, to_attr="current_reviews"),
            Prefetch("reviews", reviews_in_error(user), to_attr="reviews_in_error"),
        )
        .order_by("-created_at", "pk")
    )
    history = PatientHistory(patient, tuple(exams))
    for exam in history.exams:
        exam.replaced_reviews = replaced_reviews(exam.versions)  # type: ignore[attr-defined]  # prefetched
    return history
