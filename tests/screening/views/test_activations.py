"""The model in use at a site: managers see it with its history, superusers change it."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from screening.models import BundleActivation, RegisteredBundle, Site, User
from screening.policy import paired_models
from tests.builders import FAKE_VERSION
from tests.screening.factories import UserFactory
from tests.screening.registered_bundles import bundle_folder, registered, store_paired_eyes
from tests.screening.views.pages import count_queries, page_text, text_of, url


@pytest.fixture
def chief(db: None) -> User:
    return UserFactory(is_superuser=True)


@pytest.fixture
def bundle(
    chief: User, settings: Any, tmp_path: Path, released_bundle: None, monkeypatch: pytest.MonkeyPatch
) -> RegisteredBundle:
    """A registered bundle whose check in a child process is replaced."""
    settings.MODELS_DIR = str(tmp_path)
    row = registered(bundle_folder(tmp_path), chief)
    monkeypatch.setattr("screening.services.activations.check_bundle", lambda _folder: row.model_version)
    return row


def test_a_superuser_activates_and_goes_back_and_a_manager_sees_the_versions(
    client: Client, site: Site, manager: User, chief: User, bundle: RegisteredBundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.force_login(chief)
    address, values = url("site-activation", site.pk), {"bundle": str(bundle.pk), "reason": "better"}
    response = client.post(address, values)
    assert response.status_code == 422
    assert "0 signed referable eyes that both models saw; at least 100 are needed." in text_of(response)
    monkeypatch.setattr(paired_models, "MIN_REFERABLE", 10)
    for grade in (0, 1, 3):
        store_paired_eyes(site, bundle, signed=grade, n=12, served=grade, candidate=grade)
    assert client.post(address, values | {"reason": ""}).status_code == 422
    assert client.post(address, values).status_code == 302
    first = BundleActivation.objects.get()
    assert "meanwhile" in text_of(client.post(address, {"bundle": "", "reason": "back"})), "no base"
    assert client.post(address, {"bundle": "", "reason": "back", "base": str(first.pk)}).status_code == 302

    client.force_login(manager)
    text = page_text(client, "site-activation", site.pk)
    assert "back to the released model" in text
    assert f"Gate passed against {FAKE_VERSION} on 12 referable eyes: sensitivity +0.0 (+0.0 to +0.0)" in text
    assert FAKE_VERSION in text.split('id="in-use-title"')[1][:100]
    assert client.post(address, values).status_code == 403
    assert "Check and store" not in text


def test_the_page_needs_as_many_queries_for_any_number_of_versions(
    client: Client, site: Site, manager: User, chief: User, bundle: RegisteredBundle
) -> None:
    client.force_login(manager)
    values: dict[str, Any] = {"site": site, "model": "accurate", "reason": "x", "created_by": chief}
    BundleActivation.objects.create(**values, number=1, bundle=bundle)
    n_queries = count_queries(client, "site-activation", site.pk)
    for number in range(2, 14):
        BundleActivation.objects.create(**values, number=number, bundle=bundle)
    assert count_queries(client, "site-activation", site.pk) == n_queries <= 17
    text = page_text(client, "site-activation", site.pk)
    assert ("13: other" in text, "3: other-1.0.0" in page_text(client, "site-activation", site.pk, page="2")) == (
        True,
        True,
    )


def test_the_list_of_models_names_the_sites_that_use_each(
    client: Client, site: Site, manager: User, chief: User, bundle: RegisteredBundle
) -> None:
    client.force_login(manager)

    def is_used(text: str) -> bool:
        return site.name in text.split("other 1.0.0")[1].split("Sites</h2>", maxsplit=1)[0]

    assert not is_used(page_text(client, "models"))
    BundleActivation.objects.create(site=site, model="accurate", number=1, bundle=bundle, reason="x", created_by=chief)
    assert is_used(page_text(client, "models"))
    assert bundle.model_version in page_text(client, "site", site.pk)
    assert "none of your sites" not in page_text(client, "model", bundle.model_version)
