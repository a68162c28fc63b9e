"""Exams in the order in which a reviewer should read them."""

from collections import Counter
from collections.abc import Iterable

from django.core.paginator import Page, Paginator
from django.db.models import Case, Count, Exists, IntegerField, Max, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce

from ml.vocabulary import REFERABLE_FROM, SIGHT_THREATENING_FROM, Laterality
from screening.access import restrict
from screening.models import Exam, FundusImage, Grading, Site, User
from screening.policy import WorklistRank

PER_PAGE = 25
_PENDING = (Grading.Status.QUEUED, Grading.Status.RUNNING)


def worklist(
    *,
    user: User,
    statuses: Iterable[str] = (Exam.Status.SUBMITTED,),
    ranks: Iterable[WorklistRank] = tuple(WorklistRank),
    site: Site | None = None,
) -> QuerySet[Exam]:
    """Exams of the user's sites, most urgent first; equally urgent ones by P(referable), then by waiting time.

    Each exam has ``patient`` and ``site`` loaded and the annotations ``rank`` (a ``WorklistRank``), ``worst_grade``,
    ``max_p_referable`` (None before the model read anything), ``n_images`` and ``n_pending``. The rank is
    ``policy.worklist_rank`` written for the database; a test holds the two together.
    """
    exams = restrict(Exam.objects.filter(status__in=list(statuses)), user)
    if site is not None:
        exams = exams.filter(site=site)
    latest = _latest_gradings()
    images = FundusImage.objects.filter(exam=OuterRef("pk"), withdrawn_at__isnull=True)
    ranked = (
        exams.select_related("patient", "site")
        .annotate(
            worst_grade=_one_of(latest, Max("grade")),
            max_p_referable=_one_of(latest, Max("p_referable")),
            n_pending=Coalesce(_one_of(latest.filter(status__in=_PENDING), Count("pk")), 0),
            n_images=Coalesce(_count(images, "exam"), 0),
        )
        .annotate(rank=_rank(latest))
        .order_by("rank", Coalesce("max_p_referable", Value(0.0)).desc(), "submitted_at", "created_at", "pk")
    )
    wanted = set(ranks)
    return ranked if wanted == set(WorklistRank) else ranked.filter(rank__in=wanted)


def count_by_rank(*, user: User, statuses: Iterable[str] = (Exam.Status.SUBMITTED,)) -> dict[WorklistRank, int]:
    """How many exams of the worklist have each rank; one query."""
    exams = worklist(user=user, statuses=statuses).order_by()
    counts = Counter(row["rank"] for row in exams.values("rank"))  # type: ignore[misc]  # annotated
    return {rank: counts[rank.value] for rank in WorklistRank}


def worklist_page(
    *,
    user: User,
    page: int | str = 1,
    statuses: Iterable[str] = (Exam.Status.SUBMITTED,),
    site: Site | None = None,
    per_page: int = PER_PAGE,
) -> Page[Exam]:
    """One page of the worklist; a number that does not exist gives the first or the last. Two queries."""
    return Paginator(worklist(user=user, statuses=statuses, site=site), per_page).get_page(page)


def _latest_gradings() -> QuerySet[Grading]:
    """For each photograph in use of the outer exam, its newest grading."""
    newer = Grading.objects.filter(image=OuterRef("image"), created_at__gt=OuterRef("created_at"))
    return Grading.objects.filter(
        ~Exists(newer), image__exam=OuterRef("pk"), image__withdrawn_at__isnull=True
    ).order_by()


def _one_of(gradings: QuerySet[Grading], aggregate: Max | Count) -> Subquery:
    return Subquery(gradings.values("image__exam").annotate(one=aggregate).values("one"))


def _count(rows: QuerySet[FundusImage], group: str) -> Subquery:
    return Subquery(rows.order_by().values(group).annotate(n=Count("pk")).values("n"))


def _rank(latest: QuerySet[Grading]) -> Case:
    return Case(
        When(Exists(latest.filter(grade__gte=SIGHT_THREATENING_FROM)), then=WorklistRank.SIGHT_THREATENING.value),
        When(
            Exists(latest.filter(Q(is_referable=True) | Q(grade__gte=REFERABLE_FROM))),
            then=WorklistRank.REFERABLE.value,
        ),
        When(
            _is_ungraded(latest, Laterality.RIGHT) | _is_ungraded(latest, Laterality.LEFT),
            then=WorklistRank.UNGRADED.value,
        ),
        When(n_pending__gt=0, then=WorklistRank.PENDING.value),
        default=WorklistRank.ROUTINE.value,
        output_field=IntegerField(),
    )


def _is_ungraded(latest: QuerySet[Grading], eye: Laterality) -> Q:
    """The eye is there, and no photograph of it is gradable or on the way."""
    absent = "right_eye_absent_reason" if eye is Laterality.RIGHT else "left_eye_absent_reason"
    promising = latest.filter(Q(is_gradable=True) | Q(status__in=_PENDING), image__laterality=eye.value)
    return Q(**{absent: ""}) & ~Q(Exists(promising))
