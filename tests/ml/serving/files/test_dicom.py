"""DICOM files of ophthalmic photography."""

import datetime
import logging
import zlib
from collections.abc import Callable
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import ExifTags, Image
from pydicom.uid import DeflatedExplicitVRLittleEndian

from ml.serving.decoders import decoders
from ml.serving.files.cleaning import clean_file
from ml.serving.files.photo_file import check_file
from ml.serving.files.rejections import REJECTIONS, InvalidFile
from tests.builders import photo_bytes
from tests.dicom_files import (
    dicom_jpeg,
    dicom_jpeg_2000,
    dicom_pixels,
    dicom_run_length,
    header,
    written,
)


def photograph() -> Image.Image:
    return Image.open(BytesIO(photo_bytes(size=(480, 360)))).convert("RGB")


def pixels_of(data: bytes) -> "np.ndarray[tuple[int, ...], np.dtype[np.int16]]":
    with Image.open(BytesIO(clean_file(data).cleaned)) as photo:
        return np.asarray(photo.convert("RGB"), dtype=np.int16)


@pytest.mark.parametrize("has_preamble", [True, False])
def test_a_baseline_jpeg_leaves_as_it_is_coded(has_preamble: bool) -> None:
    jpeg = photo_bytes(size=(480, 360))
    photo = clean_file(dicom_jpeg(jpeg, has_preamble=has_preamble))
    assert photo.cleaned == clean_file(jpeg).cleaned
    assert (photo.format, photo.extension, photo.width_px, photo.height_px) == ("JPEG", "jpg", 480, 360)
    assert (photo.camera, photo.captured_on) == ("Optics Camera 45", datetime.date(2026, 3, 1))


UNCOMPRESSED: dict[str, Callable[[Image.Image], bytes]] = {
    "RGB": dicom_pixels,
    "RGB in planes": lambda image: dicom_pixels(image, is_planar=True),
    "run lengths": dicom_run_length,
    "lossless JPEG 2000": lambda image: dicom_jpeg_2000(image, is_lossless=True),
}


@pytest.mark.parametrize("kind", UNCOMPRESSED)
def test_a_lossless_file_keeps_each_pixel(kind: str) -> None:
    data = UNCOMPRESSED[kind](photograph())
    assert clean_file(data).format == "PNG"
    assert (pixels_of(data) == np.asarray(photograph())).all()


@pytest.mark.parametrize(
    "data",
    [dicom_pixels(photograph(), "YBR_FULL"), dicom_jpeg_2000(photograph(), is_lossless=False)],
    ids=["YBR_FULL", "lossy JPEG 2000"],
)
def test_other_codings_keep_the_colours(data: bytes) -> None:
    assert np.abs(pixels_of(data) - np.asarray(photograph(), dtype=np.int16)).max() <= 4


def test_exif_in_the_jpeg_rotates_no_photograph() -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.Base.Make] = "Ada Lovelace"
    rotated = BytesIO()
    photograph().save(rotated, "JPEG", exif=exif)
    photo = clean_file(dicom_jpeg(rotated.getvalue()))
    assert (photo.width_px, photo.height_px, photo.orientation) == (480, 360, 1)
    assert b"Lovelace" not in photo.cleaned


def test_a_colour_profile_of_the_header_stays_with_the_photograph() -> None:
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for data in (dicom_jpeg(ICCProfile=profile), dicom_pixels(photograph(), ICCProfile=profile)):
        assert len(clean_file(data).icc_profile) > 100


