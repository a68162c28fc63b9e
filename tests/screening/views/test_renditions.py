"""A thumbnail is made once."""

from pathlib import Path

import pytest
from django.test import Client

from ml.serving.decoders import decoders
from screening.models import Site
from screening.photos.renditions import rendition_name
from tests.builders import photo_bytes
from tests.screening.views.pages import url
from tests.screening.views.test_images import stored_image


@pytest.mark.parametrize(
    ("name", "format"), [("image-thumbnail", "JPEG"), ("image-screen", "JPEG"), ("image-photo", "TIFF")]
)
def test_a_rendition_is_made_once_and_stored(
    name: str,
    format: str,  # noqa: A002
    site: Site,
    as_reviewer: Client,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    image = stored_image(site, photo_bytes(format), format=format)
    first = as_reviewer.get(url(name, image.pk)).getvalue()
    for operation in ("reduced_jpeg", "whole_png"):
        monkeypatch.setattr(decoders, operation, lambda *_args, **_options: pytest.fail("it was made again"))
    assert as_reviewer.get(url(name, image.pk)).getvalue() == first


def test_two_requests_at_once_leave_one_file(site: Site, as_reviewer: Client, media_root: Path) -> None:
    image = stored_image(site, photo_bytes())
    name = media_root / rendition_name(str(image.file.name), "640.jpg")
    as_reviewer.get(url("image-thumbnail", image.pk))
    before = [file.name for file in name.parent.iterdir()]
    name.rename(name.with_suffix(".hidden"))
    as_reviewer.get(url("image-thumbnail", image.pk))
    name.with_suffix(".hidden").unlink()
    assert [file.name for file in name.parent.iterdir()] == before == [name.name]


def test_a_stored_file_that_cannot_be_decoded_is_404(site: Site, as_reviewer: Client) -> None:
    image = stored_image(site, photo_bytes()[:300])
    assert as_reviewer.get(url("image-thumbnail", image.pk)).status_code == 404
