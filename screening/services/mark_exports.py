"""Exports of marks for training, in the layout of COCO, without data of patients or names of readers.

COCO: https://cocodataset.org/#format-data. Its fields are in pixels; ``points`` and ``radius`` are fractions.
"""

import math
from collections import Counter
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from screening.access import READER, AccessDenied, Action, sites_for
from screening.labels.marks import MARK_KIND_LABELS
from screening.models import AuditEvent, FundusImage, LesionMark, User
from screening.policy.marks import MARK_KINDS, Mark, MarkShape, Point
from screening.selectors.marks import marks_for_training
from screening.services.audit import record_event

_N_CORNERS = 32
"""Of the polygon for a circle."""
_CATEGORY_IDS = {kind: number for number, kind in enumerate(MARK_KINDS, start=1)}


@transaction.atomic
def export_marks(*, site_code: str = "", has_first_readings: bool = False, by: User) -> dict[str, Any]:
    """The marks of the reviews in force at the sites that ``by`` manages, or at the one with ``site_code``.

    One audit event a site. Raises AccessDenied if ``by`` manages no such site.
    """
    managed = sites_for(by, Action.MANAGE_SITE)
    sites = list(managed.filter(code=site_code) if site_code else managed)
    if not sites:
        raise AccessDenied(_("Marks are exported by a manager of the site. This user manages no such site."))
    images: dict[Any, dict[str, Any]] = {}
    annotations: list[dict[str, Any]] = []
    n_marks: Counter[Any] = Counter()
    for mark in marks_for_training(sites=sites, has_first_readings=has_first_readings).iterator():
        image = images.setdefault(mark.image_id, _image(mark.image, len(images) + 1))
        annotations.append({"id": len(annotations) + 1, "image_id": image["id"], **_annotation(mark)})
        n_marks[mark.image.exam.site_id] += 1
    for site in sites:
        data = {"n_marks": n_marks[site.pk], "has_first_readings": has_first_readings}
        record_event(verb=AuditEvent.Verb.MARKS_EXPORTED, subject=site, site=site, data=data, by=by)
    return {
        "info": {"description": "Marks of lesions on fundus photographs", "coordinates": "pixels; points: fractions"},
        "categories": [
            {"id": number, "name": kind.value, "label": str(MARK_KIND_LABELS[kind])}
            for kind, number in _CATEGORY_IDS.items()
        ],
        "images": list(images.values()),
        "annotations": annotations,
    }


def _image(image: FundusImage, number: int) -> dict[str, Any]:
    return {
        "id": number,
        "file_name": image.file.name,  # random, in MEDIA_ROOT or the bucket
        "sha256": image.sha256,
        "width": image.width_px,
        "height": image.height_px,
        "eye": image.laterality,
        "field": image.field,
        "is_synthetic": image.is_synthetic,
    }


def _annotation(row: LesionMark) -> dict[str, Any]:
    mark, image = row.value, row.image
    polygon = _polygon(mark, image.width_px, image.height_px)
    xs, ys = [x for x, _y in polygon], [y for _x, y in polygon]
    return {
        "category_id": _CATEGORY_IDS[mark.kind],
        "shape": mark.shape.value,
        "points": [list(point) for point in mark.points],
        "radius": mark.radius,
        "segmentation": [[value for point in polygon for value in point]] if len(polygon) > 1 else [],
        "bbox": [min(xs), min(ys), round(max(xs) - min(xs), 1), round(max(ys) - min(ys), 1)],
        "area": _area(polygon),
        "iscrowd": 0,
        "reader_role": READER,
        "reading": _reading(row),
    }


def _reading(row: LesionMark) -> str:
    if row.finding is None:
        return "first_reading"
    return "review" if row.finding.review.amends_id is None else "amendment"


def _polygon(mark: Mark, width_px: int, height_px: int) -> list[Point]:
    """Corners in pixels, within the photograph; one for a point."""
    corners = [(x * width_px, y * height_px) for x, y in mark.points]
    if mark.shape is MarkShape.CIRCLE and mark.radius is not None:
        (x, y), radius = corners[0], mark.radius * width_px
        angles = [2 * math.pi * number / _N_CORNERS for number in range(_N_CORNERS)]
        corners = [(x + radius * math.cos(angle), y + radius * math.sin(angle)) for angle in angles]
    return [(_within(x, width_px), _within(y, height_px)) for x, y in corners]


def _within(value: float, size_px: int) -> float:
    return round(min(float(size_px), max(0.0, value)), 1)


def _area(polygon: list[Point]) -> float:
    """By the shoelace formula."""
    following = [*polygon[1:], polygon[0]]
    return round(abs(sum(x * v - u * y for (x, y), (u, v) in zip(polygon, following, strict=True))) / 2, 1)
