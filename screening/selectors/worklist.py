"""Exams in the order in which a reviewer reads them."""

from collections.abc import Iterable

from django.db.models import (
    Case,
    Count,
    F,
    FloatField,
    IntegerField,
    OrderBy,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce

from screening.access import restrict
from screening.models import Exam, FundusImage, Site, User
from screening.policy import WorklistRank
from screening.selectors.gradings import reads_blind


def worklist(
    *,
    user: User,
    statuses: Iterable[str] = (Exam.Status.SUBMITTED,),
    ranks: Iterable[WorklistRank] = tuple(WorklistRank),
    site: Site | None = None,
) -> QuerySet[Exam]:
    """Exams of the user's sites by rank, then by P(referable), then by waiting time; for a blind reader by that alone.

    Each exam has ``patient`` and ``site`` loaded, ``rank`` and ``n_images``, the number of its photographs in use.
    """
    exams = restrict(Exam.objects.filter(status__in=list(statuses)), user).annotate(rank=_rank(user))
    exams = exams.filter(rank__in=list(ranks))
    if site is not None:
        exams = exams.filter(site=site)
    images = FundusImage.objects.filter(exam=OuterRef("pk"), withdrawn_at__isnull=True)
    n_images = images.order_by().values("exam").annotate(n=Count("pk")).values("n")
    return (
        exams.select_related("patient", "site")
        .annotate(n_images=Coalesce(Subquery(n_images), 0))
        .order_by(*_urgency(user), "submitted_at", "created_at", "pk")
    )


def open_exams(*, user: User) -> QuerySet[Exam]:
    """Exams being photographed: those that a reviewer returned first, then newest first. Loaded as ``worklist``."""
    returned_first = F("returned_at").desc(nulls_last=True)
    return worklist(user=user, statuses=(Exam.Status.OPEN,)).order_by(returned_first, "-created_at", "pk")


def count_by_rank(*, user: User, statuses: Iterable[str] = (Exam.Status.SUBMITTED,)) -> dict[WorklistRank, int]:
    """How many exams of the worklist have each rank; one query."""
    exams = restrict(Exam.objects.filter(status__in=list(statuses)), user).order_by()
    counts = dict(exams.annotate(rank=_rank(user)).values_list("rank").annotate(n=Count("pk")))
    return {rank: counts.get(rank, 0) for rank in WorklistRank}


def _rank(user: User) -> Case:
    """The rank of an exam; for a blind reader one rank for all graded exams, so that counts do not reveal the grade."""
    is_graded = ~Q(grade_rank__in=[WorklistRank.UNGRADED, WorklistRank.PENDING])
    return Case(
        When(reads_blind(user) & is_graded, then=Value(WorklistRank.ROUTINE.value)),
        When(reads_blind(user), then=F("grade_rank")),
        default=F("worklist_rank"),
        output_field=IntegerField(),
    )


def _urgency(user: User) -> tuple[OrderBy, OrderBy]:
    """Rank and P(referable); the same for all exams that the user reads blind: their order is that of waiting."""
    is_blind = reads_blind(user)
    rank = Case(
        When(is_blind, then=Value(WorklistRank.SIGHT_THREATENING.value)),
        default=F("worklist_rank"),
        output_field=IntegerField(),
    )
    p_referable = Case(When(is_blind, then=Value(None)), default=F("max_p_referable"), output_field=FloatField())
    return OrderBy(rank), OrderBy(p_referable, descending=True, nulls_last=True)
