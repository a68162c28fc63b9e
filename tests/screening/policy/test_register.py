"""Rules of the register: reasons, days, and which status counts."""

import datetime
from itertools import product

import pytest

from screening.labels.register import PROBLEM_FIELDS, PROBLEM_LABELS, REASON_LABELS, STATUS_LABELS
from screening.policy.register import (
    LIMITED_STATUSES,
    REASONS,
    EntryProblem,
    RegisterReason,
    RegisterStatus,
    entry_problem,
    status_on,
)

TODAY = datetime.date(2026, 11, 27)
TOMORROW, YESTERDAY = TODAY + datetime.timedelta(days=1), TODAY - datetime.timedelta(days=1)
S, R = RegisterStatus, RegisterReason


def problem(
    status: RegisterStatus, reason: RegisterReason, until_on: datetime.date | None = None, **changes: object
) -> EntryProblem | None:
    values: dict[str, object] = {"note": "", "from_on": TODAY, "today": TODAY, "until_on": until_on, **changes}
    return entry_problem(status=status, reason=reason, **values)  # type: ignore[arg-type]  # a table of tests


@pytest.mark.parametrize(("status", "reason"), list(product(S, R)))
def test_a_reason_belongs_to_the_statuses_of_the_table(status: RegisterStatus, reason: RegisterReason) -> None:
    until_on = TOMORROW if status in LIMITED_STATUSES else None
    is_refused = problem(status, reason, until_on, note="as agreed") is not None
    assert is_refused is (reason not in REASONS[status])


@pytest.mark.parametrize(
    ("status", "reason", "changes", "expected"),
    [
        (S.SUSPENDED, R.OTHER, {"until_on": TOMORROW}, EntryProblem.NOTE),
        (S.SUSPENDED, R.OTHER, {"until_on": TOMORROW, "note": "on a journey"}, None),
        (S.SUSPENDED, R.HOSPITAL_EYE_SERVICE, {}, EntryProblem.UNTIL_MISSING),
        (S.OPTED_OUT, R.OWN_DECISION, {}, EntryProblem.UNTIL_MISSING),
        (S.OPTED_OUT, R.OWN_DECISION, {"until_on": YESTERDAY}, EntryProblem.UNTIL_PAST),
        (S.OPTED_OUT, R.OWN_DECISION, {"until_on": TODAY}, None),
        (S.OPTED_OUT, R.OWN_DECISION, {"until_on": datetime.date(2029, 11, 27)}, None),
        (S.OPTED_OUT, R.OWN_DECISION, {"until_on": datetime.date(2030, 1, 1)}, EntryProblem.UNTIL_FAR),
        (S.EXCLUDED, R.NO_LIGHT_PERCEPTION, {"until_on": TOMORROW}, EntryProblem.UNTIL_SURPLUS),
        (S.DECEASED, R.DIED, {"from_on": TOMORROW}, EntryProblem.FROM_FUTURE),
        (S.DECEASED, R.DIED, {"from_on": YESTERDAY}, None),
        (S.ELIGIBLE, R.PERIOD_ENDED, {}, EntryProblem.REASON),  # only the system records it
    ],
)
def test_days_and_notes_are_checked(
    status: RegisterStatus, reason: RegisterReason, changes: dict[str, object], expected: EntryProblem | None
) -> None:
    assert problem(status, reason, **changes) is expected  # type: ignore[arg-type]  # a table of tests


def test_a_limited_status_ends_after_its_last_day() -> None:
    assert status_on(S.OPTED_OUT, TODAY, TODAY) is S.OPTED_OUT
    assert status_on(S.OPTED_OUT, TODAY, TOMORROW) is S.ELIGIBLE
    assert status_on(S.EXCLUDED, None, TOMORROW) is S.EXCLUDED


def test_every_code_has_a_text() -> None:
    assert set(STATUS_LABELS) == set(S) == set(REASONS)
    assert set(REASON_LABELS) == set(R)
    assert set(PROBLEM_LABELS) == set(PROBLEM_FIELDS) == set(EntryProblem)
