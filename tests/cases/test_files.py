"""Every file through the three ways in: the page, the REST API and the command line agree about it."""

import json
import struct
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from ml.cli.main import main
from ml.grader import Grader
from screening.models import User
from tests.cases.composites import WHITE, eye, joined, on_surroundings, report_page, sick_eye, with_text
from tests.cases.conftest import Record
from tests.dicom_files import dicom_jpeg, dicom_pixels
from tests.screening.api.client import ApiClient
from tests.screening.views.pages import url

Make = Callable[[], bytes]


def saved(image: Image.Image, format: str = "JPEG", **options: Any) -> bytes:  # noqa: A002  # Pillow's name
    file = BytesIO()
    image.copy().save(file, format, **options)
    return file.getvalue()


def jpeg(**options: Any) -> bytes:
    return saved(sick_eye(), quality=92, **options)


def with_segment(marker: int, body: bytes, *, length: int | None = None) -> bytes:
    size = len(body) + 2 if length is None else length
    return jpeg()[:2] + bytes([0xFF, marker]) + struct.pack(">H", size) + body + jpeg()[2:]


def mislabelled() -> bytes:
    """A JPEG whose Adobe marker says RGB, over luma and chroma."""
    data = with_segment(0xEE, b"Adobe\x00d\x00\x00\x00\x00\x00")
    start = data.index(b"\xff\xe0")  # a JFIF header would say luma and chroma
    return data[:start] + data[start + 18 :]


def transparent() -> Image.Image:
    photo = on_surroundings(sick_eye(), WHITE).convert("RGBA")
    frame = np.asarray(sick_eye()).max(axis=2) < 12
    photo.putalpha(Image.fromarray((~frame * 255).astype(np.uint8)))
    return photo


def pages(format: str, second: Image.Image) -> bytes:  # noqa: A002
    return saved(sick_eye(), format, save_all=True, append_images=[second.copy()])


