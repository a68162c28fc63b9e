"""Reading protocols of sites: the one in force, all versions, and the figures that triage needs."""

import uuid

from django.db.models import F, QuerySet

from screening.access import Action, restrict, users_for
from screening.models import EyeFinding, Grading, Review, Site, SiteProtocol, User
from screening.models.gradings import current_first
from screening.policy import GradingScale, MacularOedema
from screening.policy.proportions import Proportion
from screening.policy.protocols import Protocol, ReadEye
from screening.selectors.reviews import IN_FORCE

_PRESENT_OEDEMA = {MacularOedema.SUSPECTED, MacularOedema.NOT_CENTRE, MacularOedema.CENTRE}


def newest_protocol(site: Site) -> SiteProtocol | None:
    """The version in force; None if the site never stored one. One query."""
    return SiteProtocol.objects.filter(site=site).select_related("created_by").order_by("-number").first()


def protocol_in_force(site: Site) -> Protocol:
    """The protocol of the site: one reader by default."""
    stored = newest_protocol(site)
    return Protocol() if stored is None else stored.protocol


def list_protocols(*, user: User, site: Site) -> QuerySet[SiteProtocol]:
    """All versions of a site, newest first."""
    return restrict(SiteProtocol.objects.filter(site=site), user).select_related("created_by").order_by("-number")


def has_senior_reviewer(site: Site) -> bool:
    """Whether a person of the site may decide between two readers."""
    return users_for(site, Action.ARBITRATE_EXAM).exists()


def count_readers(site: Site) -> int:
    """Persons of the site who may read exams, senior reviewers included."""
    return users_for(site, Action.REVIEW_EXAM).count()


def model_sensitivity(site: Site) -> Proportion:
    """Of the signed referable eyes of the site that the model graded: those that it flagged. Two queries.

    An eye is flagged if a photograph of it is referable or suspected of macular oedema, by the grading that was current
    at the signature. Eyes that the model could not grade are left out. NB: a reader who saw the model's result agrees
    with it more often than one who read blind.
    """
    in_force = Review.objects.filter(IN_FORCE, exam__site=site).order_by().values("pk")
    rows = EyeFinding.objects.filter(review__in=in_force, is_gradable=True).select_related("review")
    referable = [(row.review.exam_id, row.laterality) for row in rows if _is_referable(row)]
    flagged = _flagged_eyes(site)
    graded = [flagged[eye] for eye in referable if eye in flagged]
    return Proportion(sum(graded), len(graded))


def _flagged_eyes(site: Site) -> dict[tuple[uuid.UUID, str], bool]:
    """Whether the model flagged an eye, by exam and eye, of signed exams and gradings before the signature."""
    review = "image__exam__reviews"
    current = {f"{review}__amendments__isnull": True, f"{review}__reading_round": F("image__exam__reading_round")}
    gradings = Grading.objects.filter(
        **current,
        image__exam__site=site,
        image__withdrawn_at__isnull=True,
        status=Grading.Status.DONE,
        finished_at__lte=F(f"{review}__signed_at"),
    )
    rows = current_first(gradings.select_related("image"))
    flagged: dict[tuple[uuid.UUID, str], bool] = {}
    seen = set()
    for grading in rows:
        if grading.image_id in seen:
            continue
        seen.add(grading.image_id)
        if grading.is_gradable:
            eye = grading.image.exam_id, grading.image.laterality
            flagged[eye] = flagged.get(eye, False) or bool(grading.is_referable or grading.suspects_oedema)
    return flagged


def _is_referable(finding: EyeFinding) -> bool:
    eye = ReadEye(grade=finding.grade, scale=GradingScale(finding.review.scale), retinopathy=finding.retinopathy)
    return eye.is_referable or finding.macular_oedema in _PRESENT_OEDEMA
