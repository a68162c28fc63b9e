"""Audit events of a site: filters, and pages of them that stay fast in a large table.

A page begins after an event and not at a number, so that the database reads the events of one page only. NB: results
of the model are in no event. What colleagues found is hidden as on other pages (``_hidden_records``).
"""

import datetime
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import ExpressionWrapper, Q, QuerySet, TextField
from django.db.models.fields.json import KT
from django.shortcuts import get_object_or_404

from screening.access import sites_to_audit
from screening.labels.audit import SENTENCES
from screening.models import (
    AuditEvent,
    Document,
    Exam,
    Patient,
    ProgrammeMembership,
    Reading,
    Referral,
    Review,
    Site,
    User,
)
from screening.policy.audit import AuditGroup
from screening.selectors.audited_records import ids_about_patient
from screening.selectors.drafts import is_late_reader
from screening.selectors.gradings import unread_by

_FOLLOWS_FROM_READING: tuple[Any, ...] = (Review, Referral, Document, Reading)
_BETWEEN_READERS = (AuditEvent.Verb.ARBITRATION_DEMANDED, AuditEvent.Verb.EXAM_ARBITRATED)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilters:
    """Filters of the audit page; ids alone identify people, so they can be part of an address."""

    person: User | None = None
    """Who did it."""
    patient: Patient | None = None
    group: AuditGroup | None = None
    from_on: datetime.date | None = None
    to_on: datetime.date | None = None
    """First and last day at the site."""


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Events, newest first. Events older than that of id ``older`` follow, newer ones than ``newer`` come before."""

    events: tuple[AuditEvent, ...]
    older: int | None
    newer: int | None


def list_events(*, user: User, site: Site, filters: AuditFilters) -> QuerySet[AuditEvent]:
    """Events of a site that ``user`` audits, newest first, with who did each."""
    rows = AuditEvent.objects.filter(site=site, site__in=sites_to_audit(user)).select_related("actor")
    if filters.person is not None:
        rows = rows.filter(actor=filters.person)
    if filters.group is not None:
        rows = rows.filter(verb__in=list(SENTENCES[filters.group]))
    if filters.from_on is not None:
        rows = rows.filter(at__gte=_start(filters.from_on, site))
    if filters.to_on is not None:
        rows = rows.filter(at__lt=_start(filters.to_on + datetime.timedelta(days=1), site))
    if filters.patient is not None:
        rows = _about(rows, ids_about_patient(filters.patient))
    return without_hidden_events(rows, user).order_by("-at", "-id")


def page_of_events(
    rows: QuerySet[AuditEvent], *, site: Site, before: int | None, after: int | None, per_page: int
) -> AuditPage:
    """The page of older events than ``before``, of newer ones than ``after``, or the first. Raises Http404."""
    if after is not None:
        found = list(_beyond(rows, _get(site, after), is_newer=True).order_by("at", "id")[: per_page + 1])
        events = found[:per_page][::-1]
        has_newer, has_older = len(found) > per_page, True
    else:
        found = list((rows if before is None else _beyond(rows, _get(site, before), is_newer=False))[: per_page + 1])
        events = found[:per_page]
        has_newer, has_older = before is not None, len(found) > per_page
    return AuditPage(
        events=tuple(events),
        older=events[-1].pk if events and has_older else None,
        newer=events[0].pk if events and has_newer else None,
    )


def people_to_filter(site: Site) -> QuerySet[User]:
    """Who has a role at the site or manages its programme."""
    of_programme = ProgrammeMembership.objects.filter(programme__sites=site.pk).order_by()
    is_member = Q(pk__in=site.memberships.order_by().values("user")) | Q(pk__in=of_programme.values("user"))
    return User.objects.filter(is_member).order_by("last_name", "first_name", "username")


def get_actor(*, site: Site, user_id: uuid.UUID) -> User:
    """A person who did something at the site, or has a role there. Raises Http404."""
    acted = AuditEvent.objects.filter(site=site, actor=user_id).order_by()
    is_known = acted.exists() or people_to_filter(site).filter(pk=user_id).exists()
    return get_object_or_404(User.objects.filter(pk=user_id) if is_known else User.objects.none())


def without_hidden_events(rows: QuerySet[AuditEvent], user: User) -> QuerySet[AuditEvent]:
    """The events without those about what colleagues found in exams that ``user`` has yet to read.

    They are exams that a colleague signed while ``user`` was reading them, and exams that ``user`` reads again.
    """
    exams = list(_exams_to_read(user))
    if not exams:
        return rows
    hidden = list(_hidden_records(exams))
    rows = rows.exclude(object_id__in=hidden)
    between = [str(pk) for pk in exams]
    rows = rows.exclude(verb__in=_BETWEEN_READERS, object_id__in=between)
    return rows.filter(Q(data__record__isnull=True) | ~Q(data__record__in=hidden))


def _exams_to_read(user: User) -> Iterable[uuid.UUID]:
    again = unread_by(Exam.objects.filter(reading_round__gt=0), user).order_by()
    late = Exam.objects.filter(is_late_reader(user)).order_by()
    return {*again.values_list("pk", flat=True), *late.values_list("pk", flat=True)}


def _hidden_records(exams: list[uuid.UUID]) -> Iterator[str]:
    """Ids of results of these exams, and of what follows from them."""
    for model in _FOLLOWS_FROM_READING:
        yield from map(str, model.objects.filter(exam__in=exams).order_by().values_list("pk", flat=True))


def _about(rows: QuerySet[AuditEvent], ids: dict[str, list[str]]) -> QuerySet[AuditEvent]:
    every = [one for found in ids.values() for one in found]
    is_object = Q(object_type__in=list(ids), object_id__in=every)
    record = ExpressionWrapper(KT("data__record"), output_field=TextField())  # compared as text, as in the index
    return rows.alias(record=record).filter(is_object | Q(record__in=every))


def _start(day: datetime.date, site: Site) -> datetime.datetime:
    return datetime.datetime.combine(day, datetime.time.min, tzinfo=site.zone)


def _get(site: Site, event_id: int) -> AuditEvent:
    return get_object_or_404(AuditEvent.objects.filter(site=site), pk=event_id)


def _beyond(rows: QuerySet[AuditEvent], event: AuditEvent, *, is_newer: bool) -> QuerySet[AuditEvent]:
    if is_newer:
        return rows.filter(Q(at__gt=event.at) | Q(id__gt=event.pk), at__gte=event.at)
    return rows.filter(Q(at__lt=event.at) | Q(id__lt=event.pk), at__lte=event.at)
