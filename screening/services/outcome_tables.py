"""Outcome tables of sites: whom another table would affect, and storing a new version."""

import datetime
import uuid
from collections import defaultdict
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from ml.vocabulary import Laterality
from screening.access import Action, require
from screening.labels.limits import too_long
from screening.labels.outcome_tables import problem_texts
from screening.models import AuditEvent, Exam, Site, SiteOutcomeTable, User
from screening.models.base import max_length
from screening.models.outcome_tables import stored_rules
from screening.policy import Decision, NoRuleApplies, OutcomeTable, add_months, decide_outcome
from screening.policy.outcome_limits import find_problems
from screening.selectors.images import photographed_days
from screening.selectors.outcome_facts import SignedResult, newest_results
from screening.selectors.outcome_tables import newest_version, outcome_table_in_force
from screening.services.audit import record_event

MAX_CHANGES, MAX_EXAMPLES = 20, 3
_Change = tuple[uuid.UUID, Decision, Decision]


class TableRefused(ValueError):
    """The table cannot be stored. ``messages`` are for the user."""

    def __init__(self, *messages: str) -> None:
        super().__init__(" ".join(messages))
        self.messages = messages


class TableConflict(TableRefused):
    """Another version was stored since the editor opened the page. ``newest`` is that one."""

    def __init__(self, newest: SiteOutcomeTable) -> None:
        self.newest = newest
        message = _(
            "%(user)s stored version %(number)d while you were editing. Your entries are still here. Compare them with "
            "that version, then preview and save again."
        )
        super().__init__(message % {"user": newest.created_by, "number": newest.number})


@dataclass(frozen=True, slots=True)
class ExampleExam:
    """An exam whose result would change, with the date of the next screening by both tables."""

    exam: Exam
    due_before: datetime.date | None
    due_after: datetime.date | None


@dataclass(frozen=True, slots=True)
class OutcomeChange:
    """People whose newest result would become ``after`` in place of ``before``, with some of their exams."""

    before: Decision
    after: Decision
    n_people: int
    examples: tuple[ExampleExam, ...]


@dataclass(frozen=True, slots=True)
class TablePreview:
    """Whom a table would affect if the newest result of each person were signed by it.

    ``n_people`` have a result in the scale of the table, ``n_not_compared`` one in another scale. ``changes`` are the
    most frequent ones; ``n_kinds`` is the number of all.
    """

    n_people: int
    n_not_compared: int
    n_affected: int
    n_kinds: int
    changes: tuple[OutcomeChange, ...]


def preview_table(*, site: Site, table: OutcomeTable, valid_from: datetime.date, by: User) -> TablePreview:
    """Whom ``table`` would affect, compared with the table that is in force on ``valid_from``. Nothing is stored.

    Raises TableRefused, AccessDenied.
    """
    require(by, Action.MANAGE_SITE, site)
    _require_valid(site, table, valid_from)
    before = outcome_table_in_force(site, valid_from).table
    results = newest_results(user=by, site=site)
    n_compared, found = _compare(results, before, table)
    kinds = sorted(found.values(), key=len, reverse=True)
    preview = TablePreview(
        n_people=n_compared,
        n_not_compared=len(results) - n_compared,
        n_affected=sum(map(len, kinds)),
        n_kinds=len(kinds),
        changes=_with_examples(kinds[:MAX_CHANGES]),
    )
    data = {"scale": table.scale.value, "valid_from": valid_from.isoformat(), "n_affected": preview.n_affected}
    record_event(verb=AuditEvent.Verb.OUTCOMES_PREVIEWED, subject=site, site=site, data=data, by=by)
    for change in preview.changes:
        for example in change.examples:
            record_event(verb=AuditEvent.Verb.EXAM_VIEWED, subject=example.exam, site=site, by=by)
    return preview


def _compare(
    results: list[SignedResult], before: OutcomeTable, after: OutcomeTable
) -> tuple[int, dict[tuple[object, ...], list[_Change]]]:
    """The number of results that were compared, and those that change, by the kind of change."""
    n_compared = 0
    found: dict[tuple[object, ...], list[_Change]] = defaultdict(list)
    decided: dict[tuple[object, ...], list[Decision | None]] = {}  # many people have the same facts
    for result in results:
        facts = (result.scale, *result.eyes.items(), result.patient)
        if facts not in decided:
            decided[facts] = [_decision(result, table) for table in (before, after)]
        old, new = decided[facts]
        if old is None or new is None:
            continue
        n_compared += 1
        if _values(old) != _values(new):
            found[_values(old), _values(new)].append((result.exam_id, old, new))
    return n_compared, found


