"""The worklist page."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from screening.models import Exam, Site, User
from tests.screening.factories import ExamFactory, FundusImageFactory, GradingFactory, PatientFactory

ADDRESS = reverse("screening:worklist")


def waiting_exam(site: Site, name: str, **grading: Any) -> Exam:
    exam = ExamFactory(patient=PatientFactory(site=site, family_name=name), is_submitted=True)
    for eye in ("OD", "OS"):
        GradingFactory(image=FundusImageFactory(exam=exam, laterality=eye), **grading)
    return exam


def test_the_most_urgent_exam_comes_first(site: Site, reviewer: User, client: Client) -> None:
    waiting_exam(site, "Calm", is_done=True, grade=0)
    waiting_exam(site, "Failing", is_failed=True)
    waiting_exam(site, "Grave", is_done=True, grade=4)
    waiting_exam(site, "Watch", is_done=True, grade=2)
    client.force_login(reviewer)
    text = client.get(ADDRESS).content.decode()
    assert sorted(("Grave", "Watch", "Failing", "Calm"), key=text.index) == ["Grave", "Watch", "Failing", "Calm"]


def test_a_filter_shows_its_exams_and_every_tab_its_count(site: Site, reviewer: User, client: Client) -> None:
    waiting_exam(site, "Calm", is_done=True, grade=0)
    waiting_exam(site, "Grave", is_done=True, grade=4)
    client.force_login(reviewer)
    response = client.get(ADDRESS, {"show": "sight"})
    assert "Grave" in response.content.decode()
    assert "Calm" not in response.content.decode()
    assert {tab.name: n for tab, n in response.context["tabs"]} == {
        "all": 2, "sight": 1, "referable": 0, "ungraded": 0, "pending": 0, "routine": 1,
    }  # fmt: skip


@pytest.mark.parametrize("words", ["Sight-threatening", "Proliferative", "is-alarm"])
def test_at_a_blind_first_site_the_list_does_not_give_the_grade_away(
    words: str, site: Site, reviewer: User, client: Client
) -> None:
    Site.objects.filter(pk=site.pk).update(reading_mode=Site.ReadingMode.BLIND_FIRST)
    waiting_exam(site, "Grave", is_done=True, grade=4)
    client.force_login(reviewer)
    text = client.get(ADDRESS).content.decode()
    assert "Grave" in text
    assert words not in text


def test_a_blind_reader_cannot_ask_for_the_filter_of_a_grade(site: Site, reviewer: User, client: Client) -> None:
    Site.objects.filter(pk=site.pk).update(reading_mode=Site.ReadingMode.BLIND_FIRST)
    waiting_exam(site, "Calm", is_done=True, grade=0)
    client.force_login(reviewer)
    assert "Calm" in client.get(ADDRESS, {"show": "sight"}).content.decode()


def test_the_photographer_starts_at_the_exams_that_are_open(site: Site, photographer: User, client: Client) -> None:
    ExamFactory(patient=PatientFactory(site=site, family_name="Seated"))
    waiting_exam(site, "Gone", is_done=True, grade=0)
    client.force_login(photographer)
    text = client.get(ADDRESS).content.decode()
    assert "Seated" in text
    assert "Gone" not in text


def test_a_page_that_does_not_exist_gives_the_last_one(site: Site, reviewer: User, client: Client) -> None:
    waiting_exam(site, "Calm", is_done=True, grade=0)
    client.force_login(reviewer)
    assert "Calm" in client.get(ADDRESS, {"page": "999"}).content.decode()


def test_a_long_worklist_takes_as_many_queries_as_a_short_one(
    site: Site, reviewer: User, client: Client, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    for number in range(12):
        waiting_exam(site, f"Person{number}", is_done=True, grade=number % 5)
    client.force_login(reviewer)
    client.get(ADDRESS)  # the first page of a session notes the time
    with django_assert_max_num_queries(9):
        client.get(ADDRESS)
