"""Database statements of a photograph, from its upload by the API or a page to its grading."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from screening import tasks
from screening.models import Grading, Site, User
from tests.builders import photo_bytes
from tests.screening.api.client import ApiClient
from tests.screening.factories import ExamFactory, GradingFactory

N_UPLOAD, N_GRADING = 11, 7
_ENDS = ("SAVEPOINT", "RELEASE", "ROLLBACK", "BEGIN", "COMMIT")


def n_statements(queries: CaptureQueriesContext) -> int:
    """Those that read or write rows."""
    return sum(not one["sql"].startswith(_ENDS) for one in queries.captured_queries)


@pytest.mark.parametrize("n_waiting", [0, 30])
def test_a_photograph_costs_the_same_statements_behind_a_bulk(
    n_waiting: int, client: ApiClient, site: Site, django_capture_on_commit_callbacks: Any
) -> None:
    exam = ExamFactory(patient__site=site)
    for _ in range(n_waiting):
        GradingFactory(image__exam__patient__site=site, is_bulk=True)
    client.send(f"exams/{exam.pk}/images", photo_bytes(seed=1), laterality="OD")  # stores the use
    with CaptureQueriesContext(connection) as upload, django_capture_on_commit_callbacks(execute=True):
        client.send(f"exams/{exam.pk}/images", photo_bytes(seed=2), laterality="OS")
    with CaptureQueriesContext(connection) as grading:
        tasks.grade_next()
    assert Grading.objects.filter(status=Grading.Status.DONE).count() == 1
    assert [n_statements(upload), n_statements(grading)] == [N_UPLOAD, N_GRADING]


def test_an_upload_by_a_page_costs_two_more_for_its_session_and_account(site: Site, photographer: User) -> None:
    exam, browser = ExamFactory(patient__site=site), Client()
    browser.force_login(photographer)
    for seed, eye in enumerate(["OD", "OS"]):
        photo = SimpleUploadedFile("eye.jpg", photo_bytes(seed=seed))
        with CaptureQueriesContext(connection) as upload:
            response = browser.post(f"/exams/{exam.pk}/images/", {"photo": photo, "laterality": eye, "field": "macula"})
        assert response.status_code == 302
    assert n_statements(upload) == N_UPLOAD + 2
