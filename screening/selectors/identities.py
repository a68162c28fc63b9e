"""What a user sees of people whose identity is hidden: which exams may be read, and which texts are blank."""

import uuid
from collections.abc import Iterable
from typing import cast

from django.db.models import BooleanField, Case, Exists, OuterRef, Q, QuerySet, Value, When

from screening.access import Action, site_ids_for
from screening.models import Exam, FundusImage, Review, User
from screening.policy.exam_states import ExamState, is_readable

_READABLE = [state.value for state in ExamState if is_readable(state)]


def may_view_case(user: User, *, exam: str = "") -> Q:
    """Rows of exams that ``user`` may look at. ``exam`` is the path from a row to its exam; empty: they are exams.

    At a site that hides people from the user, only exams that were handed over, without those whose photographs have
    writing, which could be a name.
    """
    path = f"{exam}__" if exam else ""
    hidden = Q(**{f"{path}site__in": site_ids_for(user, Action.VIEW_CASE)})
    hidden &= Q(**{f"{path}status__in": _READABLE}) & ~Q(has_writing(exam or "pk"))
    return Q(**{f"{path}site__in": site_ids_for(user)}) | hidden


def has_writing(exam: str = "pk") -> Exists:
    """Whether a photograph in use of the exam has writing outside the retina that was kept."""
    kept = FundusImage.objects.filter(writing=FundusImage.Writing.KEPT, withdrawn_at__isnull=True)
    return Exists(kept.filter(exam=OuterRef(exam)))


def with_sees_identity(exams: QuerySet[Exam], user: User) -> QuerySet[Exam]:
    """Annotate ``sees_identity``: whether ``user`` sees who the patient is."""
    sees = When(site__in=site_ids_for(user), then=Value(True))  # noqa: FBT003
    return cast(
        "QuerySet[Exam]",
        exams.annotate(sees_identity=Case(sees, default=Value(False), output_field=BooleanField())),  # noqa: FBT003
    )


def hide_texts(reviews: Iterable[Review], reader_id: uuid.UUID) -> None:
    """Blank what others wrote in signed reviews, which could name the person. NB: never save these rows."""
    for review in reviews:
        if review.reviewer_id == reader_id:
            continue
        review.note = review.amend_reason = ""
        for finding in review.findings.all():
            finding.other_disease = finding.changed_reason = finding.contradiction_reason = ""
