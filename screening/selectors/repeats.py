"""Repeats: which one a reader has open, which is due, and why one is not read.

NB: a repeat hides the result of its exam on the reading page of its reader alone, by ``hide_result``. Lists, recall,
letters and the pages of other users never depend on repeats.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from screening.access import Action, can, sites_for
from screening.models import (
    AuditEvent,
    Document,
    Exam,
    FirstReading,
    FundusImage,
    Grading,
    Referral,
    Repeat,
    Review,
    Site,
    User,
)
from screening.policy.exam_states import ExamState
from screening.policy.repeats import MAX_OPEN, MAX_WEEKS_LATE, PAUSE, SIGNATURE_LASTS, DropReason, RepeatState
from screening.selectors.exams import ExamDetail, EyeDetail
from screening.selectors.reviews import IN_FORCE

Verb = AuditEvent.Verb
_NO_VIEWS = (
    Verb.EXAM_LOCKED,
    Verb.EXAM_RELEASED,
    Verb.EXAM_PREFETCHED,
    Verb.IMAGE_PREFETCHED,
    Verb.DRAFT_SAVED,
    Verb.DRAFT_DISCARDED,
    Verb.ACCESS_REFUSED,
)
_ROUTES_OF_READING = (
    "screening:exam-review-status",
    "screening:image-screen",
    "screening:image-photo",
    "screening:image-thumbnail",
    "screening:image-tile",
)
"""Routes that the reading page uses, with no result in the answer."""
_LISTS_WITHOUT_RESULTS = ("screening:worklist", "screening:exam-prefetch", "screening:reading-layout")


def open_repeats(user: User) -> QuerySet[Repeat]:
    """Repeats that ``user`` has taken and has not read yet."""
    rows = Repeat.objects.filter(reader=user, state=RepeatState.TAKEN)
    return rows.select_related("exam__site", "exam__patient", "review", "reader")


def due_repeats(user: User) -> QuerySet[Repeat]:
    """Repeats that ``user`` may take today, those that are due first at the front."""
    sites = sites_for(user, Action.REVIEW_EXAM).filter(reading_mode=Site.ReadingMode.BLIND_FIRST)
    today = timezone.localdate()
    rows = Repeat.objects.filter(reader=user, state=RepeatState.WAITING, due_on__lte=today, exam__site__in=sites)
    return rows.select_related("exam__site", "exam__patient", "review", "reader").order_by("due_on", "pk")


def readable_repeats(user: User, *, exam: Exam | None = None) -> Iterator[Repeat]:
    """Repeats of ``due_repeats`` that may be read now; none within ``PAUSE`` of the last one. ``exam``: that one's."""
    if Repeat.objects.filter(reader=user, taken_at__gt=timezone.now() - PAUSE).exists():
        return
    due = due_repeats(user) if exam is None else due_repeats(user).filter(exam=exam)
    yield from (repeat for repeat in due if drop_reason(repeat) is None)


def drop_reason(repeat: Repeat) -> DropReason | None:
    """Why a repeat that waits or is taken is not read; None if it is."""
    exam, now = repeat.exam, timezone.now()
    if not can(repeat.reader, Action.REVIEW_EXAM, exam.site):
        return DropReason.READER_LEFT if exam.site.is_active else DropReason.SITE_CHANGED
    if exam.site.reading_mode != Site.ReadingMode.BLIND_FIRST:
        return DropReason.SITE_CHANGED
    in_force = Review.objects.filter(IN_FORCE, exam=exam).values_list("pk", flat=True)
    if (
        exam.status != ExamState.SIGNED
        or exam.reading_round != repeat.reading_round
        or repeat.review_id not in in_force
    ):
        return DropReason.RESULT_CHANGED
    later = Exam.objects.filter(patient=exam.patient_id, created_at__gt=exam.created_at)
    if later.exclude(status=ExamState.CANCELLED).exists():
        return DropReason.LATER_EXAM
    is_late = timezone.localdate(now) > repeat.due_on + timedelta(weeks=MAX_WEEKS_LATE)
    if is_late or (repeat.taken_at is not None and repeat.taken_at < now - MAX_OPEN):
        return DropReason.TOO_LATE
    return DropReason.VIEWED if _views_of_reader(repeat).exists() else None


