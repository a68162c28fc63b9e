"""The pages of outcome tables."""

import re

import pytest
from django.test import Client
from django.utils import timezone

from ml.vocabulary import Laterality
from screening.models import AuditEvent, Exam, Site, SiteOutcomeTable, User
from screening.policy import GradingScale, default_table, nhs_table
from screening.services.outcome_tables import save_table
from tests.screening.factories import (
    ExamFactory,
    EyeFindingFactory,
    MembershipFactory,
    PatientFactory,
    ReviewFactory,
    SiteFactory,
)
from tests.screening.views.pages import count_queries, page_text, text_of, url

ICDR = GradingScale.ICDR
N_RULES = len(default_table(ICDR).rules)


def sent_form(client: Client, site: Site, **changes: str) -> dict[str, str]:
    """The fields of the page of changes, as a browser sends them."""
    text = page_text(client, "site-outcomes-edit", site.pk)
    fields = {
        name: value
        for name, value in re.findall(r'<input [^>]*name="([\w-]+)"[^>]*value="([^"]*)"', text)
        if name != "csrfmiddlewaretoken"
    }
    for name, options in re.findall(r'<select name="([\w-]+)"[^>]*>(.*?)</select>', text, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', options)
        fields[name] = chosen[1] if chosen else ""
    return fields | {"reason": "Local agreement", "action": "preview"} | changes


def add_result(site: Site, grade: int) -> Exam:
    exam: Exam = ExamFactory(patient=PatientFactory(site=site), is_submitted=True)
    Exam.objects.filter(pk=exam.pk).update(status=Exam.Status.SIGNED)
    review = ReviewFactory(exam=exam)
    for eye in Laterality:
        EyeFindingFactory(review=review, laterality=eye, grade=grade)
    return exam


def test_the_rules_are_shown_in_words_with_their_sources(as_manager: Client, site: Site) -> None:
    text = page_text(as_manager, "site-outcomes", site.pk)
    assert "Moderate non-proliferative" in text
    assert "Refer to a specialist, within 3 to 6 months; next screening after 6 months" in text
    assert "ADA position statement 2017 (Solomon et al., Diabetes Care), table 4" in text
    assert "The worse eye decides." in text
    assert "immediate within 4 hours after the hand-over" in " ".join(text.split())


def test_a_changed_rule_is_shown_beside_its_default(as_manager: Client, site: Site) -> None:
    as_manager.post(
        url("site-outcomes-edit", site.pk), sent_form(as_manager, site, action="save", **{"rules-1-months": "6"})
    )
    text = page_text(as_manager, "site-outcomes", site.pk)
    assert "Screen again at the recall date; next screening after 6 months" in text
    assert "Default: Screen again at the recall date; next screening after 12 months" in " ".join(text.split())
    assert "Local agreement" in text


def test_a_preview_stores_nothing_and_shows_who_is_affected(as_manager: Client, site: Site) -> None:
    exam = add_result(site, 1)
    response = as_manager.post(
        url("site-outcomes-edit", site.pk), sent_form(as_manager, site, **{"rules-1-months": "6"})
    )
    text = " ".join(text_of(response).split())
    assert response.status_code == 200
    assert "1 of 1 people would get another outcome, urgency or interval" in text
    assert url("exam-detail", exam.pk) in text
    assert exam.patient.mrn in text
    assert 'name="action" value="save"' in text
    assert not SiteOutcomeTable.objects.exists()
    assert AuditEvent.objects.filter(verb="site.outcomes_previewed", data__n_affected=1).exists()


def test_a_table_without_a_rule_for_a_combination_is_refused_with_it(as_manager: Client, site: Site) -> None:
    for action in ("preview", "save"):
        form = sent_form(as_manager, site, action=action, **{"rules-1-DELETE": "on", "rules-2-months": "5"})
        response = as_manager.post(url("site-outcomes-edit", site.pk), form)
        assert response.status_code == 422
        assert "There is no rule for: Mild non-proliferative; macular oedema: None" in text_of(response)
        assert 'name="rules-2-months" value="5"' in text_of(response)
    assert not SiteOutcomeTable.objects.exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("rules-0-months", ""),
        ("rules-0-months", "x"),
        ("rules-0-months", "0"),
        ("rules-0-outcome", "repeat_imaging"),
        ("rules-0-grade", "scale_R0"),
        ("valid_from", "yesterday"),
        ("valid_from", "2020-01-01"),
        ("reason", " "),
        ("negative_months", "25"),
        ("pregnancy_months", "4"),
        ("base", "x"),
        ("rules-TOTAL_FORMS", "100"),
        ("rules-TOTAL_FORMS", "x"),
    ],
)
def test_entries_that_cannot_be_used_are_refused_and_kept(
    as_manager: Client, site: Site, field: str, value: str
) -> None:
    form = sent_form(as_manager, site, **{"rules-4-months": "2", "action": "save", field: value})
    response = as_manager.post(url("site-outcomes-edit", site.pk), form)
    assert response.status_code == 422
    assert "Not saved" in text_of(response)
    if field != "rules-TOTAL_FORMS":
        assert 'name="rules-4-months" value="2"' in text_of(response)
    assert not SiteOutcomeTable.objects.exists()


