"""The models page: what is installed, where it is used, and its card."""

from pathlib import Path
from typing import Any

from django.test import Client

from ml.bundle import BUNDLES, default_bundle, read_bundle
from ml.vocabulary import ServedModel
from screening.models import Site, User
from tests.screening.factories import UserFactory
from tests.screening.views.pages import count_queries, page_text, text_of, url

ACCURATE = read_bundle(default_bundle(ServedModel.ACCURATE))


def test_a_manager_sees_each_bundle_and_the_sites_that_use_it(
    client: Client, site: Site, other_site: Site, manager: User
) -> None:
    client.force_login(manager)
    response = client.get(url("models"))
    rows = response.context["rows"]
    assert len(rows) == len(list(BUNDLES.glob("*/bundle.json")))
    used = {row.installed.bundle.model_version: [one.name for one in row.sites] for row in rows if row.sites}
    assert used == {ACCURATE.model_version: [site.name]}
    text = text_of(response)
    assert ACCURATE.weights_sha256 in text
    assert "eyepacs, eyepacs_equalized, eyepacs_test, idrid" in text
    assert "about 338 MB in each process" in text
    assert other_site.name not in text
    assert count_queries(client, "models") <= 9
    client.force_login(UserFactory(is_superuser=True))
    assert other_site.name in page_text(client, "models")


def test_a_bundle_has_its_metrics_and_its_card(client: Client, manager: User) -> None:
    client.force_login(manager)
    text = page_text(client, "model", ACCURATE.model_version)
    assert "Model card" in text
    assert "<strong>Intended use.</strong>" in text
    assert text.count("<tr>") > 100
    assert client.get(url("model", "no-1.0.0+00000000")).status_code == 404


def test_a_bundle_that_cannot_be_read_is_named_with_its_problem(
    client: Client, manager: User, settings: Any, tmp_path: Path
) -> None:
    (tmp_path / "mine").mkdir()
    settings.MODEL_BUNDLES = {ServedModel.ACCURATE: str(tmp_path / "mine"), ServedModel.FAST: ""}
    client.force_login(manager)
    assert "bundle.json is missing" in page_text(client, "models")
