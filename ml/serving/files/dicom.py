"""DICOM files of ophthalmic photography (PS3.3): the photograph, and what the header states.

pydicom reads the elements that are named here and no others. The photograph leaves as JPEG or PNG, without the header.
"""

import datetime
import logging
import re
import warnings
from io import BytesIO
from itertools import takewhile
from typing import Any

import numpy as np
import pydicom
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.encaps import generate_fragments, parse_basic_offsets
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.pixels.utils import pixel_array

from ml.serving.files.costs import require_affordable
from ml.serving.files.dicom_header import DicomHeader, printable_text
from ml.serving.files.dicom_kinds import number, require_colour_photograph
from ml.serving.files.exif import MAX_CAMERA_LENGTH
from ml.serving.files.rejections import MAX_PIXELS, MIN_SIDE_PX, InvalidFile
from ml.serving.files.segments import JPEG_SOS, jpeg_segments
from ml.vocabulary import Laterality

_ELEMENTS = (
    "SpecificCharacterSet",
    "SOPClassUID",
    "SOPInstanceUID",
    "StudyInstanceUID",
    "AcquisitionDateTime",
    "AcquisitionDate",
    "ContentDate",
    "StudyDate",
    "Manufacturer",
    "ManufacturerModelName",
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "Laterality",
    "ImageLaterality",
    "RelativeImagePositionCodeSequence",
    "PupilDilated",
    "HorizontalFieldOfView",
    "PatientOrientation",
    "PixelAspectRatio",
    "PixelSpacing",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "PlanarConfiguration",
    "NumberOfFrames",
    "Rows",
    "Columns",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "ICCProfile",
    "PixelData",
)
_BROKEN = (InvalidDicomError, BytesLengthException, AttributeError, RuntimeError, UnicodeError, LookupError)
"""What pydicom raises on broken files beside ``photo_file.DECODER_ERRORS``."""
_CODE_STREAM, _CODING_STYLE = b"\xff\x4f\xff\x51", b"\xff\x52"
"""Markers of JPEG 2000 (ITU T.800, A.4 and A.6.1): the start of a picture, and how it is coded."""
_TRANSFORM_AT = 8
"""Behind the marker of the coding style: whether the colours are those of YBR_RCT or YBR_ICT."""
_JPEG, _JPEG_2000 = b"\xff\xd8\xff", (b"\x00\x00\x00\x0cjP  ", _CODE_STREAM)
_LOSSLESS = frozenset({0xC3, 0xC7, 0xCB, 0xCF, 0xF7})
"""Starts of frames of lossless JPEG (ITU T.81, table B.1) and JPEG-LS (ITU T.87)."""
_EXIF_OR_XMP, _APPLICATION_2 = 0xE1, 0xE2
_MAX_PROFILE_BYTES = 65_000
"""Of a colour profile in one segment of a JPEG."""
_EYES = {"R": Laterality.RIGHT, "L": Laterality.LEFT}
_FIELDS = {"111900": "macula", "111901": "disc"}
"""Codes of DCM: macula-centred, disc-centred (PS3.16, context group 4207)."""
_PUPILS = {"YES": "dilated", "NO": "undilated"}
_UID = re.compile(r"(?=.{1,64}\Z)[0-9]+(\.[0-9]+)+")
_DATES = ("AcquisitionDateTime", "AcquisitionDate", "ContentDate", "StudyDate")
_COMPRESS_LEVEL = 2
_DEFLATED = b"1.2.840.10008.1.2.1.99"
"""Transfer syntax of a file that pydicom would unpack as a whole, however large it becomes."""


def read_dicom(data: bytes) -> tuple[bytes, DicomHeader]:
    """The photograph of a DICOM file as JPEG or PNG, upright as DICOM displays it, and the header.

    A baseline JPEG leaves as it is coded, without EXIF; any other coding becomes PNG. Raises InvalidFile, and what
    ``photo_file.DECODER_ERRORS`` names.
    """
    if _DEFLATED in data:
        raise InvalidFile("dicom_compression")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NB: pydicom writes values of the file, such as a date, into warnings and logs
        logging.getLogger("pydicom").setLevel(logging.CRITICAL + 1)
        try:
            dataset = pydicom.dcmread(BytesIO(data), force=True, specific_tags=list(_ELEMENTS))
            require_colour_photograph(dataset)
            photo = _photograph(dataset)
            _require_stated_size(photo, dataset)
            return photo, _header(dataset)
        except _BROKEN:
            raise InvalidFile("damaged") from None


