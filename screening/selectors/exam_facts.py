"""What the counts of a day need of each exam: state, photographs, signed findings, the model's result, readings.

NB: of all users' sites: for tasks, not for pages.
"""

import datetime
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from django.conf import settings
from django.db.models import Exists, OuterRef, Subquery
from django.utils import timezone

from screening.models import (
    Exam,
    EyeFinding,
    FirstReading,
    FundusImage,
    Grading,
    Reading,
    ReadingDraft,
    Referral,
    ReferralFeedback,
    Repeat,
    Review,
    Site,
)
from screening.models.gradings import current_first, is_flagged
from screening.policy import MacularOedema
from screening.policy.agreement import EyeGrade
from screening.policy.agreement_counts import GradedEye
from screening.policy.daily_counts import NO, NONE, YES, ExamFacts, EyeFacts, EyeState, PhotoFacts, pair_code
from screening.policy.exam_states import ExamState
from screening.policy.protocols import ReadingStage
from screening.policy.referrals import ReferralState
from screening.policy.repeats import RepeatState
from screening.selectors.drafts import MAX_AGE
from screening.selectors.reviews import IN_FORCE

ByRecord = dict[uuid.UUID, list[Any]]


def facts_of_day(*, site: Site, day: datetime.date) -> Iterator[ExamFacts]:
    """The exams whose visit was on this day at the site; ten queries for any number of exams."""
    begin = datetime.datetime.combine(day, datetime.time.min, tzinfo=site.zone)
    end = datetime.datetime.combine(day + datetime.timedelta(days=1), datetime.time.min, tzinfo=site.zone)
    exams: Any = Exam.objects.filter(site=site, created_at__gte=begin, created_at__lt=end).order_by()
    return facts_of_exams(list(exams.annotate(is_unread=_is_unread())))


def facts_of_exams(exams: Collection[Any]) -> Iterator[ExamFacts]:
    """The facts of exams that have the annotation ``is_unread``."""
    ids = [exam.pk for exam in exams]
    images = _by_exam(FundusImage.objects.filter(exam__in=ids).order_by("created_at", "pk"))
    gradings = _gradings(ids)
    signed = [exam.pk for exam in exams if exam.status == ExamState.SIGNED]
    reviews = {row.exam_id: row for row in Review.objects.filter(IN_FORCE, exam__in=signed)}
    first_signed = _first_signatures(signed)
    related: dict[str, ByRecord] = {
        "findings": _by_exam(EyeFinding.objects.filter(review__in=reviews.values()).select_related("review")),
        "blind": _by_exam(FirstReading.objects.filter(exam__in=signed, not_blind_reason="").order_by("created_at")),
        "readings": _by_exam(_readings(signed)),
        "confirmed": _by_exam(_confirmed(signed)),
    }
    for exam in exams:
        in_use = [image for image in images[exam.pk] if image.withdrawn_at is None]
        photos = tuple(_photo(image, gradings[image.pk]) for image in in_use)
        review = reviews.get(exam.pk)
        if review is None:
            yield ExamFacts(status=exam.status, photos=photos)
            continue
        at_signature = _at_signature(images[exam.pk], gradings, review.signed_at)
        rows = {name: found[exam.pk] for name, found in related.items()}
        submitted_at = exam.submitted_at or first_signed[exam.pk]
        yield ExamFacts(
            status=exam.status,
            photos=photos,
            outcome=review.outcome,
            turnaround_s=(first_signed[exam.pk] - submitted_at).total_seconds(),
            signer=str(review.reviewer_id),
            eyes=tuple(_eyes(exam, rows, at_signature)),
            feedback=_feedback(rows["confirmed"], [one for found in at_signature.values() for one in found]),
            is_compared=not exam.is_unread and _is_real(in_use),
        )


def _is_unread() -> Exists:
    """Whether a person has yet to read a signed exam blind: a late reader, or who has begun to read it a second time.

    Until then it is in no comparison, so that nothing of its result follows from one.
    """
    drafts = ReadingDraft.objects.filter(
        exam=OuterRef("pk"),
        reading_round=OuterRef("reading_round"),
        base_review__isnull=True,
        updated_at__gt=timezone.now() - MAX_AGE,
    )
    return Exists(drafts) | Exists(Repeat.objects.filter(exam=OuterRef("pk"), state=RepeatState.TAKEN))  # type: ignore[return-value]  # a Q


def _is_real(images: Iterable[FundusImage]) -> bool:
    """Synthetic photographs are never used for accuracy, except in the demo, which has no others."""
    return settings.SITE_IS_DEMO or not any(image.is_synthetic for image in images)


def _by_exam(rows: Iterable[Any]) -> ByRecord:
    found: ByRecord = defaultdict(list)
    for row in rows:
        found[row.review.exam_id if isinstance(row, EyeFinding) else row.exam_id].append(row)
    return found


