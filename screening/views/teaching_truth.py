"""What a reader found in an exam of a teaching set beside what was signed, with the marks of both."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from screening.labels.lesions import lesion_text
from screening.labels.marks import MARK_KIND_LABELS
from screening.models import FundusImage, TeachingCase, TeachingReading
from screening.policy import MacularOedema
from screening.policy.lesions import Lesion
from screening.policy.marks import Mark, MarkShape, read_marks
from screening.selectors.teaching import photos_of_case, signed_review

POINT_RADIUS = 0.008
"""Of the circle that shows a point, as a fraction of the width."""


@dataclass(frozen=True, slots=True)
class MarkInPixels:
    """A mark in pixels of the photograph: a circle, or an outline with ``points`` as SVG has them."""

    label: str
    x: float
    y: float
    radius: float
    points: str


@dataclass(frozen=True, slots=True)
class MarkedPhoto:
    """A photograph with the marks of the reader and those that were signed."""

    image: FundusImage
    own: list[MarkInPixels]
    signed: list[MarkInPixels]


@dataclass(frozen=True, slots=True)
class ComparedFinding:
    """One eye: what the reader found, and what was signed. No text that a person typed is part of it."""

    laterality: str
    own: TeachingReading
    own_lesions: list[str]
    signed_grade: int | None
    signed_oedema: MacularOedema
    signed_lesions: list[str]
    photos: list[MarkedPhoto]

    @property
    def is_different(self) -> bool:
        return (self.own.grade, self.own.macular_oedema) != (self.signed_grade, self.signed_oedema)


def compare_readings(case: TeachingCase, readings: Sequence[TeachingReading]) -> list[ComparedFinding]:
    """The eyes of an exam, the right one first. Five queries."""
    review = signed_review(case)
    findings: dict[str, Any] = {one.laterality: one for one in review.findings.all()} if review else {}
    photos = [one.image for one in photos_of_case(case)]
    compared = []
    for own in readings:
        finding, signed = findings.get(own.laterality), case.truth[own.laterality]
        marks = [one.value for one in finding.marks.all()] if finding else []
        compared.append(
            ComparedFinding(
                laterality=own.laterality,
                own=own,
                own_lesions=_texts(own.lesions),
                signed_grade=signed["grade"],
                signed_oedema=MacularOedema(signed["macular_oedema"]),
                signed_lesions=_texts(finding.lesions) if finding else [],
                photos=[
                    MarkedPhoto(image, _shapes_of(read_marks(own.marks), image), _shapes_of(marks, image))
                    for image in photos
                    if image.laterality == own.laterality
                ],
            )
        )
    return compared


def _texts(lesions: Mapping[str, int]) -> list[str]:
    return [lesion_text(Lesion(code), value) for code, value in lesions.items()]


def _shapes_of(marks: Iterable[Mark], image: FundusImage) -> list[MarkInPixels]:
    shapes = []
    for mark in marks:
        if mark.image_id != image.pk:
            continue
        corners = [(round(x * image.width_px, 1), round(y * image.height_px, 1)) for x, y in mark.points]
        radius = (POINT_RADIUS if mark.radius is None else mark.radius) * image.width_px
        is_outline = mark.shape is MarkShape.OUTLINE
        text = " ".join(f"{x},{y}" for x, y in corners) if is_outline else ""
        shapes.append(MarkInPixels(str(MARK_KIND_LABELS[mark.kind]), *corners[0], round(radius, 1), text))
    return shapes
