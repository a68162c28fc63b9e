"""Whether a first reading is blind: what its reader has seen of the model's results before, by the audit trail.

Pages, API and panel hide the results from a person who reads blind. What that person saw before, in another role or
in another exam, cannot be hidden afterwards: it is stored with the reading.
"""

import datetime
from collections.abc import Callable, Collection
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import Max, Min, Q, QuerySet
from django.db.models.functions import Coalesce

from screening.access import READING_ROLES, Action, member_since, restrict, roles_without
from screening.models import AuditEvent, Exam, FirstReading, FundusImage, Grading, Patient, Reading, Site, User
from screening.policy.exam_states import ExamState
from screening.policy.protocols import ReadingStage
from screening.selectors.gradings import hidden_from
from screening.services.duplicates import find_copies

NotBlind = FirstReading.NotBlind
Verb = AuditEvent.Verb
SAME_VISIT = timedelta(days=7)
"""Exams of one person in this time show the same eyes in the same state."""
_VIEWS = (Verb.EXAM_VIEWED, Verb.IMAGE_VIEWED, Verb.RECORD_VIEWED, Verb.PHOTO_PREDICTED)
_LISTS_OF_SITE = (
    "screening:worklist",
    "api:gradings",
    "api:exams",
    "api:images",
    "api:image-gradings",
    "fhir:observations",
    "fhir:observations-by-post",
    "fhir:reports",
    "fhir:reports-by-post",
)
_LISTS_OF_ALL_SITES = ("admin:screening_grading_changelist",)
_IS_HIDDEN = "is_hidden"


def not_blind_reason(*, exam: Exam, by: User) -> NotBlind | None:
    """Why a first reading of ``exam`` that ``by`` stores now is not blind; None if it is."""
    is_blind_first = exam.site.reading_mode == Site.ReadingMode.BLIND_FIRST
    if not is_blind_first and (exam.status != ExamState.SECOND_READING or _has_seen_before_first_signature(exam, by)):
        return NotBlind.SITE_SHOWS_RESULT
    images = list(exam.images.filter(withdrawn_at__isnull=True))
    checks: dict[NotBlind, Callable[[], bool]] = {
        NotBlind.EARLIER_READING: lambda: _has_read_before(exam, images, by),
        NotBlind.OTHER_ROLE: lambda: is_blind_first and _has_seen_in_other_role(exam, by),
        NotBlind.PREDICTED: lambda: _has_predicted(images, by),
        NotBlind.SAME_PICTURE: lambda: _has_seen_result_of(_exams_with_copies(images, by), by),
        NotBlind.SAME_PERSON: lambda: _has_seen_result_of(_other_exams_of_person(exam, by), by),
    }
    return next((reason for reason, has_seen in checks.items() if has_seen()), None)


def _has_seen_before_first_signature(exam: Exam, by: User) -> bool:
    """Whether ``by`` saw the result before the exam waited for a second reader: it itself, or a list of the site."""
    first = Reading.objects.get(exam=exam, reading_round=exam.reading_round, stage=ReadingStage.FIRST)
    before = AuditEvent.objects.filter(actor=by, at__lt=first.signed_at)
    routes = (*_LISTS_OF_SITE, *_LISTS_OF_ALL_SITES)
    lists = Q(verb__in=(Verb.LIST_VIEWED, Verb.PATIENTS_SEARCHED), data__route__in=routes, at__gte=exam.submitted_at)
    return before.filter(lists | _is_view_of({exam.pk})).exists()


def _has_read_before(exam: Exam, images: Collection[FundusImage], by: User) -> bool:
    """Whether ``by`` read photographs of the exam in an earlier round, and saw the results then."""
    earlier = FirstReading.objects.filter(exam=exam, reviewer=by, reading_round__lt=exam.reading_round)
    read_at = earlier.filter(is_blind_complete=True).aggregate(at=Max("created_at"))["at"]
    return read_at is not None and any(image.created_at < read_at for image in images)


