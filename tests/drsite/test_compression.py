"""Pages are compressed for own requests only."""

import gzip

import pytest
from django.core.files.base import ContentFile
from django.test import Client

from screening.models import Site, User
from screening.services.api_keys import issue_key
from tests.builders import photo_bytes
from tests.screening.factories import FundusImageFactory, PatientFactory

OWN = {"Accept-Encoding": "gzip", "Sec-Fetch-Site": "same-origin"}


@pytest.mark.parametrize("cause", ["same-origin", "none"])
def test_a_page_is_compressed(manager: User, client: Client, cause: str) -> None:
    client.force_login(manager)
    response = client.get("/patients/", headers=OWN | {"Sec-Fetch-Site": cause})
    assert response["Content-Encoding"] == "gzip"
    assert b"</html>" in gzip.decompress(response.content)
    assert int(response["Content-Length"]) == len(response.content)
    assert {"Accept-Encoding", "Sec-Fetch-Site"} <= set(response["Vary"].split(", "))


@pytest.mark.parametrize("cause", ["cross-site", "same-site", None])
def test_no_length_is_revealed_to_another_site(manager: User, client: Client, cause: str | None) -> None:
    """BREACH: another site causes requests with guesses, and compares the lengths of the answers."""
    client.force_login(manager)
    headers = {"Accept-Encoding": "gzip"} | ({"Sec-Fetch-Site": cause} if cause else {})
    response = client.get("/patients/", headers=headers)
    assert response.status_code == 200
    assert "Content-Encoding" not in response


def test_a_browser_that_knows_no_gzip_gets_plain_text(manager: User, client: Client) -> None:
    client.force_login(manager)
    assert "Content-Encoding" not in client.get("/patients/", headers={"Sec-Fetch-Site": "none"})


def test_json_is_compressed_for_an_api_key(manager: User, site: Site, client: Client) -> None:
    PatientFactory.create_batch(3, site=site)
    key = issue_key(user=manager, name="test", by=None)[1]
    response = client.get("/api/v1/patients", headers={"Accept-Encoding": "gzip", "Authorization": f"Bearer {key}"})
    assert response["Content-Encoding"] == "gzip"
    assert b"results" in gzip.decompress(response.content)


def test_other_kinds_of_content_are_sent_as_they_are(manager: User, site: Site, client: Client) -> None:
    """Photographs and documents are compressed already, and the proxy sends static files."""
    image = FundusImageFactory(exam__patient__site=site, file=ContentFile(photo_bytes(), name="photo.jpg"))
    client.force_login(manager)
    response = client.get(f"/images/{image.pk}/thumbnail/", headers=OWN)
    assert (response["Content-Type"], "Content-Encoding" in response) == ("image/jpeg", False)
