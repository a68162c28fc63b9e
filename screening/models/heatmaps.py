"""Heatmaps of gradings, in a separate table: no list of gradings loads them."""

from typing import Any

import numpy as np
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

STEPS = 10_000
"""Values are stored in steps of 1 / STEPS."""
HEADER = 2
"""Bytes of the height and the width."""


class Heatmap(models.Model):
    """The heatmaps of a grading: the evidence for its grade and for macular oedema. Written with the grading.

    Both are (h, w) in [0, 1], stored by ``encode_heatmap``; null if there is none. ``box`` is their position on the
    upright photograph as (left, top, right, bottom), fractions of the photograph's width and height.
    """

    grading = models.OneToOneField(
        "screening.Grading",
        models.CASCADE,
        primary_key=True,
        related_name="stored_heatmap",
        verbose_name=_("grading"),
    )
    of_grade = models.BinaryField(_("heatmap"), null=True)
    of_oedema = models.BinaryField(_("heatmap of macular oedema"), null=True)
    box = models.JSONField(_("box of the heatmap on the photograph"), null=True)

    class Meta:
        verbose_name = _("heatmap")
        verbose_name_plural = _("heatmaps")
        constraints = [
            models.CheckConstraint(
                condition=Q(of_grade__isnull=False) | Q(of_oedema__isnull=False), name="heatmap_not_empty"
            ),
        ]

    def __str__(self) -> str:
        return f"Heatmap of {self.grading_id}"


def encode_heatmap(values: Any) -> bytes:
    """Height and width, a byte each, then the values of each row in steps as uint16, little-endian.

    ``values``: (h, w) in [0, 1], at most 255 rows and columns. Raises ValueError for others.
    """
    grid = np.asarray(values)
    if grid.ndim != 2 or not grid.size > 0 or max(grid.shape) > 255 or not (grid.min() >= 0 and grid.max() <= 1):
        raise ValueError("not a heatmap: (h, w) in [0, 1]")
    steps = np.rint(grid * STEPS).astype("<u2")
    return bytes(grid.shape) + bytes(steps.tobytes())


def decode_heatmap(stored: bytes | memoryview) -> list[list[float]]:
    """The rows of a heatmap: the float32 numbers that were encoded, rounded to steps."""
    data = bytes(stored)
    steps = np.frombuffer(data, "<u2", offset=HEADER).reshape(data[0], data[1])
    rows: list[list[float]] = (steps.astype(np.float32) / np.float32(STEPS)).tolist()
    return rows
