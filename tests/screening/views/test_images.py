"""Photographs as the pages serve them."""

from io import BytesIO
from typing import Any

import pytest
from django.test import Client
from PIL import Image

from ml.serving.files.renditions import THUMBNAIL_PX, reduced_jpeg
from screening.models import AuditEvent, FundusImage, Site, User
from tests.builders import photo_bytes
from tests.screening.factories import ExamFactory, FundusImageFactory, PatientFactory
from tests.screening.views.pages import url


def stored_image(site: Site, data: bytes, **fields: str) -> FundusImage:
    image = FundusImageFactory(exam=ExamFactory(patient=PatientFactory(site=site)), **fields)
    with image.file.open("wb") as file:
        file.write(data)
    return image


@pytest.mark.parametrize(
    ("format_", "content_type"),
    [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/webp"), ("TIFF", "image/png")],
)
def test_a_photograph_is_served_without_loss(format_: str, content_type: str, site: Site, as_reviewer: Client) -> None:
    data = photo_bytes(format_)
    response = as_reviewer.get(url("image-photo", stored_image(site, data, format=format_).pk))
    served = b"".join(response)
    assert response["Content-Type"] == content_type
    assert (served == data) is (format_ != "TIFF")
    shown = Image.open(BytesIO(served))
    assert Image.MIME[str(shown.format)] == content_type
    assert shown.tobytes() == Image.open(BytesIO(data)).tobytes()


@pytest.mark.parametrize("name", ["image-photo", "image-screen", "image-thumbnail"])
def test_a_photograph_is_private_and_has_no_name(name: str, site: Site, as_reviewer: Client) -> None:
    image = stored_image(site, photo_bytes())
    response = as_reviewer.get(url(name, image.pk))
    assert response["Cache-Control"].startswith("private")
    assert response["Content-Disposition"] == "inline"
    assert response["X-Content-Type-Options"] == "nosniff"
    image.file.delete(save=False)
    assert as_reviewer.get(url(name, image.pk)).status_code == 404


@pytest.mark.parametrize("prefix", ["", "/photographs-by-proxy/"])
def test_a_view_of_a_photograph_is_audited(
    prefix: str, site: Site, reviewer: User, as_reviewer: Client, settings: Any
) -> None:
    settings.X_ACCEL_REDIRECT_PREFIX = prefix
    image = stored_image(site, photo_bytes())
    as_reviewer.get(url("image-photo", image.pk))
    event = AuditEvent.objects.get(verb=AuditEvent.Verb.IMAGE_VIEWED)
    assert (event.actor, event.object_id) == (reviewer, str(image.pk))


def test_a_thumbnail_is_small_and_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # rotated by 90 degrees: the upright view is higher than wide
    small = Image.open(BytesIO(reduced_jpeg(photo_bytes(size=(3000, 2000), exif=exif), side_px=THUMBNAIL_PX)[0]))
    assert small.size == (round(THUMBNAIL_PX * 2 / 3), THUMBNAIL_PX)
    assert "exif" not in small.info


def test_the_proxy_sends_photographs_of_the_own_site_only(site: Site, as_reviewer: Client, settings: Any) -> None:
    settings.X_ACCEL_REDIRECT_PREFIX = "/photographs-by-proxy/"
    image = stored_image(site, photo_bytes())
    response = as_reviewer.get(url("image-photo", image.pk))
    assert response["X-Accel-Redirect"] == f"/photographs-by-proxy/{image.file.name}"
    assert (response["Content-Type"], response.content) == ("image/jpeg", b"")
    assert response["Cache-Control"].startswith("private")
    response = as_reviewer.get(url("image-photo", FundusImageFactory().pk))  # of another site
    assert response.status_code == 404
    assert "X-Accel-Redirect" not in response
