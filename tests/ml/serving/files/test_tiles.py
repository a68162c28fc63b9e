"""Tiles of a photograph: all of it, in each resolution, within the memory of a decoder."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageCms

from ml.serving.decoders import decoders
from ml.serving.files.tiles import TILE_PX, NoSuchTile, make_tiles, read_tile
from tests.builders import photo_bytes


def tile(archive: bytes, level: int, row: int, column: int) -> Image.Image:
    return Image.open(BytesIO(read_tile(BytesIO(archive), level=level, row=row, column=column)))


def joined(archive: bytes, level: int, size: tuple[int, int]) -> Image.Image:
    whole = Image.new("RGB", size)
    for row in range(-(-size[1] // TILE_PX)):
        for column in range(-(-size[0] // TILE_PX)):
            whole.paste(tile(archive, level, row, column), (column * TILE_PX, row * TILE_PX))
    return whole


def difference(one: Image.Image, other: Image.Image) -> float:
    return float(np.abs(np.asarray(one, float) - np.asarray(other, float)).mean())


def test_the_tiles_of_each_level_are_the_photograph_in_its_resolution() -> None:
    smooth = Image.effect_noise((400, 300), 40).resize((3301, 1100)).convert("RGB")
    data = BytesIO()
    smooth.save(data, "PNG")
    archive = make_tiles(data.getvalue())
    assert difference(joined(archive, 0, (3301, 1100)), smooth) < 1.5
    assert difference(joined(archive, 1, (1651, 550)), smooth.reduce(2)) < 1.5
    for where in ((2, 0, 0), (0, 3, 0), (0, 0, 7), (-1, 0, 0), (0, 0, -1)):
        with pytest.raises(NoSuchTile):
            tile(archive, *where)


def test_tiles_are_upright_and_have_no_metadata() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # rotated by 90 degrees: the upright view is higher than wide
    archive = make_tiles(photo_bytes(size=(700, 400), exif=exif))
    shown = tile(archive, 0, 1, 0)
    assert shown.size == (400, 700 - TILE_PX)
    assert "exif" not in shown.info


def test_a_profile_of_other_colours_is_ignored() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    archive = make_tiles(photo_bytes(size=(300, 300), icc_profile=profile))
    assert "icc_profile" not in tile(archive, 0, 0, 0).info


@pytest.mark.usefixtures("decoder_processes")
def test_a_photograph_of_45_megapixels_fits_the_memory_of_a_decoder() -> None:
    large = BytesIO()
    Image.new("RGB", (8192, 5464), (120, 60, 30)).save(large, "JPEG")
    archive = decoders.make_tiles(large.getvalue())
    assert tile(archive, 0, 10, 15).size == (TILE_PX, 5464 - 10 * TILE_PX)
    assert tile(archive, 2, 2, 3).size == (TILE_PX, 1366 - 2 * TILE_PX)
