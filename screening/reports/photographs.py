"""Photographs of documents: small JPEG of the stored renditions, with or without the heatmap."""

from collections.abc import Sequence
from io import BytesIO
from typing import Any

import numpy as np
from django.db.models.fields.files import FieldFile

from ml.serving.decoders import decoders
from ml.serving.files.rejections import InvalidFile
from ml.serving.heatmap_overlay import overlay
from screening.photos import renditions
from screening.photos.validation import InvalidPhoto

MAX_BYTES = 300_000
SIDES_PX = (1100, 900, 700, 500, 350)
"""The first is 300 pixels an inch for the 9 cm that a photograph has on the page; then smaller until it fits."""
_HEATMAP_QUALITY = 80


class PhotographUnreadable(Exception):
    """The file of a photograph is missing or damaged."""


def small_photograph(photo: FieldFile) -> bytes:
    """An upright JPEG of at most MAX_BYTES. Raises PhotographUnreadable, DecoderUnavailable."""
    try:
        screen = renditions.screen(photo)
        for side_px in SIDES_PX:
            small = decoders.reduced_jpeg(screen, side_px=side_px)[0]
            if len(small) <= MAX_BYTES:
                return small
    except (FileNotFoundError, InvalidPhoto, InvalidFile) as error:
        raise PhotographUnreadable from error
    raise PhotographUnreadable


def with_heatmap(small: bytes, heatmap: Any, box: Sequence[float]) -> bytes:
    """A photograph of ``small_photograph`` under its heatmap, at most MAX_BYTES. Raises as ``small_photograph``."""
    left, top, right, bottom = box
    try:
        photo = decoders.decode(small, min_side_px=1)
    except InvalidFile as error:
        raise PhotographUnreadable from error
    for side_px in SIDES_PX:
        copy = photo.copy()
        copy.thumbnail((side_px, side_px))
        out = BytesIO()
        blended = overlay(copy, np.asarray(heatmap, dtype=np.float32), (left, top, right, bottom))
        blended.save(out, "JPEG", quality=_HEATMAP_QUALITY)
        if out.tell() <= MAX_BYTES:
            return out.getvalue()
    raise PhotographUnreadable