def test_nothing_of_the_header_is_stored() -> None:
    cleaned = clean_file(dicom_jpeg()).cleaned + clean_file(dicom_pixels(photograph())).cleaned
    assert not [text for text in (b"Lovelace", b"MRN-1", b"19601210", b"DICM") if text in cleaned]


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "monochrome": ({"SamplesPerPixel": 1, "PhotometricInterpretation": "MONOCHROME2"}, "dicom_monochrome"),
    "palette": ({"SamplesPerPixel": 1, "PhotometricInterpretation": "PALETTE COLOR"}, "colours"),
    "wide-field class": ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.77.1.5.5"}, "dicom_wide_field"),
    "wide field of view": ({"HorizontalFieldOfView": 200.0}, "dicom_wide_field"),
    "OCT": ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.77.1.5.4"}, "dicom_oct"),
    "16-bit class": ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.77.1.5.2"}, "bit_depth"),
    "16 bits": ({"BitsAllocated": 16}, "bit_depth"),
    "report": ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.104.1"}, "dicom_no_photograph"),
    "no class": ({"SOPClassUID": None}, "dicom_no_photograph"),
    "several frames": ({"NumberOfFrames": 2}, "multi_frame"),
    "too many pixels": ({"Rows": 20_000, "Columns": 20_000}, "too_many_pixels"),
    "mirrored": ({"PatientOrientation": ["R", "F"]}, "dicom_geometry"),
    "rotated": ({"PatientOrientation": ["F", "R"]}, "dicom_geometry"),
    "upside down": ({"PatientOrientation": ["LP", "H"]}, "dicom_geometry"),
    "pixels that are not square": ({"PixelAspectRatio": ["4", "3"]}, "dicom_geometry"),
    "pixels without a width": ({"PixelAspectRatio": ["1", "0"]}, "dicom_geometry"),
    "pixels of two sizes": ({"PixelSpacing": ["0.01", "0.02"]}, "dicom_geometry"),
    "another size than that of the JPEG": ({"Rows": 361}, "damaged"),
    "too small": ({"Rows": 20, "Columns": 20}, "too_small"),
    "no size": ({"Rows": None}, "damaged"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_other_kinds_are_refused_with_the_reason(kind: str) -> None:
    values, code = REFUSED[kind]
    with pytest.raises(InvalidFile) as caught:
        check_file(dicom_jpeg(**values))
    assert caught.value.code == code
    assert str(caught.value) == REJECTIONS[code]


def test_a_photograph_as_a_viewer_displays_it_is_read() -> None:
    upright: dict[str, Any] = {
        "PatientOrientation": ["L", "F"],
        "PixelAspectRatio": ["1", "1"],
        "PixelSpacing": ["0.0101", "0.0102"],
    }
    assert check_file(dicom_jpeg(**upright)).size_px == (480, 360)
    assert check_file(dicom_jpeg(PatientOrientation="", PixelSpacing="")).size_px == (480, 360)


def luma_and_chroma() -> Image.Image:
    """Luma and chroma of the photograph in place of red, green and blue."""
    image = photograph().convert("YCbCr")
    return Image.frombytes("RGB", image.size, image.tobytes())


def with_frame(marker: bytes) -> bytes:
    """A JPEG whose frame has the marker of another process."""
    return dicom_jpeg().replace(b"\xff\xc0", marker, 1)


SECOND = photo_bytes(size=(480, 360), seed=7)
FALSE: dict[str, tuple[Callable[[], bytes], str]] = {
    "two JPEG, one frame stated": (lambda: dicom_jpeg(None, SECOND), "multi_frame"),
    "two JPEG": (lambda: dicom_jpeg(None, SECOND, NumberOfFrames=None), "multi_frame"),
    "lossless JPEG, called baseline": (lambda: with_frame(b"\xff\xc3"), "dicom_compression"),
    "JPEG-LS, called baseline": (lambda: with_frame(b"\xff\xf7"), "dicom_compression"),
    "two JPEG 2000": (lambda: dicom_jpeg_2000(photograph(), photograph()), "multi_frame"),
    "pixels of two photographs": (lambda: dicom_pixels(photograph(), n_pictures=2), "multi_frame"),
    "signed numbers": (lambda: dicom_pixels(photograph(), PixelRepresentation=1), "colours"),
    "seven bits": (lambda: dicom_pixels(photograph(), BitsStored=7, HighBit=6), "colours"),
    "a part of the range": (lambda: dicom_pixels(photograph(), "YBR_PARTIAL_422"), "colours"),
    "colours of JPEG 2000": (lambda: dicom_pixels(photograph(), "YBR_ICT"), "colours"),
    "luma as red": (
        lambda: dicom_jpeg_2000(luma_and_chroma(), is_transformed=False, PhotometricInterpretation="YBR_FULL"),
        "dicom_compression",
    ),
}


@pytest.mark.parametrize("kind", FALSE)
def test_a_file_that_would_be_shown_falsely_is_refused(kind: str) -> None:
    make, code = FALSE[kind]
    with pytest.raises(InvalidFile) as caught:
        check_file(make())
    assert caught.value.code == code


def test_a_jpeg_in_several_fragments_is_one_photograph() -> None:
    jpeg = photo_bytes(size=(480, 360))
    middle = len(jpeg) // 4 * 2
    assert (
        clean_file(dicom_jpeg(jpeg[:middle], jpeg[middle:], Columns=480, Rows=360)).cleaned == clean_file(jpeg).cleaned
    )


def test_a_file_that_is_packed_as_a_whole_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zlib, "decompress", lambda *_: pytest.fail("unpacked"))
    with pytest.raises(InvalidFile) as caught:
        check_file(written(header((480, 360)), DeflatedExplicitVRLittleEndian))
    assert caught.value.code == "dicom_compression"