def test_a_rule_is_added_and_the_entries_stay(as_manager: Client, site: Site) -> None:
    form = sent_form(as_manager, site, action="add", **{"rules-1-months": "6"})
    text = text_of(as_manager.post(url("site-outcomes-edit", site.pk), form))
    assert f'name="rules-{N_RULES}-outcome"' in text
    assert 'name="rules-1-months" value="6"' in text


def test_two_managers_edit_at_once_and_the_later_one_sees_the_conflict(as_manager: Client, site: Site) -> None:
    mine = sent_form(as_manager, site, action="save", **{"rules-1-months": "6"})
    colleague = MembershipFactory(site=site, role="manager").user
    save_table(
        site=site, table=nhs_table(ICDR), valid_from=timezone.localdate(), reason="NHS", base_number=0, by=colleague
    )
    response = as_manager.post(url("site-outcomes-edit", site.pk), mine)
    text = " ".join(text_of(response).split())
    assert response.status_code == 409
    assert f"{colleague} stored version 1 while you were editing" in text
    assert "next screening after 24 months" in text  # what the colleague stored
    assert 'name="rules-1-months" value="6"' in text  # what was entered
    assert SiteOutcomeTable.objects.count() == 1
    again = mine | {"base": str(re.findall(r'name="base" value="(\d+)"', text)[0])}
    assert as_manager.post(url("site-outcomes-edit", site.pk), again).status_code == 302
    assert [row.number for row in SiteOutcomeTable.objects.order_by("number")] == [1, 2]


@pytest.mark.parametrize(("start", "months"), [("default", ""), ("nhs", "24"), ("in-force", "18")])
def test_the_page_begins_with_the_rules_in_force_or_with_a_default(
    as_manager: Client, site: Site, manager: User, start: str, months: str
) -> None:
    form = sent_form(as_manager, site, action="save", negative_months="18")
    as_manager.post(url("site-outcomes-edit", site.pk), form)
    text = page_text(as_manager, "site-outcomes-edit", site.pk, start=start)
    found = re.findall(r'name="negative_months"(?: value="(\d+)")?', text)
    assert found == [months]


def test_a_version_has_its_page(as_manager: Client, site: Site) -> None:
    as_manager.post(
        url("site-outcomes-edit", site.pk), sent_form(as_manager, site, action="save", pregnancy_months="2")
    )
    assert "at most 2 months" in page_text(as_manager, "site-outcome-table", site.pk, "icdr", 1)
    assert "as without pregnancy" in page_text(
        as_manager, "site-outcome-table", site.pk, "icdr", 0, **{"built-in": "1"}
    )
    for scale, number in (("icdr", 2), ("england", 1), ("feet", 0)):
        assert as_manager.get(url("site-outcome-table", site.pk, scale, number)).status_code == 404


def test_a_signed_review_names_table_and_rules(as_reviewer: Client, site: Site) -> None:
    exam = add_result(site, 2)
    exam.reviews.update(built_in_version=1, outcome_rules=["left_grade_2"])
    text = page_text(as_reviewer, "exam-detail", exam.pk)
    assert f"{url('site-outcome-table', site.pk, 'icdr', 0)}?built-in=1" in text
    assert "built-in rules, version 1" in text
    assert "Left eye: Moderate non-proliferative" in text


def test_a_user_of_several_sites_chooses_one(as_manager: Client, manager: User, site: Site) -> None:
    assert as_manager.get(url("outcomes"))["Location"] == url("site-outcomes", site.pk)
    other = MembershipFactory(user=manager, site=SiteFactory(name="Hill"), role="reviewer").site
    text = page_text(as_manager, "outcomes")
    assert url("site-outcomes", other.pk) in text
    assert as_manager.get(url("site-outcomes-edit", other.pk)).status_code == 403


def test_the_versions_are_in_pages_and_need_a_constant_number_of_queries(
    as_manager: Client, manager: User, site: Site
) -> None:
    def add_versions(first: int, last: int) -> None:
        for number in range(first, last + 1):
            SiteOutcomeTable.objects.create(
                site=site,
                scale="icdr",
                number=number,
                valid_from="2026-01-01",
                rules=[],
                reason="x",
                created_by=manager,
            )

    add_versions(1, 1)
    SiteOutcomeTable.objects.create(
        site=site, scale="icdr", number=99, valid_from="2026-02-01", rules=[], reason="x", created_by=manager
    )
    n_queries = count_queries(as_manager, "site-outcomes", site.pk)
    add_versions(2, 14)
    assert count_queries(as_manager, "site-outcomes", site.pk) == n_queries <= 12
    first = page_text(as_manager, "site-outcomes", site.pk)
    assert "Page 1 of 2" in " ".join(first.split())
    assert as_manager.get(url("site-outcomes", site.pk), {"show": "x"}).status_code == 400


def test_a_reader_sees_the_rules_and_no_button(as_reviewer: Client, site: Site) -> None:
    assert url("site-outcomes-edit", site.pk) not in page_text(as_reviewer, "site-outcomes", site.pk)
