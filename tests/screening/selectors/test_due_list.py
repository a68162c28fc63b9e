"""The due list as a query."""

import datetime
from itertools import product
from typing import Any

import pytest
from django.utils import timezone

from screening.models import Booking, Exam, Patient, ReadingDraft, Site, User
from screening.policy.recall import NextStep, PersonFacts, RecallState, recall_state
from screening.policy.register import LIMITED_STATUSES, RegisterStatus
from screening.selectors.due_list import DueFilters, count_states, due_list
from tests.screening.factories import ExamFactory, PatientFactory, ReviewFactory


def day(n: int) -> datetime.date:
    return timezone.localdate() + datetime.timedelta(days=n)


DUE_DAYS = (None, -1097, -1094, -43, -42, 0, 42, 43)
LAST_DAYS = (-1, 0)
BOOKINGS: dict[str, tuple[tuple[int, str], ...]] = {
    "": (),
    "open": ((0, "booked"),),
    "cancelled": ((-1, "booked"), (0, "attended"), (1, "cancelled")),
    "booked": ((0, "booked"),),
}
"""Days and status of bookings of a person with such an exam."""
STEPS = ((NextStep.INVITE, 0), (NextStep.LOST, 0), (NextStep.LOST, 1))


@pytest.fixture
def people(site: Site, photographer: User) -> list[Patient]:
    """A person for each combination of what decides the state."""
    rows = [
        Patient(
            site=site,
            mrn=f"N{number}",
            family_name="Byron",
            register_status=status.value,
            register_until=day(until) if status in LIMITED_STATUSES else None,
            due_on=None if due is None else day(due),
            next_step="" if due is None else step.value,
            next_step_on=None if due is None else day(step_on),
        )
        for number, (status, until, due, (step, step_on), _exam) in enumerate(_combinations())
    ]
    Patient.objects.bulk_create(rows)
    exams = [
        Exam(patient=row, site=site, status=status, opened_by=photographer, reading_urgency="routine")
        for row, (*_rest, status) in zip(rows, _combinations(), strict=True)
        if status in {"open", "cancelled"}
    ]
    Exam.objects.bulk_create(exams)
    Booking.objects.bulk_create(
        Booking(site=site, patient=row, day=day(on), status=status)
        for row, combination in zip(rows, _combinations(), strict=True)
        for on, status in BOOKINGS[combination[-1]]
    )
    return rows


def _combinations() -> list[tuple[RegisterStatus, int, int | None, tuple[NextStep, int], str]]:
    return list(product(RegisterStatus, LAST_DAYS, DUE_DAYS, STEPS, ("", "open", "cancelled", "booked")))


def test_the_query_has_the_states_of_the_policy(site: Site, photographer: User, people: list[Patient]) -> None:
    listed: Any = due_list(user=photographer, site=site, filters=DueFilters())
    found = dict(listed.values_list("pk", "state"))
    assert len(found) == len(people) == len(_combinations())
    for row, (*_rest, exam) in zip(people, _combinations(), strict=True):
        facts = PersonFacts(
            RegisterStatus(row.register_status),
            row.register_until,
            row.due_on,
            NextStep(row.next_step) if row.next_step else None,
            row.next_step_on,
            is_in_progress=exam == "open",
            is_booked=exam in {"open", "booked"},
        )
        expected = recall_state(facts, rules=site.recall_rules, today=day(0))
        assert found[row.pk] == expected.value, facts
    counts = count_states(user=photographer, site=site)
    assert sum(counts.values()) == len(people)
    assert all(counts.values()), counts
    for state, n in counts.items():
        assert due_list(user=photographer, site=site, filters=DueFilters(state=state)).count() == n


@pytest.mark.parametrize(
    ("status", "opened", "returned", "state"),
    [
        ("open", -42, None, RecallState.IN_PROGRESS),
        ("open", -43, None, RecallState.OVERDUE),
        ("returned", -60, -42, RecallState.IN_PROGRESS),
        ("returned", -60, -43, RecallState.OVERDUE),
        ("submitted", -60, None, RecallState.IN_PROGRESS),
        ("submitted", -60, -43, RecallState.IN_PROGRESS),
    ],
)
def test_an_exam_that_was_left_keeps_no_person_from_the_next_contact(
    site: Site, photographer: User, status: str, opened: int, returned: int | None, state: RecallState
) -> None:
    exam = ExamFactory(patient=PatientFactory(site=site, due_on=day(-70)), is_submitted=status == "submitted")
    moments = [None if n is None else timezone.now() + datetime.timedelta(days=n) for n in (opened, returned)]
    Exam.objects.update(status=status, created_at=moments[0], returned_at=moments[1])
    counts = count_states(user=photographer, site=exam.site)
    assert {one for one, n in counts.items() if n} == {state}


def test_the_longest_due_is_first_and_people_without_a_date_are_last(site: Site, photographer: User) -> None:
    for due in (5, None, -5, 0):
        PatientFactory(site=site, due_on=None if due is None else day(due))
    found = due_list(user=photographer, site=site, filters=DueFilters())
    assert [one.due_on for one in found] == [day(-5), day(0), day(5), None]


def test_filters_and_search(site: Site, other_site: Site, photographer: User) -> None:
    screened = PatientFactory(site=site, screened_on=day(-300), due_on=day(65), next_step_on=day(23), mrn="A1")
    new = PatientFactory(site=site, mrn="B1")
    PatientFactory(site=other_site)
    PatientFactory(site=site, merged_into=new)

    def found(text: str = "", **filters: object) -> list[Patient]:
        return list(
            due_list(user=photographer, site=site, filters=DueFilters(**filters), text=text)  # type: ignore[arg-type]
        )

    assert found() == [new, screened]
    assert found(is_never_screened=True) == [new]
    assert found(due_by=day(64)) == [new]
    assert found(due_by=day(65)) == [new, screened]
    assert found(step=NextStep.INVITE) == [new]
    assert found(state=RecallState.NOT_DUE) == [screened]
    assert found("a1") == [screened]


def test_a_person_is_left_out_while_the_user_reads_the_exam_that_a_colleague_signed(
    site: Site, reviewer: User, photographer: User
) -> None:
    review = ReviewFactory(exam=ExamFactory(patient__site=site, is_submitted=True), reviewer=photographer)
    filters = DueFilters()
    assert due_list(user=reviewer, site=site, filters=filters).exists()
    ReadingDraft.objects.create(exam=review.exam, reviewer=reviewer, updated_at=timezone.now())
    assert not due_list(user=reviewer, site=site, filters=filters).exists()
    assert sum(count_states(user=reviewer, site=site).values()) == 0
    assert due_list(user=photographer, site=site, filters=filters).exists()