def _gradings(ids: Collection[uuid.UUID]) -> ByRecord:
    """The finished gradings of each photograph, the current one first."""
    rows = Grading.objects.filter(image__exam__in=ids, status=Grading.Status.DONE)
    found: ByRecord = defaultdict(list)
    for grading in current_first(rows.defer("probabilities")):
        found[grading.image_id].append(grading)
    return found


def _first_signatures(ids: Collection[uuid.UUID]) -> dict[uuid.UUID, datetime.datetime]:
    """When the result of the present reading round was signed, before amendments."""
    rows = Review.objects.filter(exam__in=ids, amends__isnull=True).order_by("reading_round")
    return dict(rows.values_list("exam", "signed_at"))


def _readings(ids: Collection[uuid.UUID]) -> Any:
    stages = [ReadingStage.FIRST, ReadingStage.SECOND]
    rows = Reading.in_protocol.filter(exam__in=ids, stage__in=stages).order_by("signed_at", "pk")
    return rows.prefetch_related("eyes")


def _confirmed(ids: Collection[uuid.UUID]) -> Any:
    newest = ReferralFeedback.objects.filter(referral=OuterRef("pk")).order_by("-created_at", "pk")
    rows = Referral.objects.filter(exam__in=ids, state=ReferralState.RESULT_BACK)
    counting = Review.objects.filter(IN_FORCE, pk=OuterRef("review"))
    return rows.filter(Exists(counting)).annotate(is_confirmed=Subquery(newest.values("is_confirmed")[:1]))


def _photo(image: FundusImage, gradings: list[Grading]) -> PhotoFacts:
    current = gradings[0] if gradings else None
    return PhotoFacts(
        level="" if current is None else current.quality_level,
        reasons=() if current is None else tuple(current.quality_reasons),
        camera=image.camera,
        photographer=str(image.uploaded_by_id),
    )


def _at_signature(
    images: Iterable[FundusImage], gradings: ByRecord, signed_at: datetime.datetime
) -> dict[str, list[Any]]:
    """For each eye, the grading that was current at the signature of each photograph that was in use then."""
    found: dict[str, list[Any]] = defaultdict(list)
    for image in images:
        if image.withdrawn_at is not None and image.withdrawn_at <= signed_at:
            continue
        done = [one for one in gradings[image.pk] if (one.finished_at or one.created_at) <= signed_at]
        found[image.laterality].extend(done[:1])
    return found


def _eyes(exam: Exam, rows: dict[str, list[Any]], at_signature: dict[str, list[Any]]) -> Iterator[EyeFacts]:
    for finding in rows["findings"]:
        if finding.is_absent:
            continue
        eye, gradings = finding.laterality, at_signature.get(finding.laterality, [])
        blind = [one for one in rows["blind"] if _is_of(one, exam) and one.laterality == eye]
        signed = [
            (str(reading.reader_id), _graded(one))
            for reading in rows["readings"]
            if _is_of(reading, exam)
            for one in reading.eyes.all()
            if one.laterality == eye and one.is_photographed and not one.is_absent
        ]
        yield EyeFacts(
            final=_graded(finding),
            state=_state(finding),
            oedema=finding.macular_oedema,
            ungradable_reason=finding.ungradable_reason,
            model=_model_eye(gradings),
            model_version=gradings[0].model_version if gradings else "",
            blind=tuple((str(one.reviewer_id), _graded(one)) for one in blind),
            signed_readings=tuple(signed),
        )


def _is_of(row: Any, exam: Exam) -> bool:
    return bool(row.reading_round == exam.reading_round)


def _graded(eye: Any) -> GradedEye:
    found = EyeGrade(eye.grade if eye.is_gradable else None, MacularOedema(eye.macular_oedema))
    return GradedEye(found.grade, found.is_referable)


def _state(finding: EyeFinding) -> EyeState:
    if not finding.is_photographed:
        return EyeState.NOT_PHOTOGRAPHED
    return EyeState.GRADABLE if finding.is_gradable else EyeState.UNGRADABLE


def _model_eye(gradings: list[Any]) -> GradedEye | None:
    """The model's result for an eye by all its photographs: the worst grade, and whether one of them is flagged."""
    if not gradings:
        return None
    grade = max((one.grade for one in gradings if one.is_gradable), default=None)
    return GradedEye(grade, bool(is_flagged(gradings)))


def _feedback(referrals: list[Any], gradings: list[Any]) -> str:
    """Whether the model had flagged an eye, and whether the hospital confirmed; empty without a result."""
    if not referrals:
        return ""
    return pair_code(_answer(is_flagged(gradings)), _answer(referrals[0].is_confirmed))


def _answer(value: bool | None) -> str:
    return NONE if value is None else YES if value else NO
