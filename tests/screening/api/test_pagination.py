"""Lists of the API: pages, order, filters, number of queries."""

from base64 import b64encode
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from screening.models import Exam, FundusImage, Grading, Patient, Site
from tests.screening.api.client import ApiClient
from tests.screening.factories import (
    EyeFindingFactory,
    FundusImageFactory,
    GradingFactory,
    PatientFactory,
    ReviewFactory,
)

MODELS: dict[str, Any] = {"patients": Patient, "exams": Exam, "images": FundusImage, "gradings": Grading}
N_ACCESS_QUERIES = 2
"""The key with its user, and the user's roles."""
N_AUDIT_QUERIES = 2
"""The role and the event."""
MAX_QUERIES = {
    "patients": N_ACCESS_QUERIES + N_AUDIT_QUERIES + 2,
    "exams": N_ACCESS_QUERIES
    + N_AUDIT_QUERIES
    + 11,  # ids, exams, photographs, gradings, acuities, readings, reviews, findings, marks, amendments, retractions
    "images": N_ACCESS_QUERIES + N_AUDIT_QUERIES + 3,
    "gradings": N_ACCESS_QUERIES + N_AUDIT_QUERIES + 2,
}
AssertMaxNumQueries = Callable[[int], Any]


def create_reviewed_exams(site: Site, n: int) -> None:
    for _ in range(n):
        review = ReviewFactory(exam__patient=PatientFactory(site=site), exam__status=Exam.Status.SIGNED)
        for eye in ("OD", "OS"):
            EyeFindingFactory(review=review, laterality=eye)
            GradingFactory(image=FundusImageFactory(exam=review.exam, laterality=eye), is_done=True)


@pytest.fixture
def client(client: ApiClient) -> ApiClient:
    client.get("sites")  # stores the use of the key, which is not stored again for a minute
    return client


def ids_of(*pages: Any) -> list[str]:
    return [row["id"] for page in pages for row in page.body["results"]]


def all_pages(client: ApiClient, noun: str, page_size: int) -> list[Any]:
    pages = [client.get(noun, page_size=page_size)]
    while pages[-1].body["next"]:
        pages.append(client.get(pages[-1].body["next"]))
    return pages


@pytest.mark.parametrize("noun", MODELS)
def test_the_pages_have_every_row_once_newest_first(noun: str, client: ApiClient, site: Site) -> None:
    create_reviewed_exams(site, 4)
    pages = all_pages(client, noun, 3)
    assert ids_of(*pages) == [str(row.pk) for row in MODELS[noun].objects.order_by("-created_at", "pk")]
    assert [len(page.body["results"]) for page in pages[:-1]] == [3] * (len(pages) - 1)
    assert client.get(pages[1].body["previous"]).body["results"] == pages[0].body["results"]


def test_rows_of_the_same_time_are_listed_once(client: ApiClient, site: Site) -> None:
    PatientFactory.create_batch(7, site=site)
    Patient.objects.update(created_at=timezone.now())
    ids = ids_of(*all_pages(client, "patients", 2))
    assert len(ids) == len(set(ids)) == 7


def cursor(text: str) -> str:
    return b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x",
        "A" * 5000,
        "\x00",
        cursor(""),
        cursor("p=0001-01-01T00:00:00+23:59"),
        cursor("p=9999-12-31+23:59:59-23:59"),
        cursor("p=9999-12-31T23:59:59-23:59"),
        cursor("p=2026-02-30 00:00:00%2B00:00"),
        cursor("p=2026-01-01"),
        cursor("p=2026-01-01T00:00:00"),
        cursor("o=99999999999999999999"),
        cursor("o=1001"),
        cursor("o=-1"),
        cursor("r=9&o=5"),
    ],
)
def test_a_cursor_that_was_not_made_here_is_refused(token: str, client: ApiClient, site: Site) -> None:
    PatientFactory(site=site)
    response = client.get("patients", cursor=token)
    assert (response.status, response.body["fields"].keys()) == (400, {"cursor"})


