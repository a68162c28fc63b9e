"""Marks on photographs: controls of the viewer, and the marks of a reading in words."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from django import template

from screening.labels.marks import MARK_KIND_CHOICES, MARK_KIND_LABELS, MARK_SHAPE_LABELS
from screening.models import EyeFinding, FundusImage, Reading, Review
from screening.policy.lesions import Lesion
from screening.policy.marks import MAX_MARKS, MAX_MARKS_CHARS, Mark, MarkShape, write_marks

register = template.Library()


class FollowedEye(Protocol):
    """An eye of the review page."""

    @property
    def previous_finding(self) -> EyeFinding | None: ...


_ICONS = {MarkShape.POINT: "crosshair", MarkShape.CIRCLE: "circle", MarkShape.OUTLINE: "lasso"}


@register.simple_tag
def mark_limits() -> dict[str, Any]:
    """What the page needs for drawing: limits, and kinds with their labels."""
    return {"marks": MAX_MARKS, "chars": MAX_MARKS_CHARS, "kinds": MARK_KIND_CHOICES}


@register.inclusion_tag("screening/reviews/_mark_shape.html")
def mark_shape(shape: str) -> dict[str, Any]:
    """The button that chooses a shape."""
    known = MarkShape(shape)
    return {"shape": shape, "icon_name": _ICONS[known], "label": str(MARK_SHAPE_LABELS[known]).capitalize()}


@register.filter
def mark_texts(finding: EyeFinding) -> list[str]:
    """The marks of an eye in words: "Haemorrhage × 3"."""
    counts = Counter(one.kind for one in finding.marks.all())
    return [f"{MARK_KIND_LABELS[Lesion(kind)]} × {count}" for kind, count in counts.items()]


@register.filter
def marks_json(review: Review) -> str:
    """All marks of a review as JSON, for the viewer; empty if there are none."""
    return write_marks(one.value for finding in review.findings.all() for one in finding.marks.all())


@register.filter
def earlier_marks_json(eyes: Iterable[FollowedEye]) -> str:
    """The signed marks of the visit before, on its photographs, as JSON for the viewer."""
    findings = [eye.previous_finding for eye in eyes if eye.previous_finding is not None]
    return write_marks(one.value for finding in findings for one in finding.marks.all())


@dataclass(frozen=True, slots=True)
class MarkPath:
    """A mark as a path of SVG, in pixels of its photograph."""

    kind: str
    label: str
    path: str


_POINT_RADIUS = 0.012
"""Of the sign of a point, as a fraction of the width."""


@register.simple_tag
def marks_on(reading: Reading, image: FundusImage) -> list[MarkPath]:
    """The marks of a reading on one photograph, from its prefetched eyes."""
    marks = [one.value for eye in reading.eyes.all() for one in eye.marks.all()]
    labels = {kind: str(label) for kind, label in MARK_KIND_LABELS.items()}
    return [MarkPath(one.kind.value, labels[one.kind], _path(one, image)) for one in marks if one.image_id == image.pk]


def _path(mark: Mark, image: FundusImage) -> str:
    points = [(x * image.width_px, y * image.height_px) for x, y in mark.points]
    if mark.shape is MarkShape.OUTLINE:
        return "M " + " L ".join(f"{x:.0f} {y:.0f}" for x, y in points) + " Z"
    (x, y), r = points[0], (mark.radius or _POINT_RADIUS) * image.width_px
    return f"M {x - r:.0f} {y:.0f} a {r:.0f} {r:.0f} 0 1 0 {2 * r:.0f} 0 a {r:.0f} {r:.0f} 0 1 0 {-2 * r:.0f} 0 Z"
