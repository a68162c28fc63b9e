"""Random lives of a repeat, through the services: nothing in them changes what was signed."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from screening.models import (
    Exam,
    EyeFinding,
    FirstReading,
    LesionMark,
    Reading,
    Referral,
    Repeat,
    Review,
    Site,
    User,
    VisualAcuity,
)
from screening.selectors.worklist import ALL
from screening.services.exam_locks import NoFreeExam
from screening.services.hand_overs import review_in_force
from screening.services.repeats import (
    drop_ended_repeats,
    give_up_repeat,
    next_repeat,
    open_repeat_in_advance,
    store_repeat,
    take_next,
)
from screening.services.reviews import ReviewError
from tests.screening.protocols import found
from tests.screening.repeats import Clock, blind_site, exam_before_a_repeat, signed_exam
from tests.screening.services.test_repeats import amend, photograph_again, retract, view

STEPS: dict[str, Callable[[Exam, User], object]] = {
    "load in advance": lambda _exam, by: next_repeat(filters=ALL, by=by),
    "next exam": lambda _exam, by: take_next(filters=ALL, by=by),
    "open in advance": lambda exam, by: open_repeat_in_advance(exam=exam, by=by),
    "read": lambda exam, by: store_repeat(exam=exam, findings=found(1, 0), by=by),
    "give up": lambda exam, by: give_up_repeat(exam=exam, by=by),
    "nightly task": lambda _exam, _by: drop_ended_repeats(),
}
ENDS: dict[str, Callable[[Exam, User], object]] = {
    "amend": lambda exam, by: amend(exam, by) if review_in_force(exam) else None,
    "retract": lambda exam, by: retract(exam, by) if review_in_force(exam) else None,
    "later exam": photograph_again,
    "look": view,
}
FOLLOWING = {"waiting": {"waiting", "taken", "dropped"}, "taken": {"taken", "done", "dropped"}}
"""The states that can follow each; *done* and *dropped* are final."""
RESULT: tuple[Any, ...] = (Review, EyeFinding, LesionMark)
REST: tuple[Any, ...] = (Exam, FirstReading, Referral, VisualAcuity)


@pytest.fixture
def exam(site: Site, reviewer: User, monkeypatch: pytest.MonkeyPatch) -> Exam:
    """Signed nine weeks ago as grade 2 and 0; the next free exam is one before which its repeat may come."""
    clock = Clock(monkeypatch)
    exam = signed_exam(blind_site(site), reviewer, found(2, 0))
    clock.move(weeks=9)
    exam_before_a_repeat(site)
    return exam


def rows_of(tables: tuple[Any, ...]) -> dict[Any, dict[str, Any]]:
    return {row["id"]: row for table in tables for row in table.objects.values()}


def take_step(name: str, exam: Exam, by: User) -> None:
    with suppress(ReviewError, NoFreeExam), transaction.atomic():
        (STEPS | ENDS)[name](exam, by)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.lists(st.sampled_from([*STEPS, *ENDS]), min_size=1, max_size=7))
@example(names=["load in advance", "open in advance", "read", "amend", "read"])
@example(names=["next exam", "look", "read", "nightly task", "read"])
@example(names=["next exam", "later exam", "read", "next exam", "nightly task"])
@example(names=["load in advance", "retract", "open in advance", "next exam", "read"])
@example(names=["open in advance", "give up", "next exam", "read"])
def test_a_signed_result_never_changes(names: list[str], exam: Exam, reviewer: User) -> None:
    with transaction.atomic():
        state, is_ended = "waiting", False
        for name in names:
            exam.refresh_from_db()
            result, rest = rows_of(RESULT), rows_of(REST)
            take_step(name, exam, reviewer)
            now, signed = Repeat.objects.get(), rows_of(RESULT)
            assert {pk: signed.get(pk) for pk in result} == result, f"{name} changed a result"
            assert name in ENDS or (signed, rows_of(REST)) == (result, rest), f"{name} stored more than a repeat"
            assert now.state in FOLLOWING.get(state, {state}), name
            assert not (is_ended and now.state == "done" != state), "it was read though it had ended"
            assert Reading.objects.filter(stage="repeat").count() == (now.state == "done")
            state, is_ended = now.state, is_ended or name in ENDS
        transaction.set_rollback(True)