def test_a_dicom_file_that_begins_as_a_tiff_is_read_with_its_person() -> None:
    data = b"II*\x00".ljust(128, b"\x00") + dicom_jpeg()[128:]
    found = clean_file(data)
    assert found.dicom is not None
    assert found.dicom.patient_id == "MRN-1"


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.102"])
def test_a_compression_that_is_not_read_is_named(syntax: str) -> None:
    dataset = header((480, 360))
    dataset.PixelData = b"\xfe\xff\x00\xe0\x00\x00\x00\x00\xfe\xff\x00\xe0\x04\x00\x00\x00\x00\x00\x00\x00"
    dataset["PixelData"].is_undefined_length = True
    with pytest.raises(InvalidFile) as caught:
        check_file(written(dataset, syntax))
    assert caught.value.code == "dicom_compression"


def test_a_file_that_is_cut_is_refused_wherever_it_is_cut() -> None:
    for data in (dicom_jpeg(), dicom_pixels(photograph())):
        for end in (140, 200, 400, 700, len(data) // 2, len(data) - 2000):
            with pytest.raises(InvalidFile):
                clean_file(data[:end])


def test_a_file_with_wrong_bytes_is_refused_or_read_but_never_an_error() -> None:
    data, random = dicom_jpeg(), np.random.default_rng(7)
    n_refused = 0
    for _round in range(300):
        broken = bytearray(data)
        for at in random.integers(132, 1200, size=4):
            broken[at] = random.integers(256)
        try:
            clean_file(bytes(broken))
        except InvalidFile:
            n_refused += 1
    assert 0 < n_refused < 300


def test_nothing_of_the_file_is_logged(caplog: pytest.LogCaptureFixture, recwarn: pytest.WarningsRecorder) -> None:
    data = dicom_jpeg(PatientBirthDate="Lovelace", SpecificCharacterSet="ISO 1000")
    recwarn.clear()
    caplog.set_level(logging.DEBUG)
    clean_file(data)
    assert not caplog.text
    assert not list(recwarn)


def test_a_decoder_process_reads_it_too() -> None:
    long = "x" * 64
    data = dicom_jpeg(PatientName="=".join([f"{'山' * 31}^{'太' * 32}"] * 3), PatientID=long, Manufacturer="ü" * 64)
    decoders.use_processes(1)
    try:
        found = decoders.clean(data)
        small, _size = decoders.reduced_jpeg(data, side_px=192)
    finally:
        decoders.use_processes(0)
    assert found == clean_file(data)
    assert found.dicom is not None
    assert found.dicom.patient_id == long
    assert small.startswith(b"\xff\xd8\xff")
