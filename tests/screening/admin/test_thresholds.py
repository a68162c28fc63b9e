"""The admin panel's page for the threshold of a site."""

import dataclasses
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from ml.bundle import RocTable, SourceRoc
from screening.models import AuditEvent, Site, SiteThreshold
from tests.builders import FakeGrader
from tests.screening.factories import SiteThresholdFactory, UserFactory

ROC = RocTable(
    thresholds=(0.2, 0.7),
    sources={
        "messidor2": SourceRoc(
            n_referable=30,
            n_not_referable=60,
            sensitivity=((0.97, 0.9, 1.0), (0.61, 0.5, 0.7)),
            specificity=((0.42, 0.3, 0.5), (None, None, None)),
        )
    },
)


@pytest.fixture
def add(client: Client, fake_grader: FakeGrader, site: Site) -> Any:
    """Posts the form as a superuser; the fake model has a ROC table."""
    client.force_login(UserFactory(username="chief", is_staff=True, is_superuser=True))
    fake_grader.bundle = dataclasses.replace(fake_grader.bundle, roc=ROC)
    url = reverse("admin:screening_sitethreshold_add")

    def post(**values: Any) -> Any:
        return client.post(url, {"site": str(site.pk)} | values)

    post.page = client.get(url).content.decode()  # type: ignore[attr-defined]
    return post


def test_a_row_of_the_table_is_chosen_by_its_sensitivity_and_specificity(add: Any, site: Site) -> None:
    assert "sensitivity 0.97 to 0.97, specificity 0.42 to 0.42" in add.page
    assert "sensitivity 0.61 to 0.61, specificity -" in add.page
    assert add(choice="accurate:0.7").status_code == 302
    stored = SiteThreshold.objects.get()
    assert (stored.site, stored.operating_point, stored.origin) == (site, 0.7, "table")
    assert stored.created_by.username == "chief"
    verbs = AuditEvent.objects.filter(object_id=str(stored.pk)).values_list("verb", flat=True)
    assert AuditEvent.Verb.THRESHOLD_CHANGED in verbs
    assert add(choice="accurate:own").status_code == 302
    assert SiteThreshold.objects.first().origin == "model"  # type: ignore[union-attr]  # the newest


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "Choose a threshold of the table, or a file."),
        ({"choice": "fast:0.7"}, "another model than that of the site"),
        ({"choice": "accurate:0.5"}, "Select a valid choice"),
        ({"choice": "accurate:0.7", "file": b"{}"}, "Choose a threshold of the table, or a file."),
        ({"file": b"{}"}, "not a threshold file"),
        ({"file": b"[" * 5000}, "at most"),
        ({"file": b""}, "empty"),
        ({"site": "00000000-0000-0000-0000-000000000000", "choice": "accurate:0.7"}, "Select a valid choice"),
    ],
)
def test_what_cannot_be_used_is_refused_with_a_sentence(add: Any, values: dict[str, Any], message: str) -> None:
    if "file" in values:
        values = values | {"file": SimpleUploadedFile("threshold.json", values["file"])}
    response = add(**values)
    assert response.status_code == 200
    assert message in response.content.decode()
    assert not SiteThreshold.objects.exists()


def test_the_list_marks_the_one_in_use(add: Any, client: Client, site: Site) -> None:
    old, new = SiteThresholdFactory(site=site), SiteThresholdFactory(site=site)
    of_another = SiteThresholdFactory(site=site, model_version="other-1")
    page = client.get(reverse("admin:screening_sitethreshold_changelist"))
    rows = {row.pk: row for row in page.context["cl"].result_list}
    admin_class = page.context["cl"].model_admin
    assert [admin_class.is_in_use(rows[each.pk]) for each in (old, new, of_another)] == [False, True, False]
