"""Outcome tables of sites: storing versions, and whom they would affect."""

import datetime
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from screening.access import AccessDenied
from screening.models import AuditEvent, Exam, Site, SiteOutcomeTable, User
from screening.policy import GradingScale, OutcomeTable, default_table
from screening.policy import nhs_table as nhs_table_of
from screening.selectors.outcome_tables import outcome_table_in_force
from screening.services.outcome_tables import TableConflict, TableRefused, preview_table
from tests.screening.factories import (
    ExamFactory,
    MembershipFactory,
)
from tests.screening.outcome_tables import (
    ICDR,
    NOW,
    TODAY,
    Save,
    new_exam,
    saving,
    signed_result,
    with_months,
)


@pytest.fixture(autouse=True)
def _today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: NOW)


@pytest.fixture
def save(site: Site, manager: User) -> Save:
    return saving(site, manager)


def test_a_stored_table_is_what_was_stored(save: Save, site: Site, manager: User) -> None:
    row = save(with_months("grade_1", 6))
    row.refresh_from_db()
    assert row.table.rules == tuple(replace(rule, source="") for rule in with_months("grade_1", 6).rules)
    assert (row.number, row.table.pregnancy_months, row.table.negative_months) == (1, 3, None)
    event = AuditEvent.objects.get(verb="site.outcomes_changed")
    assert (event.actor, event.site) == (manager, site)
    assert event.data == {"scale": "icdr", "version": 1, "valid_from": "2026-11-27"}


def test_a_stored_table_is_never_changed(save: Save) -> None:
    row = save()
    for change in (lambda: SiteOutcomeTable.objects.update(number=7), row.delete):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            change()
    assert SiteOutcomeTable.objects.get().number == 1


@pytest.mark.parametrize(
    ("day", "number"),
    [("2026-11-27", 1), ("2026-12-31", 1), ("2027-01-01", 3), ("2027-05-01", 3)],
)
def test_a_version_counts_from_its_day_and_the_highest_of_a_day(save: Save, site: Site, day: str, number: int) -> None:
    save()
    save(nhs_table_of(ICDR), base_number=1, valid_from=datetime.date(2027, 1, 1))
    save(with_months("grade_1", 6), base_number=2, valid_from=datetime.date(2027, 1, 1))
    in_force = outcome_table_in_force(site, datetime.date.fromisoformat(day))
    assert in_force.stored is not None
    assert (in_force.stored.number, in_force.built_in_version) == (number, None)


def test_without_a_version_for_its_scale_a_site_uses_the_built_in_table(save: Save, site: Site) -> None:
    save(with_months("grade_1", 6))
    site.scale = GradingScale.SCOTLAND.value
    in_force = outcome_table_in_force(site)
    assert (in_force.stored, in_force.built_in_version) == (None, 2)
    assert in_force.table == default_table(GradingScale.SCOTLAND)


WITHOUT_UNTREATED = replace(
    default_table(ICDR),
    rules=tuple(replace(r, treatment="treated") if r.code == "grade_1" else r for r in default_table(ICDR).rules),
)
REMOVED = replace(default_table(ICDR), rules=default_table(ICDR).rules[1:])


