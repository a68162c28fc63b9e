"""Lists of the API: pages, order, and a constant number of queries."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from screening.models import Exam, FundusImage, Grading, Patient, Site, User
from tests.screening.api.client import ApiClient
from tests.screening.factories import (
    EyeFindingFactory,
    FundusImageFactory,
    GradingFactory,
    PatientFactory,
    ReviewFactory,
)

LISTS = ("patients", "exams", "images", "gradings")
_COMMON = 2
"""The key with its user, and access."""
BUDGETS = {
    "patients": _COMMON + 2,  # the rows; the audit event
    "exams": _COMMON + 6,  # exams, photographs, gradings, reviews, findings, amendments
    "images": _COMMON + 2,
    "gradings": _COMMON + 1,
}
MODELS: dict[str, Any] = {"patients": Patient, "exams": Exam, "images": FundusImage, "gradings": Grading}


def fill(site: Site, n: int) -> None:
    for _ in range(n):
        review = ReviewFactory(exam__patient=PatientFactory(site=site), exam__status=Exam.Status.REVIEWED)
        for eye in ("OD", "OS"):
            EyeFindingFactory(review=review, laterality=eye)
            GradingFactory(image=FundusImageFactory(exam=review.exam, laterality=eye), is_done=True)


@pytest.fixture
def caller(photographer: User) -> ApiClient:
    caller = ApiClient(photographer)
    caller.get("sites")  # notes the use of the key, which is not done again for a minute
    return caller


def follow(caller: ApiClient, noun: str, page_size: int) -> tuple[list[str], list[Any]]:
    ids, pages = [], [caller.get(noun, page_size=page_size)]
    while pages[-1].body["next"]:
        pages.append(caller.get(pages[-1].body["next"]))
    for page in pages:
        ids += [row["id"] for row in page.body["results"]]
    return ids, pages


@pytest.mark.parametrize("noun", LISTS)
def test_following_next_gives_every_row_once_newest_first(noun: str, caller: ApiClient, site: Site) -> None:
    fill(site, 4)
    ids, pages = follow(caller, noun, 3)
    expected = [str(row.pk) for row in MODELS[noun].objects.order_by("-created_at", "pk")]
    assert ids == expected
    assert [len(page.body["results"]) for page in pages[:-1]] == [3] * (len(pages) - 1)
    assert caller.get(pages[1].body["previous"]).body["results"] == pages[0].body["results"]


def test_rows_of_the_same_moment_are_neither_lost_nor_doubled(caller: ApiClient, site: Site) -> None:
    PatientFactory.create_batch(7, site=site)
    Patient.objects.update(created_at=timezone.now())
    ids, _pages = follow(caller, "patients", 2)
    assert len(ids) == len(set(ids)) == 7


def test_a_row_added_meanwhile_moves_nothing(caller: ApiClient, site: Site) -> None:
    PatientFactory.create_batch(4, site=site)
    first = caller.get("patients", page_size=2)
    PatientFactory(site=site)
    second = caller.get(first.body["next"])
    ids = [row["id"] for page in (first, second) for row in page.body["results"]]
    assert len(set(ids)) == 4


def test_a_page_holds_25_rows_unless_asked_and_100_at_most(caller: ApiClient, site: Site) -> None:
    PatientFactory.create_batch(101, site=site)
    assert len(caller.get("patients").body["results"]) == 25
    assert len(caller.get("patients", page_size=100).body["results"]) == 100
    assert caller.get("patients", page_size=101).status == 400


def test_a_search_goes_on_with_the_same_body(caller: ApiClient, site: Site) -> None:
    for n in range(3):
        PatientFactory(site=site, mrn=f"X{n}")
    body = {"mrn": "X", "match": "prefix"}
    first = caller.post("patients/search?page_size=2", body)
    second = caller.post(first.body["next"], body)
    assert {row["mrn"] for page in (first, second) for row in page.body["results"]} == {"X0", "X1", "X2"}


@pytest.mark.parametrize("noun", LISTS)
@pytest.mark.parametrize("n", [1, 12])
def test_a_list_needs_the_same_few_queries_however_long_it_is(
    noun: str, n: int, caller: ApiClient, site: Site, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    fill(site, n)
    with django_assert_max_num_queries(BUDGETS[noun]):
        rows = caller.get(noun, page_size=100).body["results"]
    assert len(rows) == MODELS[noun].objects.count()


@pytest.mark.parametrize("n", [1, 12])
def test_an_exam_needs_the_same_few_queries_however_many_photographs_it_has(
    n: int, caller: ApiClient, site: Site, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    fill(site, 1)
    exam = Exam.objects.get()
    for _ in range(n):
        GradingFactory(image__exam=exam, is_done=True)
    with django_assert_max_num_queries(_COMMON + 6 + 1):
        assert len(caller.get(f"exams/{exam.pk}").body["eyes"][0]["images"]) == n + 1


def test_asking_how_far_a_grading_is_needs_three_queries(
    caller: ApiClient, site: Site, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    grading = GradingFactory(image__exam__patient__site=site)
    with django_assert_max_num_queries(_COMMON + 1):
        assert caller.get(f"gradings/{grading.pk}").body["status"] == "queued"


def test_filters_narrow_lists(caller: ApiClient, site: Site) -> None:
    fill(site, 2)
    exam = Exam.objects.first()
    assert exam is not None
    open_exam = exam.patient.exams.create(site=site, opened_by=exam.opened_by)
    assert [row["id"] for row in caller.get("exams", status="open").body["results"]] == [str(open_exam.pk)]
    assert len(caller.get("exams", patient=exam.patient.pk).body["results"]) == 2
    assert len(caller.get("images", exam=exam.pk).body["results"]) == 2
    assert len(caller.get("gradings", exam=exam.pk, status="done").body["results"]) == 2
    assert caller.get("gradings", exam=exam.pk, status="failed").body["results"] == []


def test_the_newest_grading_of_a_photograph_is_the_one_shown(caller: ApiClient, site: Site) -> None:
    image = FundusImageFactory(exam__patient__site=site)
    newest = GradingFactory(image=image, model_version="b", is_done=True)
    older = GradingFactory(image=image, model_version="a", is_done=True)
    Grading.objects.filter(pk=older.pk).update(created_at=timezone.now() - timedelta(days=1))
    assert caller.get(f"images/{image.pk}").body["grading"]["id"] == str(newest.pk)
