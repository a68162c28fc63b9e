"""What outcome tables are evaluated on beside the grades: pregnancy, earlier screens, acuity, treatments of an eye.

Also the newest signed result of each patient of a site, as what another table would make of it.
"""

import datetime
import uuid
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby

from django.db.models import Q, QuerySet
from django.utils import timezone

from ml.vocabulary import ICDRGrade, Laterality
from screening.models import Exam, EyeFinding, Review, Site, User, VisitFacts, VisualAcuity
from screening.policy import (
    MAX_ATTEMPTS,
    EyeResult,
    GradingScale,
    MacularOedema,
    Maculopathy,
    Outcome,
    PatientFacts,
    Retinopathy,
)
from screening.policy.lesions import Lesion
from screening.policy.outcomes import count_negative_screens, is_negative_eye
from screening.selectors.reviews import IN_FORCE, without_unread

_SIGNS_OF_TREATMENT = (Lesion.LASER_SCARS, Lesion.TREATED_STABLE)
_TREATMENT_FIELDS = {Laterality.RIGHT: "right_eye_treatments", Laterality.LEFT: "left_eye_treatments"}


@dataclass(frozen=True, slots=True)
class SignedResult:
    """The newest result of a patient that counts, as facts for a table."""

    exam_id: uuid.UUID
    scale: str
    eyes: dict[Laterality, EyeResult]
    patient: PatientFacts


def is_treated(facts: VisitFacts | None, eye: Laterality, lesions: Container[str]) -> bool | None:
    """Whether an eye had laser, injections or surgery before this visit, as recorded or as the reader sees it.

    None if it is not known.
    """
    if any(sign in lesions for sign in _SIGNS_OF_TREATMENT):
        return True
    treatments = None if facts is None else getattr(facts, _TREATMENT_FIELDS[eye])
    return None if treatments is None else bool(treatments)


def patient_facts(exam: Exam, facts: VisitFacts | None) -> PatientFacts:
    """Pregnancy, and the negative screens in a row before this exam. One query."""
    reviews = Review.objects.filter(IN_FORCE, exam__patient=exam.patient_id, exam__created_at__lt=exam.created_at)
    earlier = _screens(reviews, exam.site)
    return PatientFacts(
        is_pregnant=None if facts is None else facts.is_pregnant,
        n_negative_screens_before=count_negative_screens(
            timezone.localdate(exam.created_at, timezone=exam.site.zone),
            ((one.day, one.is_negative) for one in earlier),
        ),
    )


def newest_results(*, user: User, site: Site) -> list[SignedResult]:
    """The newest result in force of each patient of a site, without results that are hidden from ``user``.

    Three queries. NB: of an ungradable eye it is known that it was referred for slit-lamp examination, and not after
    how many attempts or visits.
    """
    reviews = without_unread(Review.objects.filter(IN_FORCE, exam__site=site), user)
    facts = {row.exam_id: row for row in VisitFacts.objects.filter(exam__site=site)}
    acuities = _newest_acuities(site)
    found = []
    for _patient, rows in groupby(_screens(reviews, site), key=lambda screen: screen.patient_id):
        newest, *earlier = rows
        of_exam = facts.get(newest.exam_id)
        eyes = {
            eye: replace(
                result,
                acuity_logmar=acuities.get((newest.exam_id, eye.value)),
                is_treated=is_treated(of_exam, eye, newest.lesions[eye]),
            )
            for eye, result in newest.eyes.items()
        }
        n_negative = count_negative_screens(newest.day, ((one.day, one.is_negative) for one in earlier))
        is_pregnant = None if of_exam is None else of_exam.is_pregnant
        patient = PatientFacts(is_pregnant=is_pregnant, n_negative_screens_before=n_negative)
        found.append(SignedResult(newest.exam_id, newest.scale, eyes, patient))
    return found


@dataclass(frozen=True, slots=True)
class _Screen:
    """A signed result that counts."""

    patient_id: uuid.UUID
    exam_id: uuid.UUID
    day: datetime.date
    scale: str
    eyes: dict[Laterality, EyeResult]
    lesions: dict[Laterality, dict[str, int]]

    @property
    def is_negative(self) -> bool:
        return len(self.eyes) == len(Laterality) and all(map(is_negative_eye, self.eyes.values()))


_COLUMNS = (
    "review__exam__patient",
    "review__exam",
    "review__exam__created_at",
    "review__scale",
    "review__outcome",
    "laterality",
    "lesions",
    "is_absent",
    "is_photographed",
    "is_gradable",
    "grade",
    "macular_oedema",
    "retinopathy",
    "maculopathy",
)


def _screens(reviews: "QuerySet[Review]", site: Site) -> Iterator[_Screen]:
    """Signed results by patient, the newest exam of each first. One query."""
    findings = EyeFinding.objects.filter(Q(review__in=reviews.order_by().values("pk")))
    rows = findings.order_by("review__exam__patient", "-review__exam__created_at", "review__exam").values_list(
        *_COLUMNS
    )
    for (patient_id, exam_id, created_at, scale, outcome), of_exam in groupby(rows.iterator(), key=lambda row: row[:5]):
        of_eyes = {Laterality(row[5]): row[6:] for row in of_exam}
        eyes = {eye: _eye_result(scale, outcome, values) for eye, (_lesions, *values) in of_eyes.items()}
        lesions = {eye: values[0] for eye, values in of_eyes.items()}
        yield _Screen(patient_id, exam_id, timezone.localdate(created_at, timezone=site.zone), scale, eyes, lesions)


def _eye_result(scale: str, outcome: str, values: Iterable[object]) -> EyeResult:
    is_absent, is_photographed, is_gradable, grade, oedema, retinopathy, maculopathy = values
    is_graded = grade is not None
    return EyeResult(
        is_absent=bool(is_absent),
        is_photographed=bool(is_photographed),
        is_gradable=bool(is_gradable),
        grade=ICDRGrade(int(str(grade))) if is_graded else None,
        macular_oedema=MacularOedema(str(oedema)),
        scale=GradingScale(scale) if is_graded and retinopathy else GradingScale.ICDR,
        retinopathy=Retinopathy(str(retinopathy)) if is_graded and retinopathy else None,
        maculopathy=Maculopathy(str(maculopathy)) if is_graded and maculopathy else None,
        n_attempts=MAX_ATTEMPTS if outcome == Outcome.REFER_SLIT_LAMP else 1,
    )


def _newest_acuities(site: Site) -> dict[tuple[uuid.UUID, str], float]:
    rows = VisualAcuity.objects.filter(exam__site=site).order_by("created_at", "-pk")
    return {(exam, eye): float(logmar) for exam, eye, logmar in rows.values_list("exam", "laterality", "logmar")}