def _photograph(dataset: Dataset) -> bytes:
    _require_size(int(dataset.Rows), int(dataset.Columns))
    profile = bytes(dataset.get("ICCProfile") or b"")
    if not dataset["PixelData"].is_undefined_length or _is_rle(dataset):
        return _png(_pixels(dataset), profile)
    coded = BytesIO(dataset.PixelData)
    parse_basic_offsets(coded)  # NB: these may name a second frame, which would be left out
    frame = b"".join(generate_fragments(coded))
    if frame.startswith(_JPEG):
        return _without_exif(frame, profile)
    if frame.startswith(_JPEG_2000):
        return _png(_jpeg_2000(frame, _colours(dataset)), profile)
    raise InvalidFile("dicom_compression")


def _require_stated_size(photo: bytes, dataset: Dataset) -> None:
    """Raises InvalidFile for another size than that of the header: the photograph is then not that of the header."""
    with Image.open(BytesIO(photo), formats=["JPEG", "PNG"]) as image:
        if image.size != (int(dataset.Columns), int(dataset.Rows)):
            raise InvalidFile("damaged")


def _is_rle(dataset: Dataset) -> bool:
    meta = getattr(dataset, "file_meta", {})
    return str(meta.get("TransferSyntaxUID", "")) == pydicom.uid.RLELossless


def _require_size(n_rows: int, n_columns: int) -> None:
    if n_rows * n_columns > MAX_PIXELS:
        raise InvalidFile("too_many_pixels")
    if min(n_rows, n_columns) < MIN_SIDE_PX:
        raise InvalidFile("too_small")


def _colours(dataset: Dataset) -> str:
    return str(dataset.PhotometricInterpretation).upper()


def _pixels(dataset: Dataset) -> Image.Image:
    """The pixels of an uncompressed or run-length coded file as RGB."""
    modes = {"RGB": "RGB", "YBR_FULL": "YCbCr", "YBR_FULL_422": "YCbCr"}
    bits = [number(dataset, name) for name in ("BitsStored", "PixelRepresentation")]
    if _colours(dataset) not in modes or bits != [8, 0]:
        raise InvalidFile("colours")
    require_affordable("TIFF", "RGB", (int(dataset.Columns), int(dataset.Rows)))
    if getattr(dataset.file_meta, "TransferSyntaxUID", None) is None:
        is_implicit = dataset.original_encoding[0]
        uids = pydicom.uid.ImplicitVRLittleEndian, pydicom.uid.ExplicitVRLittleEndian
        dataset.file_meta.TransferSyntaxUID = uids[0] if is_implicit else uids[1]
    values = np.ascontiguousarray(pixel_array(dataset, raw=True))
    if values.ndim != 3:
        raise InvalidFile("multi_frame")
    mode = modes[_colours(dataset)]
    size_px = (values.shape[1], values.shape[0])
    return Image.frombuffer(mode, size_px, values.tobytes(), "raw", mode, 0, 1).convert("RGB")


def _jpeg_2000(frame: bytes, colours: str) -> Image.Image:
    if frame.count(_CODE_STREAM) != 1:
        raise InvalidFile("multi_frame")
    is_transformed = frame[frame.index(_CODING_STYLE) + _TRANSFORM_AT] == 1
    if colours != "RGB" and not is_transformed:  # a decoder would display luma and chroma as red, green and blue
        raise InvalidFile("dicom_compression")
    with Image.open(BytesIO(frame), formats=["JPEG2000"]) as image:
        if image.mode != "RGB":
            raise InvalidFile("colours" if image.mode != "I;16" else "bit_depth")
        _require_size(image.height, image.width)
        require_affordable("WEBP", "RGB", image.size)
        image.load()
        return image.copy()