def _views_of_reader(repeat: Repeat) -> QuerySet[AuditEvent]:
    """What the reader viewed of, or did with, the exam, the person or the results, outside the repeat.

    While the repeat is open, lists that could have the result count too; its photographs do not.
    """
    of_person = AuditEvent.objects.filter(_is_about_person(repeat.exam), actor=repeat.reader).exclude(
        verb__in=_NO_VIEWS
    )
    since = repeat.review.signed_at + SIGNATURE_LASTS
    taken_at = repeat.taken_at
    if taken_at is None:
        return of_person.filter(at__gte=since)
    earlier, later = of_person.filter(at__gte=since, at__lt=taken_at), of_person.filter(at__gte=taken_at)
    later = later.exclude(verb=Verb.IMAGE_VIEWED).exclude(data__has_key="is_hidden")
    later = later.filter(_is_other_route(_ROUTES_OF_READING))
    found = (earlier, later, _lists_since(repeat.reader, taken_at))
    return next((rows for rows in found if rows.exists()), AuditEvent.objects.none())


def _lists_since(reader: User, at: datetime) -> QuerySet[AuditEvent]:
    verbs = (Verb.LIST_VIEWED, Verb.LIST_EXPORTED, Verb.PATIENTS_SEARCHED, Verb.AUDIT_VIEWED)
    rows = AuditEvent.objects.filter(actor=reader, at__gte=at, verb__in=verbs)
    return rows.filter(_is_other_route(_LISTS_WITHOUT_RESULTS))


def _is_other_route(routes: Iterable[str]) -> Q:
    """Filter of audit events: of none of these routes, or of no route (NOT IN alone leaves those out)."""
    return Q(data__route__isnull=True) | ~Q(data__route__in=routes)


def _is_about_person(exam: Exam) -> Q:
    """Filter of audit events: about the patient or a record of the patient's."""
    of_patient: Iterable[QuerySet[Any]] = (
        Exam.objects.filter(patient=exam.patient_id),
        FundusImage.objects.filter(exam__patient=exam.patient_id),
        Grading.objects.filter(image__exam__patient=exam.patient_id),
        Review.objects.filter(exam__patient=exam.patient_id),
        Referral.objects.filter(exam__patient=exam.patient_id),
        Document.objects.filter(patient=exam.patient_id),
    )
    ids = [str(exam.patient_id), *(str(pk) for rows in of_patient for pk in rows.values_list("pk", flat=True))]
    return Q(object_id__in=ids) | Q(data__record__in=ids)


def hide_result(detail: ExamDetail, repeat: Repeat) -> ExamDetail:
    """The exam as it was before its reader read it: submitted, without readings, result and acuities of readers.

    Its times are moved by whole days, so that it has waited for as long as at the signature. NB: never save its rows.
    """
    exam, taken_at = detail.exam, repeat.taken_at or timezone.now()
    read_at = _first_read_at(repeat)
    moved = timedelta(days=(taken_at - repeat.review.signed_at).days)
    exam.status = ExamState.SUBMITTED.value
    exam.created_at += moved
    if exam.submitted_at is not None:
        exam.submitted_at += moved
    return replace(
        detail,
        right=_as_before(detail.right, exam, read_at),
        left=_as_before(detail.left, exam, read_at),
        reviews=(),
        first_readings=(),
        is_model_revealed=False,
        is_late_reader=False,
        repeat=repeat,
    )


def _first_read_at(repeat: Repeat) -> datetime:
    rows = FirstReading.objects.filter(exam=repeat.exam_id, reading_round=repeat.reading_round)
    first = rows.order_by("created_at").values_list("created_at", flat=True).first()
    return first or repeat.review.signed_at


def _as_before(eye: EyeDetail, exam: Exam, read_at: datetime) -> EyeDetail:
    acuities = (one for one in exam.acuities.all() if one.laterality == eye.laterality and one.created_at < read_at)
    return replace(eye, acuity=next(acuities, None))