def _decision(result: SignedResult, table: OutcomeTable) -> Decision | None:
    """None for a result in another scale or without both eyes, or with a finding for which the table has no rule."""
    if result.scale != table.scale:
        return None
    try:
        right, left = (result.eyes[eye] for eye in Laterality)
        return decide_outcome(right, left, table=table, patient=result.patient)
    except (KeyError, NoRuleApplies):
        return None


def _values(decision: Decision) -> tuple[object, ...]:
    return decision.outcome, decision.urgency, decision.recall_months


def _with_examples(kinds: list[list[_Change]]) -> tuple[OutcomeChange, ...]:
    ids = [exam_id for kind in kinds for exam_id, *_decisions in kind[:MAX_EXAMPLES]]
    exams = Exam.objects.select_related("site", "patient").in_bulk(ids)
    days = photographed_days(exams.values())
    return tuple(
        OutcomeChange(
            before=kind[0][1],
            after=kind[0][2],
            n_people=len(kind),
            examples=tuple(
                ExampleExam(exams[pk], _due_on(days[pk], old), _due_on(days[pk], new))
                for pk, old, new in kind[:MAX_EXAMPLES]
            ),
        )
        for kind in kinds
    )


def _due_on(day: datetime.date, decision: Decision) -> datetime.date | None:
    return None if decision.recall_months is None else add_months(day, decision.recall_months)


@transaction.atomic
def save_table(
    *, site: Site, table: OutcomeTable, valid_from: datetime.date, reason: str, base_number: int, by: User
) -> SiteOutcomeTable:
    """Store a new version, in force from ``valid_from`` on. Signed results keep theirs.

    ``base_number``: the newest version when the editor opened the page, 0 if there was none. The same form sent twice
    is stored once. Raises TableConflict, TableRefused, AccessDenied.
    """
    locked = Site.objects.select_for_update().get(pk=site.pk)
    require(by, Action.MANAGE_SITE, locked)
    row = SiteOutcomeTable(
        site=locked,
        scale=table.scale.value,
        number=base_number + 1,
        valid_from=valid_from,
        rules=stored_rules(table),
        negative_months=table.negative_months,
        pregnancy_months=table.pregnancy_months,
        reason=reason.strip(),
        created_by=by,
    )
    newest = newest_version(locked)
    if newest is None and base_number != 0:
        raise TableRefused(_("The site has no version with this number. Reload the page, then enter the change again."))
    if newest is not None and newest.number != base_number:
        if newest.number == row.number and _is_same_form(newest, row):
            return newest
        raise TableConflict(newest)
    _require_reason(row.reason)
    _require_valid(locked, table, valid_from)
    _require_change(newest, row)
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:  # SQLite has no lock on the site: another request stored this number a moment ago
        stored = newest_version(locked)
        if stored is None:
            raise
        raise TableConflict(stored) from None
    data: dict[str, str | float | bool | None] = {
        "scale": row.scale,
        "version": row.number,
        "valid_from": valid_from.isoformat(),
    }
    record_event(verb=AuditEvent.Verb.OUTCOMES_CHANGED, subject=row, site=locked, data=data, by=by)
    return row


def _is_same_form(one: SiteOutcomeTable, other: SiteOutcomeTable) -> bool:
    return _content(one) == _content(other) and (one.reason, one.created_by_id) == (other.reason, other.created_by_id)


def _content(row: SiteOutcomeTable) -> tuple[object, ...]:
    return row.valid_from, row.rules, row.negative_months, row.pregnancy_months


def _require_change(newest: SiteOutcomeTable | None, row: SiteOutcomeTable) -> None:
    if newest is not None and _content(newest) == _content(row):
        raise TableRefused(_("Nothing differs from version %(number)d.") % {"number": newest.number})


def _require_reason(reason: str) -> None:
    if not reason:
        raise TableRefused(_("Enter the reason for the change."))
    limit = max_length(SiteOutcomeTable, "reason")
    if len(reason) > limit:
        raise TableRefused(too_long(limit))


def _require_valid(site: Site, table: OutcomeTable, valid_from: datetime.date) -> None:
    if table.scale != site.scale:
        raise TableRefused(_("The site grades in another scale now. Reload the page."))
    problems = find_problems(table)
    if problems:
        raise TableRefused(*problem_texts(table.scale, problems))
    if valid_from < timezone.localdate(timezone=site.zone):
        raise TableRefused(_("“Valid from” is a day in the past. Choose today or a later day."))
