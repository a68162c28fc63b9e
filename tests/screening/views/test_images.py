"""Photographs as they leave the server."""

from io import BytesIO
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from PIL import Image

from screening.models import AuditEvent, FundusImage, Site, User
from screening.photos.thumbnails import THUMBNAIL_PX, thumbnail
from tests.builders import photo_bytes
from tests.screening.factories import ExamFactory, FundusImageFactory, PatientFactory


def stored(site: Site, data: bytes, **fields: str) -> FundusImage:
    image = FundusImageFactory(exam=ExamFactory(patient=PatientFactory(site=site)), **fields)
    with image.file.open("wb") as file:
        file.write(data)
    return image


def address(image: FundusImage, name: str = "photo") -> str:
    return reverse(f"screening:image-{name}", args=[image.pk])


@pytest.mark.parametrize(
    ("format_", "shown_as"), [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/webp")]
)
def test_a_photograph_is_served_as_stored(
    format_: str, shown_as: str, site: Site, reviewer: User, client: Client
) -> None:
    data = photo_bytes(format_)
    client.force_login(reviewer)
    response = client.get(address(stored(site, data, format=format_)))
    assert b"".join(response) == data
    assert response["Content-Type"] == shown_as


def test_a_tiff_is_shown_as_png_with_the_same_pixels(site: Site, reviewer: User, client: Client) -> None:
    data = photo_bytes("TIFF")
    client.force_login(reviewer)
    response = client.get(address(stored(site, data, format="TIFF")))
    shown = Image.open(BytesIO(b"".join(response)))
    assert (response["Content-Type"], shown.format) == ("image/png", "PNG")
    assert shown.tobytes() == Image.open(BytesIO(data)).tobytes()


@pytest.mark.parametrize("name", ["photo", "thumbnail"])
def test_a_photograph_is_kept_by_nobody_else_and_carries_no_name(
    name: str, site: Site, reviewer: User, client: Client
) -> None:
    client.force_login(reviewer)
    response = client.get(address(stored(site, photo_bytes()), name))
    assert response["Cache-Control"].startswith("private")
    assert response["Content-Disposition"] == "inline"
    assert response["X-Content-Type-Options"] == "nosniff"


def test_looking_at_a_photograph_is_audited(site: Site, reviewer: User, client: Client) -> None:
    image = stored(site, photo_bytes())
    client.force_login(reviewer)
    client.get(address(image))
    event = AuditEvent.objects.get(verb=AuditEvent.Verb.IMAGE_VIEWED)
    assert (event.actor, event.object_id) == (reviewer, str(image.pk))


@pytest.mark.parametrize("name", ["photo", "thumbnail"])
def test_a_missing_file_is_not_found(name: str, site: Site, reviewer: User, client: Client) -> None:
    image = stored(site, photo_bytes())
    image.file.delete(save=False)
    client.force_login(reviewer)
    assert client.get(address(image, name)).status_code == 404


def test_a_thumbnail_is_small_and_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter: the upright view is higher than wide
    small = Image.open(BytesIO(thumbnail(BytesIO(photo_bytes(size=(3000, 2000), exif=exif)))))
    assert small.size == (round(THUMBNAIL_PX * 2 / 3), THUMBNAIL_PX)
    assert "exif" not in small.info


def test_the_proxy_sends_the_photograph_after_the_access_check(
    site: Site, reviewer: User, client: Client, settings: Any
) -> None:
    settings.X_ACCEL_REDIRECT_PREFIX = "/photographs-by-proxy/"
    image = stored(site, photo_bytes())
    client.force_login(reviewer)
    response = client.get(address(image))
    assert response["X-Accel-Redirect"] == f"/photographs-by-proxy/{image.file.name}"
    assert (response["Content-Type"], response.content) == ("image/jpeg", b"")
    assert response["Cache-Control"].startswith("private")
    assert AuditEvent.objects.filter(verb="image.viewed", object_id=str(image.pk)).count() == 1


def test_the_proxy_sends_nothing_to_a_stranger(site: Site, reviewer: User, client: Client, settings: Any) -> None:
    settings.X_ACCEL_REDIRECT_PREFIX = "/photographs-by-proxy/"
    image = FundusImageFactory()  # of another site
    client.force_login(reviewer)
    response = client.get(address(image))
    assert response.status_code == 404
    assert "X-Accel-Redirect" not in response
