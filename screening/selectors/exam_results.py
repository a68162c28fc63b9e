"""Exams with what other systems ask for: the result that counts, since when, and the report."""

import datetime
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery

from screening.access import restrict
from screening.models import Correction, Document, Exam, FundusImage, Grading, Patient, Review, User
from screening.selectors.exams import list_exams
from screening.selectors.images import photographed_days

_EARLIER = Exists(Review.objects.filter(exam=OuterRef("pk"), reading_round__lt=OuterRef("reading_round")))
_WAS_SIGNED = Q(_EARLIER, reading_round__gt=0)
_IS_SIGNED = Q(status=Exam.Status.SIGNED)
_AMENDED = Review.objects.filter(amends__isnull=False).order_by()
_IS_AMENDED = Q(pk__in=_AMENDED.values("exam")) & Q(
    Exists(_AMENDED.filter(exam=OuterRef("pk"), reading_round=OuterRef("reading_round")))
)
RESULT_STATES: dict[str, Q] = {
    "final": _IS_SIGNED & ~_WAS_SIGNED & ~_IS_AMENDED,
    "amended": _IS_SIGNED & ~_WAS_SIGNED & _IS_AMENDED,
    "corrected": _IS_SIGNED & _WAS_SIGNED,
    "entered-in-error": ~_IS_SIGNED & _WAS_SIGNED,
}
"""Filters of exams by what became of a signed result (``ExamResult.status``)."""


@dataclass(frozen=True, slots=True)
class ExamResult:
    """An exam and its result as the user may see them.

    ``changed_at``: when it was last changed as ``changed_within`` means it. ``gradings`` are the current ones of the
    photographs in use. ``review`` is the signed one that counts; ``was_signed``: an earlier one does not count any
    more. ``report`` is the newest clinical report of ``review``.
    """

    exam: Exam
    changed_at: datetime.datetime
    photographed_on: datetime.date
    images: tuple[FundusImage, ...]
    gradings: dict[uuid.UUID, Grading]
    review: Review | None
    was_signed: bool
    report: Document | None

    def gradings_of(self, laterality: str) -> list[Grading]:
        """Gradings of an eye whose result the user may see, in the order of the photographs; failed ones too."""
        found = (self.gradings.get(image.pk) for image in self.images if image.laterality == laterality)
        return [one for one in found if one is not None and one.is_revealed]  # type: ignore[attr-defined]  # annotated

    @property
    def status(self) -> str:
        """A code of FHIR's diagnostic-report-status, as ``RESULT_STATES`` finds it.

        ``final``, ``amended`` (an amendment counts) and ``corrected`` (signed again after an earlier result was
        retracted) have a signed result that counts; ``entered-in-error`` had one. ``preliminary`` has what the model
        found, ``registered`` nothing.
        """
        if self.review is not None:
            if self.was_signed:
                return "corrected"
            return "amended" if self.review.amends_id is not None else "final"
        if self.was_signed:
            return "entered-in-error"
        if self.exam.status == Exam.Status.CANCELLED:
            return "cancelled"
        return "preliminary" if self.is_graded else "registered"

    @property
    def is_graded(self) -> bool:
        """Whether the model has finished a photograph, or failed, and the user may see what it found."""
        return any(not one.is_pending for image in self.images for one in self.gradings_of(image.laterality))


def list_exams_with_results(*, user: User) -> QuerySet[Exam]:
    """As ``list_exams``, with what ``exam_results`` reads: ``was_signed``, and the last times of ``changed_within``.

    Without those of practice sites, whose results never count.
    """
    signed = Review.objects.filter(exam=OuterRef("pk")).order_by("-signed_at").values("signed_at")
    corrections = Correction.objects.order_by("-created_at").values("created_at")
    return (
        list_exams(user=user)
        .filter(site__practice_of=None)
        .annotate(
            was_signed=_EARLIER,
            last_signed_at=Subquery(signed[:1]),
            last_corrected_at=Subquery(corrections.filter(exam=OuterRef("pk"))[:1]),
            last_received_at=Subquery(corrections.filter(to_exam=OuterRef("pk"))[:1]),
        )
    )


def in_result_states(states: Iterable[str]) -> Q:
    """Filter of exams in any of these ``RESULT_STATES``."""
    return reduce(or_, (RESULT_STATES[state] for state in states))


def list_real_patients(*, user: User) -> QuerySet[Patient]:
    """Patients of the user's sites, with ``site``; merged records too, and none of a practice site."""
    return restrict(Patient.objects.filter(site__practice_of=None).select_related("site"), user)


def changed_within(start: datetime.datetime | None, end: datetime.datetime | None) -> Q:
    """Filter of exams: those that were opened, signed or corrected from ``start`` on, and before ``end``.

    NB: one set of ids, of which each source is a range of an index: of alternatives PostgreSQL would test each exam.
    """

    def ids(rows: QuerySet[Any], moment: str, exam: str) -> QuerySet[Any, Any]:
        limits = {f"{moment}__gte": start, f"{moment}__lt": end, f"{exam}__isnull": False}
        chosen = {name: value for name, value in limits.items() if value is not None}
        return rows.filter(**chosen).order_by().values_list(exam)

    corrections = Correction.objects.all()
    opened, signed = ids(Exam.objects.all(), "created_at", "pk"), ids(Review.objects.all(), "signed_at", "exam")
    corrected = ids(corrections, "created_at", "exam"), ids(corrections, "created_at", "to_exam")
    return Q(pk__in=opened.union(signed, *corrected))


def exam_results(exams: Sequence[Exam]) -> list[ExamResult]:
    """The results of exams of ``list_exams_with_results``. Two queries."""
    days = photographed_days(exams)
    reviews = {exam.pk: next(iter(exam.current_reviews), None) for exam in exams}  # type: ignore[attr-defined]
    reports = _reports(review for review in reviews.values() if review is not None)
    return [_result(exam, days[exam.pk], reviews[exam.pk], reports) for exam in exams]


def _result(
    exam: Exam, day: datetime.date, review: Review | None, reports: dict[uuid.UUID | None, Document]
) -> ExamResult:
    row: Any = exam  # with what list_exams_with_results adds
    images = tuple(row.images_in_use)
    times = (exam.created_at, row.last_signed_at, row.last_corrected_at, row.last_received_at)
    current = {image.pk: next(iter(image.gradings.all()), None) for image in images}
    return ExamResult(
        exam=exam,
        changed_at=max(time for time in times if time is not None),
        photographed_on=day,
        images=images,
        gradings={pk: grading for pk, grading in current.items() if grading is not None},
        review=review,
        was_signed=row.was_signed,
        report=reports.get(review.pk) if review is not None else None,
    )


def _reports(reviews: Iterable[Review]) -> dict[uuid.UUID | None, Document]:
    """The newest finished clinical report of each review; none that names another patient, of before a merge."""
    rows = Document.objects.filter(
        review__in=list(reviews),
        patient=F("review__exam__patient"),
        kind=Document.Kind.CLINICAL_REPORT,
        status=Document.Status.DONE,
    )
    return {document.review_id: document for document in rows.order_by("created_at")}