@pytest.mark.parametrize(
    ("table", "changes", "message"),
    [
        (
            WITHOUT_UNTREATED,
            {},
            "no rule for: Mild non-proliferative; macular oedema: None; visual acuity 6/12 or worse; ",
        ),
        (
            REMOVED,
            {},
            "no rule for: No apparent retinopathy; macular oedema: None / No apparent retinopathy; macular oedema",
        ),
        (with_months("grade_2", 10), {}, "longer than the limit of 9 months for: Moderate non-proliferative"),
        (None, {"valid_from": TODAY - datetime.timedelta(days=1)}, "in the past"),
        (None, {"reason": "  "}, "Enter the reason"),
        (None, {"reason": "x" * 301}, "300"),
        (default_table(GradingScale.ENGLAND), {}, "another scale"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(
    save: Save, table: OutcomeTable | None, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(TableRefused, match=message):
        save(table, **changes)
    assert not SiteOutcomeTable.objects.exists()
    assert not AuditEvent.objects.filter(verb="site.outcomes_changed").exists()


def test_the_later_of_two_managers_sees_the_conflict_and_nothing_is_lost(save: Save, site: Site, manager: User) -> None:
    first = save(with_months("grade_1", 6))
    colleague = MembershipFactory(site=site, role="manager").user
    with pytest.raises(TableConflict, match="version 1") as caught:
        save(with_months("grade_0", 6), by=colleague)
    assert caught.value.newest == first
    assert SiteOutcomeTable.objects.get() == first
    assert save(with_months("grade_0", 6), base_number=1, by=colleague).number == 2


def test_a_version_stored_at_the_same_moment_is_a_conflict(
    save: Save, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, found = save(with_months("grade_1", 6)), iter([None])

    def newest(_site: Site) -> SiteOutcomeTable | None:
        return next(found, first)  # the first question comes before the colleague's row

    monkeypatch.setattr("screening.services.outcome_tables.newest_version", newest)
    with pytest.raises(TableConflict, match="version 1"):
        save(with_months("grade_0", 6), by=MembershipFactory(site=site, role="manager").user)
    assert SiteOutcomeTable.objects.get() == first


@pytest.mark.parametrize("number", [1, 10**30])
def test_a_change_of_a_version_that_does_not_exist_is_refused(save: Save, number: int) -> None:
    with pytest.raises(TableRefused, match="no version with this number"):
        save(base_number=number)
    assert not SiteOutcomeTable.objects.exists()


def test_the_same_form_sent_twice_is_stored_once(save: Save) -> None:
    assert save() == save()
    assert SiteOutcomeTable.objects.count() == 1
    with pytest.raises(TableRefused, match="Nothing differs"):
        save(base_number=1)


def test_only_a_manager_of_the_site_previews_and_stores(
    save: Save, site: Site, photographer: User, reviewer: User, outsider: User
) -> None:
    for user in (photographer, reviewer, outsider):
        with pytest.raises(AccessDenied):
            save(by=user)
        with pytest.raises(AccessDenied):
            preview_table(site=site, table=default_table(ICDR), valid_from=TODAY, by=user)


def test_a_preview_counts_people_and_shows_examples(site: Site, manager: User, save: Save) -> None:
    exams = [new_exam(site) for _ in range(4)]
    for exam, grade in zip(exams, (1, 1, 0, 2), strict=True):
        signed_result(exam, grade=grade)
    replaced = new_exam(site, patient=exams[2].patient)
    Exam.objects.filter(pk=replaced.pk).update(created_at=timezone.now() - datetime.timedelta(days=800))
    signed_result(replaced, grade=1)  # not the newest result of this person
    signed_result(new_exam(site), grade=1, scale="england")
    signed_result(ExamFactory(is_submitted=True), grade=1)  # another site
    preview = preview_table(site=site, table=with_months("grade_1", 6), valid_from=TODAY, by=manager)
    assert (preview.n_people, preview.n_not_compared, preview.n_affected, preview.n_kinds) == (4, 1, 2, 1)
    (change,) = preview.changes
    assert (change.before.recall_months, change.after.recall_months, change.n_people) == (12, 6, 2)
    assert {example.exam for example in change.examples} == set(exams[:2])
    assert {(example.due_before, example.due_after) for example in change.examples} == {
        (datetime.date(2027, 11, 27), datetime.date(2027, 5, 27))
    }
    assert not SiteOutcomeTable.objects.exists()
    event = AuditEvent.objects.get(verb="site.outcomes_previewed")
    assert event.data == {"scale": "icdr", "valid_from": "2026-11-27", "n_affected": 2}
    viewed = AuditEvent.objects.filter(verb="exam.viewed", actor=manager)
    assert set(viewed.values_list("object_id", flat=True)) == {str(exam.pk) for exam in exams[:2]}


def test_a_preview_compares_with_the_table_of_its_day(site: Site, manager: User, save: Save) -> None:
    signed_result(new_exam(site), grade=1)
    later = datetime.date(2027, 1, 1)
    save(with_months("grade_1", 6), valid_from=later)
    for day, n_affected in ((TODAY, 1), (later, 0)):
        preview = preview_table(site=site, table=with_months("grade_1", 6), valid_from=day, by=manager)
        assert preview.n_affected == n_affected


@pytest.mark.parametrize("n_people", [2, 6])
def test_a_preview_needs_a_constant_number_of_queries(
    site: Site, manager: User, django_assert_max_num_queries: Callable[[int], Any], n_people: int
) -> None:
    for _ in range(n_people):
        signed_result(new_exam(site), grade=0)
    with django_assert_max_num_queries(17):  # three of them are events of the examples
        assert preview_table(site=site, table=nhs_table_of(ICDR), valid_from=TODAY, by=manager).n_affected == 0
    with django_assert_max_num_queries(17):
        preview = preview_table(site=site, table=with_months("grade_0", 6), valid_from=TODAY, by=manager)
    assert preview.n_affected == n_people
