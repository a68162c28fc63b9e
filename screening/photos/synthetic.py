"""Synthetic photographs as files, for practice and demonstrations."""

from dataclasses import replace
from io import BytesIO

from ml.synthetic import Faults, draw_fundus, drawing_for_grade
from ml.vocabulary import ICDRGrade, Laterality

_JPEG_QUALITY = 92
_NO_FAULTS = Faults()


def synthetic_photograph(
    grade: ICDRGrade, laterality: Laterality, seed: int, *, faults: Faults = _NO_FAULTS
) -> BytesIO:
    """A JPEG file of one eye. The two eyes of one ``seed`` are of one camera and one person."""
    camera = drawing_for_grade(ICDRGrade.NONE, Laterality.RIGHT, 2 * seed)
    drawing = replace(
        drawing_for_grade(grade, laterality, 2 * seed + (laterality is Laterality.LEFT), faults=faults),
        frame=camera.frame,
        cut=camera.cut,
        has_notch=camera.has_notch,
        complexion=camera.complexion,
    )
    file = BytesIO()
    draw_fundus(drawing).save(file, "JPEG", quality=_JPEG_QUALITY)
    file.seek(0)
    return file
