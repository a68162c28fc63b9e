"""Signed eyes of a site and predictions for them: for operating points and for comparisons of models."""

import uuid
from dataclasses import dataclass

from ml.site_threshold import tempered_probabilities
from ml.vocabulary import REFERABLE_FROM
from screening.models import EyeFinding, Grading, Review, Site
from screening.policy import GradingScale, MacularOedema
from screening.policy.operating_points import ScoredCase
from screening.policy.protocols import ReadEye
from screening.selectors.reviews import IN_FORCE

MAX_EXAMS = 5000
"""The newest signed exams of a site that are counted, so that the page stays fast."""
_PRESENT_OEDEMA = {MacularOedema.SUSPECTED, MacularOedema.NOT_CENTRE, MacularOedema.CENTRE}
EyeKey = tuple[uuid.UUID, str]
"""Exam and eye."""


@dataclass(frozen=True, slots=True)
class SignedEye:
    """What was signed of one eye. ``grade`` is None if it is ungradable, or if its scale leaves the ICDR grade open."""

    is_gradable: bool
    grade: int | None
    has_referable_grade: bool
    has_oedema: bool

    @property
    def is_referable(self) -> bool:
        return self.has_referable_grade or self.has_oedema


def signed_eyes(site: Site) -> dict[EyeKey, SignedEye]:
    """Eyes of the newest signed exams of a site whose result counts. One query."""
    newest = Review.objects.filter(IN_FORCE, exam__site=site).order_by("-signed_at", "pk").values("pk")[:MAX_EXAMS]
    rows = EyeFinding.objects.filter(review__in=list(newest.values_list("pk", flat=True))).order_by()
    fields = ("review__exam_id", "laterality", "is_gradable", "grade", "retinopathy", "macular_oedema", "review__scale")
    eyes = {}
    for exam_id, laterality, is_gradable, grade, retinopathy, oedema, scale in rows.values_list(*fields):
        eye = ReadEye(grade=grade, scale=GradingScale(scale), retinopathy=retinopathy)
        is_referable = is_gradable and eye.is_referable
        eyes[exam_id, laterality] = SignedEye(is_gradable, grade, is_referable, oedema in _PRESENT_OEDEMA)
    return eyes


def scored_exams(site: Site, model_version: str) -> list[ScoredCase]:
    """Signed exams of a site with P(grade >= 2) of a model, the highest of the photographs. Three queries.

    An exam is referable by the grade of its worse eye. Left out: an exam without a referable eye of which one is
    ungradable, and one of which the model could grade no photograph. The probability is that of the model itself,
    without the temperature of a threshold of the site.
    """
    exams: dict[uuid.UUID, list[SignedEye]] = {}
    for (exam_id, _laterality), eye in signed_eyes(site).items():
        exams.setdefault(exam_id, []).append(eye)
    scores = _scores(list(exams), model_version)
    cases = []
    for exam_id, eyes in exams.items():
        is_referable = any(eye.has_referable_grade for eye in eyes)
        if exam_id in scores and (is_referable or all(eye.is_gradable for eye in eyes)):
            cases.append(ScoredCase(is_referable, scores[exam_id]))
    return cases


def _scores(exams: list[uuid.UUID], model_version: str) -> dict[uuid.UUID, float]:
    rows = Grading.objects.filter(
        image__exam__in=exams,
        image__withdrawn_at__isnull=True,
        model_version=model_version,
        status=Grading.Status.DONE,
        is_gradable=True,
    ).order_by()
    scores: dict[uuid.UUID, float] = {}
    fields = ("image__exam_id", "probabilities", "threshold__temperature")
    for exam_id, stored, temperature in rows.values_list(*fields):
        probabilities: tuple[float, ...] = tuple(stored or ())
        own = tempered_probabilities(probabilities, 1 / temperature) if temperature else probabilities
        scores[exam_id] = max(scores.get(exam_id, 0.0), min(1.0, sum(own[REFERABLE_FROM:])))
    return scores
