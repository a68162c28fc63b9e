"""Kinds of DICOM files: which have one colour photograph of the retina, and why others are refused."""

from typing import Any

from pydicom.dataset import Dataset

from ml.serving.files.rejections import InvalidFile

_PHOTOGRAPHS = frozenset(
    {
        "1.2.840.10008.5.1.4.1.1.77.1.5.1",  # ophthalmic photography, 8 bits
        "1.2.840.10008.5.1.4.1.1.77.1.4",  # visible light photography
        "1.2.840.10008.5.1.4.1.1.7",  # secondary capture: what cameras without an ophthalmic class write
        "1.2.840.10008.5.1.4.1.1.7.4",  # the same, of several frames
    }
)
_REFUSED = {
    "1.2.840.10008.5.1.4.1.1.77.1.5.2": "bit_depth",  # ophthalmic photography, 16 bits
    "1.2.840.10008.5.1.4.1.1.77.1.5.4": "dicom_oct",  # tomography
    "1.2.840.10008.5.1.4.1.1.77.1.5.5": "dicom_wide_field",  # stereographic projection
    "1.2.840.10008.5.1.4.1.1.77.1.5.6": "dicom_wide_field",  # coordinates in space
    "1.2.840.10008.5.1.4.1.1.77.1.5.7": "dicom_oct",  # en face image
    "1.2.840.10008.5.1.4.1.1.77.1.5.8": "dicom_oct",  # analysis of a volume
}
"""Classes of PS3.4, table B.5-1, by the code of an InvalidFile. All others are no photographs."""
MAX_FIELD_DEG = 60.0
"""Wide-field photographs have 60 to 100 degrees, ultra-wide ones more (Choudhry et al., Ophthalmol Retina 2019)."""
_MAX_STRETCH = 0.02
"""Of a pixel: cameras round the two sides of a square one."""
_COMPRESSED = (
    "1.2.840.10008.1.2.4.57",
    "1.2.840.10008.1.2.4.70",  # lossless JPEG
    "1.2.840.10008.1.2.4.80",
    "1.2.840.10008.1.2.4.81",  # JPEG-LS
    "1.2.840.10008.1.2.4.10",  # MPEG, HEVC
    "1.2.840.10008.1.2.4.11",
    "1.2.840.10008.1.2.4.20",  # HTJ2K
)
_COLOURS = frozenset({"RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT", "YBR_PARTIAL_420", "YBR_PARTIAL_422"})


def require_colour_photograph(dataset: Dataset) -> None:
    """Raises InvalidFile unless the file has one colour photograph in a compression that is read."""
    _require_class(str(dataset.get("SOPClassUID") or ""))
    if (number(dataset, "HorizontalFieldOfView") or 0) > MAX_FIELD_DEG:
        raise InvalidFile("dicom_wide_field")
    _require_upright(dataset)
    if "PixelData" not in dataset:
        raise InvalidFile("dicom_no_photograph")
    if (number(dataset, "NumberOfFrames") or 1) > 1:
        raise InvalidFile("multi_frame")
    if number(dataset, "BitsAllocated") != 8:
        raise InvalidFile("bit_depth")
    colours = str(dataset.get("PhotometricInterpretation") or "").upper()
    if number(dataset, "SamplesPerPixel") == 1:
        raise InvalidFile("dicom_monochrome" if colours.startswith("MONOCHROME") else "colours")
    if number(dataset, "SamplesPerPixel") != 3 or colours not in _COLOURS:
        raise InvalidFile("colours")
    syntax = str(getattr(dataset, "file_meta", {}).get("TransferSyntaxUID", ""))
    if syntax.startswith(_COMPRESSED):
        raise InvalidFile("dicom_compression")


def _require_class(uid: str) -> None:
    if uid in _REFUSED:
        raise InvalidFile(_REFUSED[uid])
    if uid not in _PHOTOGRAPHS:
        raise InvalidFile("dicom_no_photograph")


def _require_upright(dataset: Dataset) -> None:
    """Raises InvalidFile if rows do not go to the patient's left, columns not to the feet, or pixels are not square."""
    orientation: Any = dataset.get("PatientOrientation") or ()
    if len(orientation) == 2 and any(str(to)[:1] in bad for to, bad in zip(orientation, ("RHF", "HLR"), strict=True)):
        raise InvalidFile("dicom_geometry")
    for name in ("PixelAspectRatio", "PixelSpacing"):
        sides: Any = dataset.get(name) or ()
        if len(sides) == 2 and abs(float(sides[0]) - float(sides[1])) > _MAX_STRETCH * float(sides[1]):
            raise InvalidFile("dicom_geometry")


def number(dataset: Dataset, name: str) -> float | None:
    """The value of an element; None without one. Raises ValueError."""
    value: Any = dataset.get(name)
    return None if value is None or value == "" else float(value)