def _has_seen_in_other_role(exam: Exam, by: User) -> bool:
    """Whether ``by`` looked at the exam, or at a list with its result, after it was graded and before reading blind."""
    in_use = Grading.objects.filter(image__exam=exam, image__withdrawn_at__isnull=True, status=Grading.Status.DONE)
    graded_at = in_use.aggregate(at=Min(Coalesce("finished_at", "created_at")))["at"]
    if graded_at is None:
        return False
    changed_at = _display_changed_at(exam.site)
    reads_since = max(at for at in (member_since(by, exam.site, Action.REVIEW_EXAM), changed_at) if at is not None)
    before = AuditEvent.objects.filter(actor=by, at__gte=graded_at, at__lt=reads_since)
    hidden = _saw_no_result(exam.site)
    before = before.exclude(hidden if changed_at is None else hidden & Q(at__gte=changed_at))
    if before.filter(_is_view_of({exam.pk})).exists():
        return True
    lists = Q(data__route__in=_LISTS_OF_ALL_SITES)
    joined_at = member_since(by, exam.site, Action.VIEW_CASE)
    if joined_at is not None:
        lists |= Q(data__route__in=_LISTS_OF_SITE, at__gte=joined_at)
    return before.filter(lists, verb__in=(Verb.LIST_VIEWED, Verb.PATIENTS_SEARCHED)).exists()


def _saw_no_result(site: Site) -> Q:
    """Filter of audit events: whose role at that time hid the results of the site, as the site is now."""
    has_read = Q(*(("role__contains", role) for role in READING_ROLES), _connector=Q.OR)
    hidden = Q(site=site) & has_read
    return hidden | Q(role__in=roles_without(Action.VIEW_GRADE)) if site.hides_grades_from_photographers else hidden


def _display_changed_at(site: Site) -> datetime.datetime | None:
    """When it last changed whom the site shows the model's results; None: never."""
    changes = AuditEvent.objects.filter(object_type="site", object_id=str(site.pk), verb=Verb.READING_MODE_CHANGED)
    found: datetime.datetime | None = changes.aggregate(at=Max("at"))["at"]
    return found


def _has_predicted(images: Collection[FundusImage], by: User) -> bool:
    """Whether ``by`` had the file of a photograph graded before it was stored."""
    files = [image.sha256 for image in images]
    return AuditEvent.objects.filter(actor=by, verb=Verb.PHOTO_PREDICTED, data__sha256__in=files).exists()


def _exams_with_copies(images: Collection[FundusImage], by: User) -> set[UUID]:
    return {exam_id for image in images for exam_id in find_copies(image=image, by=by)}


def _other_exams_of_person(exam: Exam, by: User) -> set[UUID]:
    """Other exams at about the same time of the same person, at any site of ``by``, whose result is not hidden."""
    patient = exam.patient
    person = Q(patient=patient)
    if patient.name_key and patient.born_on:
        same = restrict(Patient.objects.filter(name_key=patient.name_key, born_on=patient.born_on), by)
        person |= Q(patient__in=same)
    around = (exam.created_at - SAME_VISIT, exam.created_at + SAME_VISIT)
    exams = restrict(Exam.objects.filter(person, created_at__range=around), by, Action.VIEW_CASE).exclude(pk=exam.pk)
    graded = exams.filter(images__gradings__status=Grading.Status.DONE)
    hidden = hidden_from(Exam.objects.filter(pk__in=graded.values("pk")), by)
    return set(graded.values_list("pk", flat=True)) - set(hidden.values_list("pk", flat=True))


def _has_seen_result_of(exams: Collection[UUID], by: User) -> bool:
    return bool(exams) and AuditEvent.objects.filter(_is_view_of(exams), actor=by).exists()


def _is_view_of(exams: Collection[UUID]) -> Q:
    """Filter of audit events: looks at these exams, their photographs and gradings that did not hide the result."""
    images: QuerySet[Any] = FundusImage.objects.filter(exam__in=exams)
    gradings: QuerySet[Any] = Grading.objects.filter(image__exam__in=exams)
    ids = [str(pk) for pk in (*exams, *images.values_list("pk", flat=True), *gradings.values_list("pk", flat=True))]
    return Q(verb__in=_VIEWS) & (Q(object_id__in=ids) | Q(data__record__in=ids)) & ~Q(data__has_key=_IS_HIDDEN)