FILES: dict[str, tuple[Make, str]] = {
    "plain JPEG": (jpeg, "grade 2"),
    "progressive JPEG": (lambda: jpeg(progressive=True), "grade 2"),
    "JPEG with restart markers": (lambda: jpeg(restart_marker_rows=1), "grade 2"),
    "JPEG without its end marker": (lambda: jpeg()[:-2], "grade 2"),
    "JPEG with half of its end marker": (lambda: jpeg()[:-1], "grade 2"),
    "JPEG with bytes behind it": (lambda: jpeg() + b"exported by viewer" + b"\x00" * 500, "grade 2"),
    "JPEG with fill bytes": (lambda: jpeg()[:2] + b"\xff\xff" + jpeg()[2:], "grade 2"),
    "JPEG with a broken EXIF block": (lambda: with_segment(0xE1, b"Exif\x00\x00II*\x00\xff\xff\xff\xff"), "grade 2"),
    "half a JPEG": (lambda: jpeg()[: len(jpeg()) // 2], "damaged"),
    "half a JPEG with an end marker": (lambda: jpeg()[: len(jpeg()) // 2] + b"\xff\xd9", "damaged"),
    "JPEG cut by 100 bytes": (lambda: jpeg()[:-100], "damaged"),
    "JPEG with two starts": (lambda: jpeg()[:2] + jpeg(), "damaged"),
    "JPEG with a segment that is too long": (lambda: with_segment(0xE1, b"x", length=65_535), "damaged"),
    "JPEG with bytes before it": (lambda: b"\n" + jpeg(), "not_a_photograph"),
    "two JPEGs in one file": (lambda: jpeg() + saved(eye(2)), "multi_frame"),
    "MPO of two photographs": (lambda: pages("MPO", eye(2).resize((600, 600))), "multi_frame"),
    "MPO with a preview": (lambda: pages("MPO", sick_eye().resize((160, 160))), "grade 2"),
    "JPEG in CMYK": (lambda: saved(sick_eye().convert("CMYK")), "cmyk"),
    "JPEG in grey": (lambda: saved(sick_eye().convert("L")), "not_color"),
    "JPEG with a false colour marker": (mislabelled, "not_color"),
    "PNG": (lambda: saved(sick_eye(), "PNG"), "grade 2"),
    "transparent PNG": (lambda: saved(transparent(), "PNG"), "grade 2"),
    "transparent WebP": (lambda: saved(transparent(), "WEBP", lossless=True, exact=True), "grade 2"),
    "transparent TIFF": (lambda: saved(transparent(), "TIFF"), "grade 2"),
    "PNG with a palette": (lambda: saved(sick_eye().quantize(200), "PNG"), "colours"),
    "animated PNG": (lambda: pages("PNG", eye(2).resize((600, 600))), "multi_frame"),
    "TIFF with LZW": (lambda: saved(sick_eye(), "TIFF", compression="tiff_lzw"), "grade 2"),
    "JPEG in TIFF": (lambda: saved(sick_eye(), "TIFF", compression="jpeg"), "grade 2"),
    "TIFF with a thumbnail": (lambda: pages("TIFF", sick_eye().resize((160, 160))), "grade 2"),
    "TIFF of two photographs": (lambda: pages("TIFF", eye(2).resize((600, 600))), "multi_frame"),
    "BMP": (lambda: saved(sick_eye(), "BMP"), "bmp"),
    "GIF": (lambda: saved(sick_eye(), "GIF"), "gif"),
    "PPM": (lambda: saved(sick_eye(), "PPM"), "ppm"),
    "JPEG 2000": (lambda: saved(sick_eye(), "JPEG2000"), "jpeg2000"),
    "AVIF": (lambda: saved(sick_eye(), "AVIF"), "avif"),
    "HEIC": (lambda: b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", "heic"),
    "DICOM": (lambda: dicom_jpeg(saved(sick_eye(), "JPEG", quality=92)), "grade 2"),
    "DICOM without preamble": (
        lambda: dicom_jpeg(saved(sick_eye(), "JPEG", quality=92), has_preamble=False),
        "grade 2",
    ),
    "DICOM that names false colours": (
        lambda: dicom_jpeg(saved(sick_eye(), "JPEG", quality=92), PhotometricInterpretation="RGB"),
        "grade 2",
    ),
    "uncompressed DICOM": (lambda: dicom_pixels(sick_eye(), "YBR_FULL"), "grade 2"),
    "red-free DICOM": (
        lambda: dicom_jpeg(
            saved(sick_eye().getchannel("G"), "JPEG"), SamplesPerPixel=1, PhotometricInterpretation="MONOCHROME2"
        ),
        "dicom_monochrome",
    ),
    "wide-field DICOM": (
        lambda: dicom_jpeg(saved(sick_eye(), "JPEG"), SOPClassUID="1.2.840.10008.5.1.4.1.1.77.1.5.5"),
        "dicom_wide_field",
    ),
    "DICOM without a photograph": (lambda: b"\x00" * 128 + b"DICM\x02\x00\x00\x00UL\x04\x00", "dicom_no_photograph"),
    "Heidelberg E2E": (lambda: b"CMDb\x00\x00\x00\x00" + b"\x00" * 90, "oct_e2e"),
    "Topcon FDA": (lambda: b"FOCTFDA\x02\x00\x00\x00" + b"\x00" * 90, "oct_topcon"),
    "Topcon FDS": (lambda: b"FOCTFDS\x02\x00\x00\x00" + b"\x00" * 90, "oct_topcon"),
    "text": (lambda: b"Dear colleague, please find attached", "not_a_photograph"),
    "empty file": (lambda: b"", "empty"),
    "two eyes": (lambda: saved(joined(sick_eye(), eye(1))), "two_eyes"),
    "report page": (lambda: saved(report_page(sick_eye())), "not_a_photograph"),
    "retina on white": (lambda: saved(on_surroundings(sick_eye(), WHITE)), "grade 2"),
    "writing in the corner": (lambda: saved(with_text(sick_eye(), ((6, 6), "R 000417"))), "grade 2"),
}
"""How to make each file, and what it gives: its grade, or why it has none."""


@pytest.fixture(scope="module")
def real_grader() -> Grader:
    return Grader.load()


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What the command line prints about a folder of all files, by kind."""
    folder = tmp_path_factory.mktemp("files")
    for kind, (make, _verdict) in FILES.items():
        (folder / kind).write_bytes(make())
    with pytest.MonkeyPatch.context() as patch:
        printed: list[str] = []
        patch.setattr("builtins.print", lambda text, **_options: printed.append(text))
        assert main(["grade", str(folder), "--json"]) == 1
    return {Path(line["file"]).name: line for line in map(json.loads, printed)}


@pytest.mark.parametrize("kind", FILES)
def test_page_api_and_command_line_agree_about_a_file(
    kind: str,
    lines: dict[str, dict[str, Any]],
    real_grader: Grader,
    photographer: User,
    client: Client,
    monkeypatch: pytest.MonkeyPatch,
    record_case: Record,
) -> None:
    make, verdict = FILES[kind]
    for name, value in (("current_grader", real_grader), ("current_bundle", real_grader.bundle)):
        monkeypatch.setattr(f"screening.services.inference.{name}", lambda _model, value=value: value)
    data, line = make(), lines[kind]
    answer = ApiClient(photographer).send("predict", data)
    client.force_login(photographer)
    page = client.post(url("predict"), {"photo": SimpleUploadedFile("a.jpg", data)})
    record_case(kind, answer.body.get("message") or verdict)
    if answer.status == 200:
        reasons = [reason["code"] for reason in answer.body["quality_reasons"]]
        assert (f"grade {answer.body['grade']}" if answer.body["is_gradable"] else reasons[0]) == verdict
        assert page.status_code == 200
        assert (line["grade"], line["quality_reasons"]) == (answer.body["grade"], reasons)
    else:
        assert (answer.status, answer.body["code"]) == (400, verdict)
        assert page.status_code == 422
        assert (line.get("error") or line["left_out"]) == answer.body["message"]
        assert answer.body["message"].endswith(".")


def test_every_file_of_a_folder_has_a_line(lines: dict[str, dict[str, Any]]) -> None:
    assert set(lines) == set(FILES)
