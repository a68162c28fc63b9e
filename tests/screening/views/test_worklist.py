"""The worklist page."""

from typing import Any

import pytest
from django.test import Client

from screening.models import Exam, Site
from tests.screening.factories import ExamFactory, FundusImageFactory, GradingFactory, MembershipFactory, PatientFactory
from tests.screening.views.pages import count_queries, page_text, url


def waiting_exam(site: Site, name: str, **grading: Any) -> Exam:
    exam = ExamFactory(patient=PatientFactory(site=site, family_name=name), is_submitted=True)
    for eye in ("OD", "OS"):
        GradingFactory(image=FundusImageFactory(exam=exam, laterality=eye), **grading)
    return exam


@pytest.fixture
def blind_site(site: Site) -> Site:
    Site.objects.filter(pk=site.pk).update(reading_mode=Site.ReadingMode.BLIND_FIRST)
    return site


def test_the_most_urgent_exam_is_first(site: Site, as_reviewer: Client) -> None:
    waiting_exam(site, "Calm", is_done=True, grade=0)
    waiting_exam(site, "Failing", is_failed=True)
    waiting_exam(site, "Grave", is_done=True, grade=4)
    waiting_exam(site, "Watch", is_done=True, grade=2)
    text = page_text(as_reviewer, "worklist")
    assert sorted(("Grave", "Watch", "Failing", "Calm"), key=text.index) == ["Grave", "Watch", "Failing", "Calm"]


def test_a_tab_filters_and_has_a_count(site: Site, as_reviewer: Client) -> None:
    waiting_exam(site, "Calm", is_done=True, grade=0)
    waiting_exam(site, "Grave", is_done=True, grade=4)
    response = as_reviewer.get(url("worklist"), {"show": "sight"})
    assert "Grave" in response.content.decode()
    assert "Calm" not in response.content.decode()
    assert {tab.name: n for tab, n in response.context["tabs"]} == {
        "all": 2, "sight": 1, "referable": 0, "ungraded": 0, "pending": 0, "limited": 0, "routine": 1,
    }  # fmt: skip


USABLE = {"is_done": True, "grade": 0, "quality_level": "usable", "quality_reasons": ["blurred"]}


def test_a_negative_of_limited_quality_is_labelled_and_read_before_clear_ones(site: Site, as_reviewer: Client) -> None:
    waiting_exam(site, "Calm", is_done=True, grade=0)
    waiting_exam(site, "Misty", **USABLE)
    text = page_text(as_reviewer, "worklist")
    assert text.index("Misty") < text.index("Calm")
    assert '<span class="chip is-unclear">Not referable, small lesions could be missed</span>' in text
    assert text.count('<span class="chip is-fine">Not referable</span>') == 1
    assert "Misty" not in page_text(as_reviewer, "worklist", show="routine")
    assert "Calm" not in page_text(as_reviewer, "worklist", show="limited")


def test_a_limited_negative_is_not_shown_on_a_blind_first_site(blind_site: Site, as_reviewer: Client) -> None:
    waiting_exam(blind_site, "Misty", **USABLE)
    text = page_text(as_reviewer, "worklist")
    assert "hidden until your first reading" in text
    assert "Not referable" not in text
    assert "lesions could be missed" not in text


def test_a_blind_first_site_hides_the_grades(blind_site: Site, as_reviewer: Client) -> None:
    waiting_exam(blind_site, "Grave", is_done=True, grade=4)
    waiting_exam(blind_site, "Failing", is_failed=True)
    text = page_text(as_reviewer, "worklist")
    assert "Grave" in text
    assert "hidden until your first reading" in text
    assert '<span class="chip is-unclear">Not gradable or failed</span>' in text
    assert [hidden for hidden in ("Sight-threatening", "Proliferative", "is-alarm") if hidden in text] == []


def test_a_photographer_of_a_blind_first_site_sees_no_grades_there(blind_site: Site, as_photographer: Client) -> None:
    waiting_exam(blind_site, "Grave", is_done=True, grade=4)
    text = page_text(as_photographer, "worklist", show="all")
    assert "Grave" in text
    assert not any(label in text for label in ("Sight-threatening", "eferable<", "show=routine"))


def test_a_blind_first_site_has_no_filter_by_grade(blind_site: Site, as_reviewer: Client) -> None:
    waiting_exam(blind_site, "Calm", is_done=True, grade=0)
    assert "Calm" in page_text(as_reviewer, "worklist", show="sight")


def test_a_photographer_sees_the_open_exams_first(site: Site, as_photographer: Client) -> None:
    ExamFactory(patient=PatientFactory(site=site, family_name="Seated"))
    waiting_exam(site, "Gone", is_done=True, grade=0)
    text = page_text(as_photographer, "worklist")
    assert "Seated" in text
    assert "Gone" not in text


def test_the_site_is_shown_to_members_of_several(
    site: Site, other_site: Site, as_reviewer: Client, reviewer: Any
) -> None:
    waiting_exam(site, "Calm", is_done=True, grade=0)
    assert site.name not in page_text(as_reviewer, "worklist")
    MembershipFactory(site=other_site, user=reviewer, role="reviewer")
    assert site.name in page_text(as_reviewer, "worklist")


@pytest.mark.parametrize(("page", "number"), [("1", 1), ("2", 2), ("99", 2), ("999999", 2)])
def test_a_page_after_the_last_is_the_last(
    page: str, number: int, site: Site, as_reviewer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("screening.views.worklist.PER_PAGE", 2)
    for _ in range(3):
        waiting_exam(site, "Calm", is_done=True, grade=0)
    assert as_reviewer.get(url("worklist"), {"page": page}).context["page"].number == number


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("page", "x", "the number of a page, from 1."),
        ("page", "", "the number of a page, from 1."),
        ("page", "0", "the number of a page, from 1."),
        ("page", "-1", "the number of a page, from 1."),
        ("page", "9" * 5000, "the number of a page, from 1."),
        ("page", "\N{SUPERSCRIPT TWO}", "the number of a page, from 1."),
        ("show", "sigth", "“sigth” is not a value of “show”. Choose one of: all, sight,"),
        ("show", "", "“” is not a value of “show”."),
        ("color", "sight", "This page has no parameter “color”."),
    ],
)
def test_a_wrong_parameter_is_named(as_reviewer: Client, name: str, value: str, sentence: str) -> None:
    response = as_reviewer.get(url("worklist"), {name: value})
    assert (response.status_code, sentence in response.content.decode()) == (400, True)
    response = as_reviewer.get(url("worklist"), {name: value}, headers={"Accept": "application/json"})
    assert (response.status_code, sentence in response.json()["message"]) == (400, True)


def test_a_long_worklist_takes_few_queries(site: Site, as_reviewer: Client) -> None:
    for number in range(12):
        waiting_exam(site, f"Person{number}", is_done=True, grade=number % 5)
    assert count_queries(as_reviewer, "worklist") <= 10
