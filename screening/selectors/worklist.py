"""Exams in the order in which a reviewer reads them."""

from collections.abc import Iterable

from django.db.models import (
    Case,
    Count,
    F,
    IntegerField,
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
from screening.policy import ExamQuality, WorklistBand, WorklistRank
from screening.selectors.gradings import reads_blind


def worklist(
    *,
    user: User,
    statuses: Iterable[str] = (Exam.Status.SUBMITTED,),
    ranks: Iterable[WorklistRank] = tuple(WorklistRank),
    site: Site | None = None,
) -> QuerySet[Exam]:
    """Exams of the user's sites by band (``policy.WorklistBand``), then by due time.

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
        .annotate(band=_band(user))
        .order_by("band", "due_at", "created_at", "pk")
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
    """The rank of an exam; for a blind reader that of its quality, so that neither list nor count reveals a grade."""
    is_blind = reads_blind(user)
    return Case(
        When(is_blind & Q(quality=ExamQuality.UNGRADED), then=Value(WorklistRank.UNGRADED.value)),
        When(is_blind & Q(quality=ExamQuality.PENDING), then=Value(WorklistRank.PENDING.value)),
        When(is_blind, then=Value(WorklistRank.ROUTINE.value)),
        default=F("worklist_rank"),
        output_field=IntegerField(),
    )


def _band(user: User) -> Case:
    """The stored band; of an exam that the user reads blind, never one that follows from the model's rank."""
    is_blind, is_priority = reads_blind(user), Q(worklist_band=WorklistBand.PRIORITY)
    is_blind_first = Q(site__reading_mode=Site.ReadingMode.BLIND_FIRST)
    return Case(
        When(is_blind & ~(is_priority & is_blind_first), then=Value(WorklistBand.BY_DUE_TIME.value)),
        default=F("worklist_band"),
        output_field=IntegerField(),
    )
