"""A thumbnail is made once, and so are tiles."""

from pathlib import Path

import pytest
from django.test import Client

from ml.serving.decoders import decoders
from screening.models import Site, User
from screening.photos.renditions import rendition_name
from tests.builders import photo_bytes
from tests.screening.views.pages import url
from tests.screening.views.test_images import stored_image


@pytest.mark.parametrize(
    ("name", "format"),
    [("image-thumbnail", "JPEG"), ("image-screen", "JPEG"), ("image-photo", "TIFF"), ("image-tile", "WEBP")],
)
def test_a_rendition_is_made_once_and_stored(
    name: str,
    format: str,  # noqa: A002
    site: Site,
    as_reviewer: Client,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    image = stored_image(site, photo_bytes(format), format=format)
    address = url(name, image.pk, *((0, 0, 0) if name == "image-tile" else ()))
    first = as_reviewer.get(address).getvalue()
    for operation in ("reduced_jpeg", "whole_png", "make_tiles"):
        monkeypatch.setattr(decoders, operation, lambda *_args, **_options: pytest.fail("it was made again"))
    assert as_reviewer.get(address).getvalue() == first


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


def test_tiles_beyond_the_photograph_are_404(site: Site, as_reviewer: Client) -> None:
    image = stored_image(site, photo_bytes(size=(700, 300)))
    tiles = {where: as_reviewer.get(url("image-tile", image.pk, *where)) for where in ((0, 0, 1), (0, 0, 2), (1, 0, 0))}
    assert [response.status_code for response in tiles.values()] == [200, 404, 404]
    image.file.delete(save=False)
    assert as_reviewer.get(url("image-tile", image.pk, 0, 0, 1)).status_code == 404


@pytest.mark.parametrize("name", ["image-thumbnail", "image-screen", "image-tile"])
def test_a_browser_that_has_a_rendition_gets_no_second_copy_but_access_is_checked(
    name: str, site: Site, as_reviewer: Client, outsider: User, client: Client
) -> None:
    image = stored_image(site, photo_bytes())
    address = url(name, image.pk, *((0, 0, 0) if name == "image-tile" else ()))
    headers = {"If-None-Match": as_reviewer.get(address)["ETag"]}
    response = as_reviewer.get(address, headers=headers)
    assert (response.status_code, response.content) == (304, b"")
    assert response["Cache-Control"].startswith("private")
    client.force_login(outsider)
    assert client.get(address, headers=headers).status_code == 404
