"""Findings of a reviewer: their checks, what they mean for the outcome, the rows that are stored."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.db.models import F, Model
from django.utils.translation import gettext as _

from ml.vocabulary import Laterality
from screening import policy
from screening.labels.limits import too_long
from screening.models import Exam, EyeFinding, FirstReading, Review, User
from screening.models.base import max_length
from screening.selectors import count_attempts
from screening.selectors.outcome_facts import is_treated
from screening.selectors.visit_facts import visit_facts_of
from screening.services.acuities import acuity_logmar, newest_acuity, record_acuity
from screening.services.exams import ExamError, photographed_eyes
from screening.services.marks import require_own_photos
from screening.services.structured_findings import (
    COLUMNS,
    Finding,
    ReviewError,
    contradicts,
    in_scale,
    require_agreement,
)


def check_length(text: str, model: type[Model], field: str, eye: Laterality | None = None) -> None:
    """Raises ReviewError if ``text`` is longer than its column."""
    limit = max_length(model, field)
    if len(text) > limit:
        raise ReviewError(too_long(limit), eye)


def require_consistent(finding: Finding) -> None:
    """Raises ReviewError unless the eye is either graded or ungradable."""
    if finding.is_gradable and finding.grade is None:
        raise ReviewError(_("Choose a grade, or mark the eye as ungradable."), finding.laterality)
    if not finding.is_gradable and finding.grade is not None:
        raise ReviewError(_("An ungradable eye has no grade. Choose one of the two."), finding.laterality)


def checked_findings(exam: Exam, findings: Mapping[Laterality, Finding]) -> dict[Laterality, Finding]:
    """Findings of photographed eyes in the scale of the site, with ICDR grade, in agreement with their lesions.

    Others are returned as they are. Raises ReviewError.
    """
    photographed = photographed_eyes(exam)
    return {
        eye: checked_finding(exam, finding) if eye in photographed and not exam.absent_reason(eye) else finding
        for eye, finding in findings.items()
    }


def checked_finding(exam: Exam, finding: Finding) -> Finding:
    """The finding of one photographed eye: see ``checked_findings``."""
    if finding.absent_reason or not finding.is_photographed:
        return finding
    marked = {one.image_id for one in finding.marks} | set(finding.structured.landmarks)
    require_own_photos(exam, finding.laterality, marked)
    scale = policy.GradingScale(exam.site.scale)
    graded = in_scale(finding, scale)
    require_consistent(graded)
    acuity = _acuity_logmar(exam, finding)
    require_agreement(graded, scale, acuity)
    for name, text in graded.structured.texts().items():
        check_length(text, EyeFinding, name, finding.laterality)
    if graded.is_gradable and contradicts(graded, scale, acuity):
        return graded
    return replace(graded, structured=replace(graded.structured, contradiction_reason=""))


def grades_in_scale(exam: Exam, findings: Mapping[Laterality, Finding]) -> dict[Laterality, str]:
    """Grades of each eye that has some in the scale of the site, such as "R1 M0 P0". Raises ReviewError."""
    checked = checked_findings(exam, findings)
    rows = {eye: EyeFinding(**finding.structured.columns()) for eye, finding in checked.items()}
    return {eye: rows[eye].grades_in_scale for eye in Laterality if eye in rows and rows[eye].grades_in_scale}


def _acuity_logmar(exam: Exam, finding: Finding) -> float | None:
    if not finding.acuity.strip():
        return newest_acuity(exam, finding.laterality)
    try:
        return float(acuity_logmar(finding.acuity))
    except ExamError as error:
        raise ReviewError(str(error), finding.laterality) from None


def record_acuities(exam: Exam, findings: Mapping[Laterality, Finding], by: User) -> None:
    """Record the visual acuities that the reader entered."""
    for eye, finding in findings.items():
        if finding.acuity.strip() and not finding.absent_reason:
            record_acuity(
                exam=exam, laterality=eye, entered=finding.acuity, correction=finding.acuity_correction, by=by
            )


def eye_results(exam: Exam, findings: Mapping[Laterality, Finding]) -> dict[Laterality, policy.EyeResult]:
    """What the findings of both eyes mean for the outcome. Raises ReviewError if one does not fit its eye."""
    photographed = photographed_eyes(exam)
    results = {eye: _eye_result(exam, eye, findings.get(eye), has_photograph=eye in photographed) for eye in Laterality}
    if all(result.is_absent for result in results.values()):
        raise ReviewError(_("Both eyes are absent, so there is nothing to sign. Cancel this exam."))
    return results


def _eye_result(exam: Exam, eye: Laterality, finding: Finding | None, *, has_photograph: bool) -> policy.EyeResult:
    if exam.absent_reason(eye):
        if finding is not None:
            raise ReviewError(_("This eye is recorded as absent, so it has no finding."), eye)
        return policy.EyeResult(is_absent=True, is_photographed=False, is_gradable=False)
    if finding is not None and finding.laterality is not eye:
        raise ReviewError(_("The finding belongs to the other eye. Enter it again."), eye)
    if not has_photograph:
        return _result_without_photograph(exam, eye, finding)
    if finding is None:
        raise ReviewError(_("Choose a grade, or mark the eye as ungradable."), eye)
    if finding.absent_reason or not finding.is_photographed:
        raise ReviewError(_("This eye has a photograph. Grade it, or mark the eye as ungradable."), eye)
    require_consistent(finding)
    has_scale = finding.structured.retinopathy is not None
    return policy.EyeResult(
        scale=policy.GradingScale(exam.site.scale) if has_scale else policy.GradingScale.ICDR,
        retinopathy=finding.structured.retinopathy,
        maculopathy=finding.structured.maculopathy,
        is_gradable=finding.is_gradable,
        grade=finding.grade,
        macular_oedema=finding.macular_oedema,
        acuity_logmar=_acuity_logmar(exam, finding),
        is_treated=is_treated(visit_facts_of(exam), eye, finding.structured.lesions),
        n_attempts=_n_attempts(exam, eye, finding),
        n_visits=1 + _n_earlier_ungradable_visits(exam, eye),
    )


def _result_without_photograph(exam: Exam, eye: Laterality, finding: Finding | None) -> policy.EyeResult:
    """No one can grade an eye, or judge the quality of its photographs, without a photograph."""
    if finding is None or (finding.is_photographed and not finding.absent_reason) or finding.grade is not None:
        raise ReviewError(
            _("This eye has no photograph, so it has no finding. Choose “Not photographed”, or record it as absent."),
            eye,
        )
    if finding.absent_reason:
        check_length(finding.absent_reason, Exam, Exam.ABSENT_REASON_FIELDS[eye], eye)
        return policy.EyeResult(is_absent=True, is_photographed=False, is_gradable=False)
    return policy.EyeResult(
        is_photographed=False,
        is_gradable=False,
        n_attempts=_n_attempts(exam, eye, finding),
        n_visits=1 + _n_earlier_ungradable_visits(exam, eye),
    )


def _n_attempts(exam: Exam, eye: Laterality, finding: Finding) -> int:
    n_attempts = count_attempts(exam, ungradable_eyes=() if finding.is_gradable else (eye,))[eye]
    return max(n_attempts, policy.MAX_ATTEMPTS) if exam.unobtainable(eye) else n_attempts


def _n_earlier_ungradable_visits(exam: Exam, eye: Laterality) -> int:
    """Number of consecutive visits before this one without a grade of this eye: ungradable or not photographed."""
    findings = (
        EyeFinding.objects.filter(
            review__exam__patient=exam.patient_id,
            review__exam__created_at__lt=exam.created_at,
            review__amendments__isnull=True,
            review__reading_round=F("review__exam__reading_round"),
            laterality=eye,
            is_absent=False,
        )
        .order_by("-review__exam__created_at")
        .values_list("is_gradable", flat=True)
    )
    n_visits = 0
    for is_gradable in findings:
        if is_gradable:
            break
        n_visits += 1
    return n_visits


def finding_values(finding: Finding | EyeFinding) -> tuple[object, ...]:
    """What a finding says, to compare one that is entered with one that is signed."""
    columns = {name: getattr(finding, name) for name in COLUMNS} if isinstance(finding, EyeFinding) else {}
    details = columns or finding.structured.columns()  # type: ignore[union-attr]  # a Finding
    grade = details["retinopathy"] or (None if finding.grade is None else int(finding.grade))
    reasons = (finding.changed_reason.strip(), details["lesions"], details["other_disease"])
    is_stored = isinstance(finding, EyeFinding)
    marks = tuple(one.value for one in finding.marks.all()) if is_stored else finding.marks  # type: ignore[union-attr]
    return (
        finding.is_photographed,
        finding.is_gradable,
        grade,
        details["maculopathy"],
        str(finding.macular_oedema),
        *reasons,
        marks,
        details["landmarks"],
    )


def finding_rows(
    review: Review, eyes: Mapping[Laterality, policy.EyeResult], findings: Mapping[Laterality, Finding]
) -> list[EyeFinding]:
    """The rows of both eyes, not saved yet."""
    return [
        EyeFinding(review=review, **finding_columns(result, findings.get(eye)), laterality=eye)
        for eye, result in eyes.items()
    ]


def finding_columns(result: policy.EyeResult, finding: Finding | None) -> dict[str, Any]:
    """The columns of an eye that signed findings and signed readings have in common."""
    return {
        "is_absent": result.is_absent,
        "is_photographed": result.is_photographed,
        "is_gradable": result.is_gradable,
        "grade": None if result.grade is None else int(result.grade),
        "macular_oedema": result.macular_oedema,
        "changed_reason": "" if finding is None else finding.changed_reason.strip(),
        **({} if finding is None else finding.structured.columns()),
    }


def has_same_findings(review: Review, eyes: Mapping[Laterality, policy.EyeResult]) -> bool:
    """Whether the findings of ``review`` are those of ``eyes``."""
    return {row.laterality: _facts(row) for row in review.findings.all()} == {
        eye.value: _facts(result) for eye, result in eyes.items()
    }


def _facts(finding: EyeFinding | policy.EyeResult) -> tuple[object, ...]:
    if finding.is_absent:
        return ("absent",)
    scale = finding.retinopathy or "", finding.maculopathy or ""
    return finding.is_photographed, finding.is_gradable, finding.grade, str(finding.macular_oedema), *map(str, scale)


def is_other_finding(reading: FirstReading, finding: Finding) -> bool:
    """Whether grade or macular oedema differ from the first reading, in ICDR or in the scale that both have."""
    before = (reading.is_gradable, reading.grade, reading.macular_oedema)
    if before != (finding.is_gradable, finding.grade, finding.macular_oedema):
        return True
    of_reading, of_finding = reading.retinopathy, finding.structured.retinopathy or ""
    maculopathy = finding.structured.maculopathy or ""
    return bool(of_reading and of_finding) and (of_reading, reading.maculopathy) != (of_finding, maculopathy)


def find_sent_before(
    *,
    exam: Exam,
    findings: Mapping[Laterality, Finding],
    note: str,
    amends: Review | None,
    amend_reason: str,
    by: User,
) -> Review | None:
    """The review that ``by`` signed with the same form; None if no form with this content was signed.

    A form is sent twice by a double click, by the Back button and by a reload. ``amends`` is the review that was in
    force when the form was made.
    """
    texts = {"note": note.strip(), "amend_reason": amend_reason.strip()}
    entered = {eye: finding_values(one) for eye, one in findings.items() if not one.absent_reason}
    own = Review.objects.filter(exam=exam, reading_round=exam.reading_round, reviewer=by, amends=amends, **texts)
    for review in own.prefetch_related("findings__marks"):
        if entered == {one.laterality: finding_values(one) for one in review.findings.all() if not one.is_absent}:
            return review
    return None
