"""Days of sites whose counts have changed, by the audit trail: each change of a record leaves an event."""

import datetime
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from django.db.models import Q
from django.db.models.functions import Coalesce, TruncDate
from django.utils import timezone

from screening.models import AuditEvent, ContactAttempt, Exam, ReadingDraft, Repeat, Site
from screening.policy.daily_counts import UPTAKE_DAYS
from screening.policy.exam_states import ExamState
from screening.policy.recall import ContactKind
from screening.policy.repeats import RepeatState
from screening.selectors.audited_records import exam_ids_of_events

Verb = AuditEvent.Verb
SiteDay = tuple[uuid.UUID, datetime.date]
OF_EXAMS = (
    Verb.EXAM_OPENED,
    Verb.EXAM_SUBMITTED,
    Verb.EXAM_CANCELLED,
    Verb.EXAM_RETURNED,
    Verb.EXAM_TAKEN_BACK,
    Verb.EXAM_MOVED,
    Verb.EXAM_LOCKED,
    Verb.EXAM_TAKEN_OVER,
    Verb.EYE_ABSENT,
    Verb.IMAGE_ATTACHED,
    Verb.IMAGE_WITHDRAWN,
    Verb.IMAGE_MOVED,
    Verb.LATERALITY_CHANGED,
    Verb.GRADING_DONE,
    Verb.FIRST_READING_RECORDED,
    Verb.DRAFT_SAVED,
    Verb.DRAFT_DISCARDED,
    Verb.READING_SIGNED,
    Verb.REPEAT_DROPPED,
    Verb.ARBITRATION_DEMANDED,
    Verb.EXAM_ARBITRATED,
    Verb.REVIEW_SIGNED,
    Verb.REVIEW_AMENDED,
    Verb.REVIEW_IN_ERROR,
    Verb.REFERRAL_CHANGED,
)
OF_PEOPLE = (
    Verb.PATIENT_REGISTERED,
    Verb.REGISTER_CHANGED,
    Verb.CONTACT_RECORDED,
    Verb.PATIENTS_MERGED,
    Verb.PATIENTS_UNMERGED,
    Verb.MESSAGE_SENT,
    Verb.BOOKING_CHANGED,
    Verb.IMPORT_APPLIED,
)
_CHUNK = 500


@dataclass(slots=True)
class Changes:
    """Days whose exams have to be counted again, and sites whose people have to be."""

    days: set[SiteDay] = field(default_factory=set)
    registers: set[uuid.UUID] = field(default_factory=set)


def changes_since(at: datetime.datetime) -> Changes:
    """What was changed at or after ``at``, by events that are committed now."""
    events = AuditEvent.objects.filter(at__gte=at, verb__in=[*OF_EXAMS, *OF_PEOPLE]).order_by("id")
    found = Changes()
    rows = events.only("object_id", "data", "verb", "site_id", "object_type").iterator(chunk_size=_CHUNK)
    while chunk := list(islice(rows, _CHUNK)):
        found.registers |= {one.site_id for one in chunk if one.site_id is not None}
        exams = exam_ids_of_events(one for one in chunk if one.verb in OF_EXAMS)
        found.days |= days_of_exams(Exam.objects.filter(pk__in=exams))
        people = {one.object_id for one in chunk if one.object_type == "patient"}
        oldest = timezone.now().date() - datetime.timedelta(days=UPTAKE_DAYS + 1)  # a visit now is no later result
        of_people = Q(patient__in=people) | Q(patient__exams__in=exams)
        found.days |= _invitation_days(of_people & Q(on__gte=oldest))
    return found


def days_of_unread() -> set[SiteDay]:
    """Days of signed exams that a person has yet to read blind: that ends without an event, when a draft is too old."""
    drafts = ReadingDraft.objects.filter(exam__status=ExamState.SIGNED, base_review__isnull=True)
    repeats = Repeat.objects.filter(state=RepeatState.TAKEN)
    ids = {*drafts.values_list("exam", flat=True), *repeats.values_list("exam", flat=True)}
    return days_of_exams(Exam.objects.filter(pk__in=ids))


def days_of_site(site: Site, *, since: datetime.date | None = None) -> set[SiteDay]:
    """All days of a site with an exam or an invitation, or those from a day on."""
    exams, invitations = Exam.objects.filter(site=site), Q(patient__site=site)
    if since is not None:
        begin = datetime.datetime.combine(since, datetime.time.min, tzinfo=site.zone)
        exams, invitations = exams.filter(created_at__gte=begin), invitations & Q(on__gte=since)
    return days_of_exams(exams, sites=[site]) | _invitation_days(invitations)


def days_of_exams(exams: Any, *, sites: Iterable[Site] | None = None) -> set[SiteDay]:
    """The days of the visits, at each site."""
    found: set[SiteDay] = set()
    for zone, ids in _zones(Site.objects.all() if sites is None else sites).items():
        rows = exams.filter(site__in=ids).order_by().annotate(day=TruncDate("created_at", tzinfo=zone))
        found |= set(rows.values_list("site", "day").distinct())
    return found


def count_invited(*, site: Site, day: datetime.date) -> tuple[int, int]:
    """People invited on a day at a site, and how many of them attended within UPTAKE_DAYS.

    An invitation that came back is none. A person attended if an exam was opened and handed over.
    """
    invited = ContactAttempt.objects.filter(patient__site=site, kind=ContactKind.INVITATION, on=day)
    rows = invited.exclude(result="returned").annotate(person=Coalesce("patient__merged_into", "patient"))
    people = set(rows.values_list("person", flat=True))
    begin = datetime.datetime.combine(day, datetime.time.min, tzinfo=site.zone)
    exams = Exam.objects.filter(
        patient__in=people,
        submitted_at__isnull=False,
        created_at__gte=begin,
        created_at__lt=begin + datetime.timedelta(days=UPTAKE_DAYS),
    ).exclude(status=ExamState.CANCELLED)
    return len(people), exams.values("patient").distinct().count()


def _invitation_days(condition: Q) -> set[SiteDay]:
    rows = ContactAttempt.objects.filter(condition, kind=ContactKind.INVITATION).order_by()
    return set(rows.values_list("patient__site", "on").distinct())


def _zones(sites: Iterable[Site]) -> dict[datetime.tzinfo, list[uuid.UUID]]:
    found: dict[datetime.tzinfo, list[uuid.UUID]] = {}
    for site in sites:
        found.setdefault(site.zone, []).append(site.pk)
    return found