def _png(image: Image.Image, profile: bytes) -> bytes:
    written = BytesIO()
    image.info = {}
    image.save(written, "PNG", compress_level=_COMPRESS_LEVEL, **({"icc_profile": profile} if profile else {}))
    return written.getvalue()


def _without_exif(frame: bytes, profile: bytes) -> bytes:
    """The JPEG without EXIF, which would rotate it, and with the colour profile of the header if it has none.

    The even length of a fragment adds a zero byte behind the image, which goes too. A second picture stays.
    """
    kept, has_profile = [], False
    for marker, start, end in jpeg_segments(frame):
        if marker in _LOSSLESS:
            raise InvalidFile("dicom_compression")
        if marker == JPEG_SOS and profile and not has_profile and len(profile) <= _MAX_PROFILE_BYTES:
            kept.append(_profile_segment(profile))
            has_profile = True
        has_profile = has_profile or (marker == _APPLICATION_2 and frame[start + 4 : start + 8] == b"ICC_")
        if marker != _EXIF_OR_XMP:
            kept.append(frame[start:end])
    return b"\xff\xd8" + b"".join(kept) + frame[end:].rstrip(b"\x00")


def _profile_segment(profile: bytes) -> bytes:
    body = b"ICC_PROFILE\x00\x01\x01" + profile
    return b"\xff\xe2" + (len(body) + 2).to_bytes(2, "big") + body


def _header(dataset: Dataset) -> DicomHeader:
    names = [_text(dataset, name) for name in ("Manufacturer", "ManufacturerModelName")]
    return DicomHeader(
        patient_id=_text(dataset, "PatientID"),
        patient_name=_text(dataset, "PatientName"),
        birth_date=_birth_date(_text(dataset, "PatientBirthDate")),
        laterality=_eye(dataset),
        field=_field(dataset),
        pupil=_PUPILS.get(_text(dataset, "PupilDilated").upper(), ""),
        captured_on=next((day for day in map(_date, (_text(dataset, name) for name in _DATES)) if day), None),
        camera=" ".join(filter(None, names))[:MAX_CAMERA_LENGTH],
        study_uid=_uid(dataset, "StudyInstanceUID"),
        instance_uid=_uid(dataset, "SOPInstanceUID"),
    )


def _text(dataset: Dataset, name: str) -> str:
    """The value as text; several with a backslash between them, so that none counts as the only one."""
    value: Any = dataset.get(name)
    if isinstance(value, pydicom.multival.MultiValue):
        value = "\\".join(map(str, value))
    return "" if value is None else printable_text(str(value))


def _uid(dataset: Dataset, name: str) -> str:
    """The UID; empty if it is none."""
    value = _text(dataset, name)
    return value if _UID.fullmatch(value) else ""


def _eye(dataset: Dataset) -> Laterality | None:
    """That of the image, else that of the series; None if they contradict each other."""
    named = {value for name in ("ImageLaterality", "Laterality") if (value := _text(dataset, name).upper())}
    return _EYES.get(next(iter(named))) if len(named) == 1 else None


def _field(dataset: Dataset) -> str:
    codes: Any = dataset.get("RelativeImagePositionCodeSequence") or []
    found = {_FIELDS[code] for one in codes if (code := _text(one, "CodeValue")) in _FIELDS}
    return found.pop() if len(found) == 1 else ""


def _date(text: str) -> datetime.date | None:
    """The day of a date, or of a date and time; None for a month or a year alone."""
    digits = text[:10].replace(".", "").replace("-", "")[:8]
    if len(digits) < 8:
        return None
    try:
        return datetime.date.fromisoformat(digits)
    except ValueError:
        return None


def _birth_date(text: str) -> str:
    """YYYYMMDD as YYYY-MM-DD; also incomplete, or with the dots of older files. Empty for anything else."""
    digits = text.replace(".", "").replace("-", "")
    if not digits.isascii() or not digits.isdecimal() or len(digits) not in {4, 6, 8}:
        return ""
    pieces = [digits[:4], *takewhile(lambda one: one.strip("0"), (digits[4:6], digits[6:]))]
    try:
        datetime.date(*(int(one) for one in (*pieces, "1", "1")[:3]))
    except ValueError:
        return ""
    return "-".join(pieces)
