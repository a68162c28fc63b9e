"""What hospitals found beside the model's result at the signature: the reference for the model's figures."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import F, OuterRef, Q, Subquery

from screening.access import Action, sites_for
from screening.models import Grading, ReferralFeedback, Review, User
from screening.models.gradings import current_first, is_flagged
from screening.policy.proportions import Proportion
from screening.policy.referrals import ReferralState
from screening.selectors.referrals import referrals_for
from screening.selectors.reviews import IN_FORCE


@dataclass(frozen=True, slots=True)
class ReferralPair:
    """The model's result when the review was signed, and the hospital's.

    ``is_positive``: the model flagged an eye as referable or suspected macular oedema; None if nothing was gradable.
    ``is_confirmed``: None if no result is stored. The services store one with each such state; other programs that
    write to the database may not.
    """

    referral_id: uuid.UUID
    model_versions: tuple[str, ...]
    is_positive: bool | None
    is_confirmed: bool | None


@dataclass(frozen=True, slots=True)
class ReferralMetrics:
    """Figures of the patients who were referred and whose result is back. They are no estimate for the others.

    ``model``: confirmed of those whom the model had flagged, its positive predictive value among referred patients.
    ``readers``: confirmed of all. ``not_flagged``: confirmed of those whom the model had not flagged. Referrals without
    a stored result are in none of them.
    """

    model: Proportion
    readers: Proportion
    not_flagged: Proportion
    n_without_model: int
    n_without_result: int


def referral_pairs(*, user: User) -> list[ReferralPair]:
    """A pair for each referral of the sites that ``user`` manages, if its result is back and its review counts.

    The model's result is that of the photographs in use at the signature: of the gradings that were done by then, the
    current one of each photograph. Two queries.
    """
    newest = ReferralFeedback.objects.filter(referral=OuterRef("pk")).order_by("-created_at", "pk")
    counting = Review.objects.filter(IN_FORCE).order_by().values("pk")
    rows = referrals_for(user).filter(site__in=sites_for(user, Action.MANAGE_SITE), review__in=counting)
    rows = rows.filter(state=ReferralState.RESULT_BACK)
    confirmed = rows.annotate(is_confirmed=Subquery(newest.values("is_confirmed")[:1]))
    referrals = list(confirmed.order_by("made_on", "pk").values_list("pk", "exam", "is_confirmed"))
    by_exam = _gradings_at_signature([exam for _pk, exam, _confirmed in referrals])
    return [
        ReferralPair(pk, *_model_result(by_exam.get(exam, [])), is_confirmed=is_confirmed)
        for pk, exam, is_confirmed in referrals
    ]


def metrics_of(pairs: Iterable[ReferralPair]) -> ReferralMetrics:
    """The proportions of confirmed referrals."""
    pairs = tuple(pairs)
    known = [one for one in pairs if one.is_confirmed is not None]
    return ReferralMetrics(
        model=_confirmed([one for one in known if one.is_positive]),
        readers=_confirmed(known),
        not_flagged=_confirmed([one for one in known if one.is_positive is False]),
        n_without_model=sum(one.is_positive is None for one in known),
        n_without_result=len(pairs) - len(known),
    )


def _confirmed(pairs: Iterable[ReferralPair]) -> Proportion:
    pairs = tuple(pairs)
    return Proportion(sum(bool(one.is_confirmed) for one in pairs), len(pairs))


def _gradings_at_signature(exams: list[uuid.UUID]) -> dict[uuid.UUID, list[Grading]]:
    """The current grading of each photograph in use when the review was signed, by exam. One query."""
    signed_at = F("image__exam__referrals__review__signed_at")
    rows = Grading.objects.filter(
        Q(image__withdrawn_at__isnull=True) | Q(image__withdrawn_at__gt=signed_at),
        image__exam__in=exams,
        image__exam__referrals__state=ReferralState.RESULT_BACK,
        status=Grading.Status.DONE,
        finished_at__lte=signed_at,
    )
    columns = rows.annotate(exam_id=F("image__exam"))
    found: dict[uuid.UUID, dict[uuid.UUID, Grading]] = {}
    for grading in current_first(columns):
        of_exam = found.setdefault(grading.exam_id, {})  # type: ignore[attr-defined]  # annotated
        of_exam.setdefault(grading.image_id, grading)
    return {exam: list(of_exam.values()) for exam, of_exam in found.items()}


def _model_result(gradings: list[Grading]) -> tuple[tuple[str, ...], bool | None]:
    return tuple(sorted({one.model_version for one in gradings})), is_flagged(gradings)
