"""Shadow mode on pages: the comparison for managers, changes by superusers, and nothing of it anywhere else."""

import datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from screening.models import FundusImage, RegisteredBundle, ShadowGrading, Site, SiteShadow, User
from tests.screening.factories import MembershipFactory, UserFactory
from tests.screening.test_access_audit import records_of_routes, routes
from tests.screening.views.pages import count_queries, page_text, text_of, url

VERSION = "shadow-marker-9.9.9+22222222"
P = 0.876543
NOT_REQUESTED = {"screening:site-shadow", "screening:logout", "api:schema"}
"""The page of the comparison; and what has no data of an exam."""


@pytest.fixture
def chief(db: None) -> User:
    return UserFactory(is_superuser=True)


@pytest.fixture
def bundle(chief: User) -> RegisteredBundle:
    return RegisteredBundle.objects.create(
        folder_name="shadow-marker-9.9.9",
        model_version=VERSION,
        description_sha256="0" * 64,
        reason="x",
        created_by=chief,
    )


def test_managers_see_the_comparison_and_superusers_change_it(
    client: Client, site: Site, manager: User, chief: User, bundle: RegisteredBundle
) -> None:
    page = url("site-shadow", site.pk)
    client.force_login(manager)
    text = page_text(client, "site-shadow", site.pk)
    assert "No model is tried at this site." in text
    assert '<form method="post" class="card' not in text
    client.force_login(chief)
    values = {"bundle": str(bundle.pk), "since": "2026-01-01", "reason": "try it"}
    assert client.post(page, values | {"since": ""}).status_code == 422
    assert client.post(page, values).status_code == 302
    assert "meanwhile" in text_of(client.post(page, values | {"reason": "again"}))
    client.force_login(manager)
    text = page_text(client, "site-shadow", site.pk)
    assert "Not passed" in text
    assert "0 signed referable eyes that both models saw; at least 100 are needed." in text
    assert count_queries(client, "site-shadow", site.pk) <= 17
    assert client.post(page, values).status_code == 403


def test_no_page_and_no_request_of_the_api_of_readers_reads_a_shadow_grading(
    site: Site, bundle: RegisteredBundle, chief: User
) -> None:
    records = records_of_routes(site)
    SiteShadow.objects.create(site=site, bundle=bundle, since=datetime.date(2026, 1, 1), reason="x", created_by=chief)
    for image in FundusImage.objects.all():
        values: dict[str, Any] = {"grade": 4, "p_referable": P, "is_referable": True, "is_gradable": True}
        ShadowGrading.objects.create(image=image, bundle=bundle, status="done", started_at=timezone.now(), **values)
    reader = MembershipFactory(site=site, role="reviewer").user
    client = Client()
    client.force_login(reader)
    requests: list[tuple[str, Any, str]] = [
        (name, client.get, address) for name, address in routes(records) if name != "screening:logout"
    ]
    exports = [(name, client.post, address) for name, _get, address in requests if name.endswith("-export")]
    assert len(exports) > 10
    requests += exports
    n_exported = 0
    for name, send, address in requests:
        if name in NOT_REQUESTED or name.startswith("admin:"):
            continue
        with CaptureQueriesContext(connection) as queries:
            response: Any = send(address, {"format": "csv"} if name.endswith("-export") else {})
            body = b"".join(response.streaming_content) if response.streaming else response.content
        n_exported += send == client.post and response.status_code == 200
        assert not any("screening_shadowgrading" in query["sql"] for query in queries), name
        assert VERSION.encode() not in body, name
        assert str(P).encode() not in body, name
    assert n_exported > 2
    assert client.get(url("site-shadow", site.pk)).status_code == 403
