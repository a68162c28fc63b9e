"""The same picture again, the day of a photograph, attempts: what the REST API answers to each."""

import random
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from PIL import ExifTags, Image

from ml.evaluation.copies import COPIES, find_photographs
from ml.perceptual_hash import hash_flips, hash_picture
from ml.picture_correlation import is_same_picture
from screening.models import Exam, FundusImage, Site, User
from screening.services.images import withdraw_image
from tests.builders import photo_bytes
from tests.cases.conftest import Record
from tests.copies import SAME_PICTURE, eye_file, synthetic_photo
from tests.ml.conftest import data_dir
from tests.screening.api.client import ApiClient, ApiResponse
from tests.screening.factories import ExamFactory, MembershipFactory

__all__ = ("data_dir",)  # a fixture
Send = Callable[..., ApiResponse]


@pytest.fixture
def exam(site: Site) -> Exam:
    return ExamFactory(patient__site=site)


@pytest.fixture
def send(exam: Exam, photographer: User) -> Send:
    """Sends a photograph of the right eye to an exam; keywords are further fields."""
    client = ApiClient(photographer)

    def call(data: bytes, *, to: Exam = exam, **fields: Any) -> ApiResponse:
        return client.send(f"exams/{to.pk}/images", data, **{"laterality": "OD", **fields})

    return call


def verdict(response: ApiResponse) -> str:
    return f"{response.status} {response.body.get('code', 'stored')}"


@pytest.mark.parametrize("kind", ["the very file", *SAME_PICTURE])
def test_the_same_picture_again(kind: str, site: Site, send: Send, record_case: Record) -> None:
    assert send(eye_file()).status == 201
    copy = SAME_PICTURE[kind](synthetic_photo()) if kind in SAME_PICTURE else eye_file()
    other = ExamFactory(patient__site=site)
    answers = {
        "other eye": verdict(send(copy, laterality="OS")),
        "other patient": verdict(send(copy, to=other)),
        "confirmed": verdict(send(copy, to=other, confirm="other_patient", reason="Registered twice")),
    }
    record_case(f"same picture, {kind}", str(answers))
    assert list(answers.values()) == ["409 other_eye", "409 other_patient", "201 stored"]


def test_the_same_picture_at_another_site(
    send: Send, other_site: Site, photographer: User, record_case: Record
) -> None:
    send(eye_file())
    MembershipFactory(user=photographer, site=other_site)
    answer = verdict(send(eye_file(), to=ExamFactory(patient__site=other_site)))
    record_case("same picture, another site", answer)
    assert answer == "201 stored"


@pytest.mark.parametrize("code", ["wrong_eye", "wrong_patient"])
def test_a_picture_that_was_in_the_wrong_place(
    code: str, site: Site, send: Send, photographer: User, record_case: Record
) -> None:
    send(eye_file())
    withdraw_image(image=FundusImage.objects.get(), code=code, by=photographer)
    destination: dict[str, Any] = {"laterality": "OS"}
    if code == "wrong_patient":
        destination = {"to": ExamFactory(patient__site=site)}
    answer = verdict(send(eye_file(), **destination))
    record_case(f"same picture, withdrawn as {code}", answer)
    assert answer == "201 stored"


@pytest.mark.parametrize(
    ("kind", "days_ago", "expected"),
    [
        ("today", 0, "201 stored"),
        ("yesterday", 1, "201 stored"),
        ("eleven months ago", 330, "201 stored"),
        ("two years ago", 730, "409 capture_date_old"),
        ("clock never set", 9000, "409 capture_date_old"),
        ("next month", -30, "409 capture_date_future"),
    ],
)
@pytest.mark.parametrize("source", ["exif", "client"])
def test_the_day_of_a_photograph(
    source: str, kind: str, days_ago: int, expected: str, send: Send, record_case: Record
) -> None:
    day = timezone.localdate() - timedelta(days=days_ago)
    exif, fields = Image.Exif(), {}
    if source == "exif":
        exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = f"{day:%Y:%m:%d} 12:00:00"
    else:
        fields["captured_on"] = day.isoformat()
    response = send(photo_bytes(exif=exif.tobytes()), **fields)
    record_case(f"date of the photograph ({source}), {kind}", verdict(response))
    assert verdict(response) == expected
    if response.status == 201:
        assert (response.body["captured_on"], response.body["captured_on_source"]) == (day.isoformat(), source)


@pytest.mark.real_data
@pytest.mark.parametrize("source", ["srahim", "odir5k", "eyepacs", "eyeq"])
def test_real_eyes_of_one_person_and_copies(source: str, data_dir: Path, record_case: Record) -> None:
    photographs = sorted(find_photographs(data_dir / source), key=lambda one: (one.person, one.path.name))
    pairs = [pair for pair in pairwise(photographs) if pair[0].person == pair[1].person]
    if not pairs:
        pytest.skip(f"no photographs of {source}")
    chosen = random.Random(1).sample(pairs, 25)
    n_mistaken = n_found = 0
    for first, second in chosen:
        hashes = hash_picture(first.path), hash_picture(second.path)
        with Image.open(first.path) as opened:
            copies = hash_flips(COPIES["mirrored"](opened.convert("RGB")))
        if hashes[0] is not None and hashes[1] is not None:
            n_mistaken += is_same_picture(hashes[0], hashes[1])
            n_found += any(is_same_picture(hashes[0], copy) for copy in copies)
    record_case(f"two eyes of one person, {source}", f"{n_mistaken} of 25 pairs taken as one; {n_found} copies found")
    assert n_mistaken == 0
    assert n_found >= 24