@pytest.mark.parametrize(
    "query",
    ["exams?status=", "exams?patient=", "images?exam=", "gradings?status=", "gradings?image=", "patients?page_size="],
)
def test_an_empty_filter_is_refused(query: str, client: ApiClient, site: Site) -> None:
    name = query.partition("?")[2].removesuffix("=")
    response = client.get(query)
    assert (response.status, response.body["fields"].keys()) == (400, {name})


def test_a_new_row_does_not_shift_the_pages(client: ApiClient, site: Site) -> None:
    PatientFactory.create_batch(4, site=site)
    first = client.get("patients", page_size=2)
    PatientFactory(site=site)
    assert len(set(ids_of(first, client.get(first.body["next"])))) == 4


def test_a_page_has_25_rows_by_default_and_at_most_100(client: ApiClient, site: Site) -> None:
    PatientFactory.create_batch(101, site=site)
    assert len(ids_of(client.get("patients"))) == 25
    assert len(ids_of(client.get("patients", page_size=100))) == 100


def test_the_next_page_of_a_search_needs_the_same_body(client: ApiClient, site: Site) -> None:
    for n in range(3):
        PatientFactory(site=site, mrn=f"X{n}")
    body = {"mrn": "X", "match": "prefix"}
    first = client.post("patients/search?page_size=2", body)
    second = client.post(first.body["next"], body)
    assert {row["mrn"] for page in (first, second) for row in page.body["results"]} == {"X0", "X1", "X2"}


@pytest.mark.parametrize("noun", MODELS)
@pytest.mark.parametrize("n", [1, 12])
def test_the_number_of_queries_does_not_depend_on_the_number_of_rows(
    noun: str, n: int, client: ApiClient, site: Site, django_assert_max_num_queries: AssertMaxNumQueries
) -> None:
    create_reviewed_exams(site, n)
    with django_assert_max_num_queries(MAX_QUERIES[noun]):
        ids = ids_of(client.get(noun, page_size=100))
    assert len(ids) == MODELS[noun].objects.count()


@pytest.mark.parametrize("n", [1, 12])
def test_the_number_of_queries_does_not_depend_on_the_number_of_photographs(
    n: int, client: ApiClient, site: Site, django_assert_max_num_queries: AssertMaxNumQueries
) -> None:
    create_reviewed_exams(site, 1)
    exam = Exam.objects.get()
    for _ in range(n):
        GradingFactory(image__exam=exam, is_done=True)
    with django_assert_max_num_queries(N_ACCESS_QUERIES + N_AUDIT_QUERIES + 10):
        assert len(client.get(f"exams/{exam.pk}").body["eyes"][0]["images"]) == n + 1


def test_a_grading_needs_few_queries(
    client: ApiClient, site: Site, django_assert_max_num_queries: AssertMaxNumQueries
) -> None:
    grading = GradingFactory(image__exam__patient__site=site)
    with django_assert_max_num_queries(N_ACCESS_QUERIES + N_AUDIT_QUERIES + 2):  # and its site
        assert client.get(f"gradings/{grading.pk}").body["status"] == "queued"


def test_lists_can_be_filtered(client: ApiClient, site: Site) -> None:
    create_reviewed_exams(site, 2)
    exam = Exam.objects.all()[0]
    open_exam = exam.patient.exams.create(site=site, opened_by=exam.opened_by)
    assert ids_of(client.get("exams", status="open")) == [str(open_exam.pk)]
    assert len(ids_of(client.get("exams", patient=exam.patient.pk))) == 2
    assert len(ids_of(client.get("images", exam=exam.pk))) == 2
    assert len(ids_of(client.get("gradings", exam=exam.pk, status="done"))) == 2
    assert ids_of(client.get("gradings", exam=exam.pk, status="failed")) == []


def test_a_photograph_has_its_newest_grading(client: ApiClient, site: Site) -> None:
    image = FundusImageFactory(exam__patient__site=site)
    newest = GradingFactory(image=image, model_version="b", is_done=True)
    older = GradingFactory(image=image, model_version="a", is_done=True)
    Grading.objects.filter(pk=older.pk).update(created_at=timezone.now() - timedelta(days=1))
    assert client.get(f"images/{image.pk}").body["grading"]["id"] == str(newest.pk)
