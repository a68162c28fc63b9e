"""The due list of a site: each person in exactly one state of call and recall, the longest due first."""

import datetime
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, CharField, Count, F, Q, QuerySet, Value, When
from django.utils import timezone

from screening.access import restrict
from screening.models import Exam, Patient, Site, User
from screening.policy.exam_states import FINISHED, PHOTOGRAPHED, ExamState
from screening.policy.recall import NextStep, RecallState, left_exam_day, lost_due_date
from screening.policy.register import RegisterStatus
from screening.selectors.bookings import is_booked
from screening.selectors.drafts import is_read_late
from screening.selectors.patients import is_found_by

TO_CALL = (RecallState.DUE, RecallState.OVERDUE)
"""The states in which a next step is to be made."""
OUT_OF_REGISTER = frozenset(
    RecallState(status.value) for status in RegisterStatus if status is not RegisterStatus.ELIGIBLE
)
"""The states of people who are not eligible now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DueFilters:
    """Filters of the due list. Nothing in it identifies a patient: it can be part of an address."""

    state: RecallState | None = None
    step: NextStep | None = None
    """People whose next step is this one and is to be made today."""
    due_by: datetime.date | None = None
    is_never_screened: bool = False


def due_list(*, user: User, site: Site, filters: DueFilters, text: str = "") -> QuerySet[Patient]:
    """People of a site with their ``state``, who match all filters and, if it is given, the search text.

    Left out are people whose exam ``user`` was reading when a colleague signed it: their state follows from the result.
    """
    people: Any = with_state(_people(user, site), site)
    if filters.state is not None:
        people = people.filter(state=filters.state.value)
    if filters.step is not None:
        today = timezone.localdate(timezone=site.zone)
        people = people.filter(state__in=TO_CALL, next_step=filters.step.value, next_step_on__lte=today)
    if filters.due_by is not None:
        people = people.filter(due_on__lte=filters.due_by)
    if filters.is_never_screened:
        people = people.filter(screened_on__isnull=True)
    if text.strip():
        people = people.filter(is_found_by(text))
    listed: QuerySet[Patient] = people.select_related("site").order_by(F("due_on").asc(nulls_last=True), "pk")
    return listed


def count_states(*, user: User, site: Site) -> dict[RecallState, int]:
    """Number of people in each state; the sum is the number of people. One query."""
    people: Any = with_state(_people(user, site), site)
    found = dict(people.order_by().values_list("state").annotate(n=Count("pk")))
    return {state: found.get(state.value, 0) for state in RecallState}


def with_state(people: QuerySet[Patient], site: Site) -> QuerySet[Patient]:
    """Annotate ``state``: the rules of ``policy.recall_state`` as a query. All people are of ``site``."""
    return people.annotate(state=_state(site, timezone.localdate(timezone=site.zone)))


def count_register(site: Site) -> tuple[dict[RecallState, int], int]:
    """People of a site in each state, and how many eligible ones have a screening that is still valid; one query.

    It is valid until the person is overdue. NB: for tasks; also people whose state is hidden from a late reader.
    """
    overdue_on = timezone.localdate(timezone=site.zone) - datetime.timedelta(days=site.recall_rules.overdue_after_days)
    is_valid = Q(screened_on__isnull=False) & (Q(due_on__isnull=True) | Q(due_on__gte=overdue_on))
    people: Any = with_state(Patient.objects.filter(site=site, merged_into__isnull=True), site)
    rows = people.order_by().values_list("state").annotate(n=Count("pk"), n_valid=Count("pk", filter=is_valid))
    found = {RecallState(state): (n, n_valid) for state, n, n_valid in rows}
    counts = {state: n for state, (n, _n_valid) in found.items()}
    return counts, sum(n_valid for state, (_n, n_valid) in found.items() if state not in OUT_OF_REGISTER)


def _people(user: User, site: Site) -> QuerySet[Patient]:
    people = restrict(Patient.objects.filter(site=site, merged_into__isnull=True), user)
    return people.exclude(is_read_late(user))


def _state(site: Site, today: datetime.date) -> Case:
    rules = site.recall_rules
    is_out = ~Q(register_status=RegisterStatus.ELIGIBLE.value) & (
        Q(register_until__isnull=True) | Q(register_until__gte=today)
    )
    begun_since = timezone.make_aware(
        datetime.datetime.combine(left_exam_day(rules, today), datetime.time.min), timezone=site.zone
    )
    is_left = Q(status__in=PHOTOGRAPHED, created_at__lt=begun_since) & (
        Q(returned_at__isnull=True) | Q(returned_at__lt=begun_since)
    )
    unfinished = [state for state in ExamState if state not in FINISHED]
    in_progress = Exam.objects.filter(status__in=unfinished, site=site).exclude(is_left).order_by().values("patient")
    has_no_step = Q(next_step=NextStep.LOST.value, next_step_on__lte=today)
    overdue_on = today - datetime.timedelta(days=rules.overdue_after_days)
    invited_on = today + datetime.timedelta(days=rules.invite_before_days)
    cases: list[tuple[Any, RecallState]] = [
        (Q(pk__in=in_progress), RecallState.IN_PROGRESS),
        (is_booked(site, today), RecallState.BOOKED),
        (Q(due_on__isnull=True), RecallState.REFERRED),
        (has_no_step | Q(due_on__lte=lost_due_date(rules, today)), RecallState.LOST),
        (Q(due_on__lt=overdue_on), RecallState.OVERDUE),
        (Q(due_on__lte=invited_on), RecallState.DUE),
    ]
    return Case(
        When(is_out, then=F("register_status")),
        *(When(condition, then=Value(state.value)) for condition, state in cases),
        default=Value(RecallState.NOT_DUE.value),
        output_field=CharField(),
    )
