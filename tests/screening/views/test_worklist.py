"""The worklist page."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from screening.models import Exam, ExamLock, Site, User
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


def test_a_filter_by_result_has_the_number_of_exams(site: Site, as_reviewer: Client) -> None:
    waiting_exam(site, "Calm", is_done=True, grade=0)
    waiting_exam(site, "Grave", is_done=True, grade=4)
    response = as_reviewer.get(url("worklist"), {"model": "sight"})
    assert "Grave" in response.content.decode()
    assert "Calm" not in response.content.decode()
    labels = [str(label) for _value, label in response.context["form"].fields["model"].choices]
    assert labels == [
        "All",
        "Sight-threatening (1)",
        "Referable (0)",
        "Not referable, small lesions could be missed (0)",
        "Not referable (1)",
    ]
    assert [(tab.n, tab.is_chosen) for tab in response.context["tabs"]] == [(2, True), (0, False), (0, False)]


USABLE = {"is_done": True, "grade": 0, "quality_level": "usable", "quality_reasons": ["blurred"]}


def test_a_negative_of_limited_quality_is_labelled_and_read_before_clear_ones(site: Site, as_reviewer: Client) -> None:
    waiting_exam(site, "Calm", is_done=True, grade=0)
    waiting_exam(site, "Misty", **USABLE)
    text = page_text(as_reviewer, "worklist")
    assert text.index("Misty") < text.index("Calm")
    assert '<span class="chip is-unclear">Not referable, small lesions could be missed</span>' in text
    assert text.count('<span class="chip is-fine">Not referable</span>') == 1
    assert "Misty" not in page_text(as_reviewer, "worklist", model="routine")
    assert "Calm" not in page_text(as_reviewer, "worklist", model="limited")


def test_a_limited_negative_is_not_shown_on_a_blind_first_site(blind_site: Site, as_reviewer: Client) -> None:
    waiting_exam(blind_site, "Misty", **USABLE)
    text = page_text(as_reviewer, "worklist")
    assert "hidden until you have saved your first reading" in text
    assert "Usable with limits" in text
    assert "Not referable" not in text
    assert "lesions could be missed" not in text


def test_a_blind_first_site_hides_the_grades(blind_site: Site, as_reviewer: Client) -> None:
    waiting_exam(blind_site, "Grave", is_done=True, grade=4)
    waiting_exam(blind_site, "Failing", is_failed=True)
    text = page_text(as_reviewer, "worklist")
    assert "Grave" in text
    assert "hidden until you have saved your first reading" in text
    assert '<span class="chip is-unclear">Not gradable or failed</span>' in text
    assert [hidden for hidden in ("Sight-threatening", "Proliferative", "is-alarm") if hidden in text] == []


def test_a_photographer_of_a_blind_first_site_sees_no_grades_there(blind_site: Site, as_photographer: Client) -> None:
    waiting_exam(blind_site, "Grave", is_done=True, grade=4)
    text = page_text(as_photographer, "worklist", state="waiting")
    assert "Grave" in text
    assert not any(label in text for label in ("Sight-threatening", "eferable<", 'name="model"'))


def test_a_blind_first_site_has_no_filter_by_grade(blind_site: Site, as_reviewer: Client) -> None:
    waiting_exam(blind_site, "Calm", is_done=True, grade=0)
    text = page_text(as_reviewer, "worklist", model="sight")
    assert "Calm" in text
    assert "so this filter is not applied" in text
    assert 'name="model"' not in text


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
        ("page", "1000000", "the number of a page, from 1."),
        ("model", "sigth", "“sigth” is not a value of “model”. Choose one of: all, sight,"),
        ("state", "", "“” is not a value of “state”."),
        ("sort", "grade", "“grade” is not a value of “sort”."),
        ("site", "hill", "“hill” is not a value of “site”. Choose one of: all, harbour."),
        ("color", "sight", "This page has no parameter “color”."),
    ],
)
def test_a_wrong_parameter_is_named(as_reviewer: Client, name: str, value: str, sentence: str) -> None:
    response = as_reviewer.get(url("worklist"), {name: value})
    assert (response.status_code, sentence in response.content.decode()) == (400, True)
    response = as_reviewer.get(url("worklist"), {name: value}, headers={"Accept": "application/json"})
    assert (response.status_code, sentence in response.json()["message"]) == (400, True)


N_QUERIES = 9


def test_the_number_of_queries_does_not_depend_on_the_number_of_exams(
    site: Site, as_reviewer: Client, manager: User
) -> None:
    now = timezone.now()
    for number in range(6):
        exam = waiting_exam(site, f"Person{number}", is_done=True, grade=number % 5)
        times = {"taken_at": now, "active_at": now, "expires_at": now + timedelta(minutes=30)}
        ExamLock.objects.create(exam=exam, holder=manager, **times)
        if number in {0, 5}:
            assert count_queries(as_reviewer, "worklist") == N_QUERIES


def test_the_height_of_the_rows_is_remembered_for_one_user(site: Site, as_reviewer: Client) -> None:
    assert 'class="worklist is-dense"' in page_text(as_reviewer, "worklist")
    assert as_reviewer.post(url("worklist-layout"), {}).status_code == 204
    assert 'class="worklist"' in page_text(as_reviewer, "worklist")
    colleague = Client()
    colleague.force_login(MembershipFactory(site=site, role="reviewer").user)
    assert 'class="worklist is-dense"' in page_text(colleague, "worklist")
    assert as_reviewer.post(url("worklist-layout"), {"is_dense": "on"}).status_code == 204
    assert 'class="worklist is-dense"' in page_text(as_reviewer, "worklist")


@pytest.mark.parametrize(
    ("sort", "sentence"),
    [
        ("band", "Most urgent first"),
        ("due", "The earliest due first."),
        ("waiting", "Waiting for the longest time first."),
        ("patient", "By name of the patient."),
    ],
)
def test_the_page_states_the_order(sort: str, sentence: str, site: Site, as_reviewer: Client) -> None:
    waiting_exam(site, "Calm", is_done=True, grade=0)
    text = page_text(as_reviewer, "worklist", sort=sort)
    assert sentence in text
    assert text.count("aria-sort=") == (sort != "band")
