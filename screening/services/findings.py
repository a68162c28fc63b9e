"""Findings of a reviewer: their checks, what they mean for the outcome, the rows that are stored."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import F, Model
from django.utils.translation import gettext as _

from ml.vocabulary import ICDRGrade, Laterality
from screening import policy
from screening.labels.limits import too_long
from screening.models import Exam, EyeFinding, Review, User
from screening.models.base import max_length
from screening.selectors import count_attempts
from screening.services.exams import ExamError, photographed_eyes


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A reviewer's finding for one eye. ``changed_reason``: why it differs from the first reading.

    An eye without a photograph has either ``is_photographed=False`` or an ``absent_reason``, and no grade.
    """

    laterality: Laterality
    is_photographed: bool = True
    absent_reason: str = ""
    is_gradable: bool = True
    grade: ICDRGrade | None = None
    macular_oedema: policy.MacularOedema = policy.MacularOedema.UNKNOWN
    changed_reason: str = ""


class ReviewError(ExamError):
    """The review cannot be signed. ``laterality`` is the eye that the message is about, if any."""

    def __init__(self, message: str, laterality: Laterality | None = None) -> None:
        super().__init__(message)
        self.laterality = laterality


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
    return policy.EyeResult(
        is_gradable=finding.is_gradable,
        grade=finding.grade,
        macular_oedema=finding.macular_oedema,
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


def finding_values(finding: Finding | EyeFinding) -> tuple[bool, bool, int | None, str, str]:
    """What a finding says, to compare one that is entered with one that is signed."""
    grade = None if finding.grade is None else int(finding.grade)
    reason = finding.changed_reason.strip()
    return finding.is_photographed, finding.is_gradable, grade, str(finding.macular_oedema), reason


def finding_rows(
    review: Review, eyes: Mapping[Laterality, policy.EyeResult], findings: Mapping[Laterality, Finding]
) -> list[EyeFinding]:
    """The rows of both eyes, not saved yet."""
    return [
        EyeFinding(
            review=review,
            laterality=eye,
            is_absent=result.is_absent,
            is_photographed=result.is_photographed,
            is_gradable=result.is_gradable,
            grade=None if result.grade is None else int(result.grade),
            macular_oedema=result.macular_oedema,
            changed_reason=findings[eye].changed_reason.strip() if eye in findings else "",
        )
        for eye, result in eyes.items()
    ]


def has_same_findings(review: Review, eyes: Mapping[Laterality, policy.EyeResult]) -> bool:
    """Whether the findings of ``review`` are those of ``eyes``."""
    signed = {row.laterality: _facts(row, row.grade) for row in review.findings.all()}
    return signed == {eye.value: _facts(result, result.grade) for eye, result in eyes.items()}


def _facts(finding: EyeFinding | policy.EyeResult, grade: int | None) -> tuple[object, ...]:
    if finding.is_absent:
        return ("absent",)
    return finding.is_photographed, finding.is_gradable, grade, str(finding.macular_oedema)


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
    for review in own.prefetch_related("findings"):
        if entered == {one.laterality: finding_values(one) for one in review.findings.all() if not one.is_absent}:
            return review
    return None
