"""A prediction stores nothing but an audit event, which refers to a stored photograph with the same bytes."""

import hashlib
from io import BytesIO

import pytest
from PIL import Image

from ml.vocabulary import ServedModel
from screening.models import AuditEvent, Exam, FirstReading, FundusImage, Grading, Site, User
from screening.services.exams import submit_exam
from screening.services.images import attach_image
from screening.services.predictions import ResultHidden, predict_photo
from tests.builders import FAKE_VERSION, FakeGrader, photo_bytes
from tests.copies import eye_file


def event() -> AuditEvent:
    return AuditEvent.objects.get(verb=AuditEvent.Verb.PHOTO_PREDICTED)


@pytest.fixture
def upload() -> bytes:
    """A photograph with metadata, which are not stored."""
    exif = Image.Exif()
    exif[0x010E] = "Byron, Ada"
    return photo_bytes(exif=exif.tobytes())


@pytest.fixture
def image(exam: Exam, photographer: User, upload: bytes) -> FundusImage:
    return attach_image(exam=exam, upload=BytesIO(upload), laterality="OD", by=photographer)


def stored(image: FundusImage) -> bytes:
    with image.file.open("rb") as file:
        return bytes(file.read())


def test_a_prediction_stores_an_event_and_nothing_else(photographer: User, fake_grader: FakeGrader) -> None:
    data = photo_bytes(comment=b"Byron")
    assert predict_photo(data=data, model=ServedModel.FAST, by=photographer).grade == 2
    assert b"Byron" not in fake_grader.photos[0]
    assert (event().actor, event().data) == (
        photographer,
        {"model_version": FAKE_VERSION, "is_gradable": True, "sha256": hashlib.sha256(data).hexdigest()},
    )
    assert not Grading.objects.exists()
    assert not FundusImage.objects.exists()


@pytest.mark.parametrize("is_as_uploaded", [True, False])
def test_the_event_refers_to_the_photograph_of_an_exam(
    image: FundusImage, upload: bytes, reviewer: User, is_as_uploaded: bool
) -> None:
    assert stored(image) != upload
    predict_photo(data=upload if is_as_uploaded else stored(image), model=ServedModel.FAST, by=reviewer)
    assert (event().object_type, event().object_id) == ("fundusimage", str(image.pk))
    assert (event().site, event().actor) == (image.exam.site, reviewer)


@pytest.mark.parametrize("unrelated", ["another photograph", "another site"])
def test_the_event_refers_to_no_other_photograph(
    image: FundusImage, upload: bytes, reviewer: User, outsider: User, unrelated: str
) -> None:
    data = photo_bytes(seed=9) if unrelated == "another photograph" else upload
    predict_photo(data=data, model=ServedModel.FAST, by=outsider if unrelated == "another site" else reviewer)
    assert (event().object_id, event().site) == ("", None)


@pytest.mark.parametrize("kind", ["as uploaded", "as stored", "thumbnail"])
def test_the_result_of_a_photograph_that_the_caller_has_yet_to_read_is_hidden(
    kind: str, exam: Exam, photographer: User, reviewer: User, fake_grader: FakeGrader
) -> None:
    upload = eye_file()
    image = attach_image(exam=exam, upload=BytesIO(upload), laterality="OD", by=photographer)
    Exam.objects.filter(pk=exam.pk).update(left_eye_absent_reason="prosthesis")
    submit_exam(exam=exam, by=photographer)
    Site.objects.filter(pk=exam.site_id).update(reading_mode=Site.ReadingMode.BLIND_FIRST)
    copies = {"as uploaded": upload, "as stored": stored(image)}
    data = copies[kind] if kind in copies else reduced_jpeg(stored(image))
    with pytest.raises(ResultHidden, match="not read yet"):
        predict_photo(data=data, model=ServedModel.FAST, by=reviewer)
    assert fake_grader.photos == []
    assert (event().object_id, event().data["is_hidden"], event().actor) == (str(image.pk), True, reviewer)
    with pytest.raises(ResultHidden):
        predict_photo(data=data, model=ServedModel.FAST, by=photographer)
    Site.objects.filter(pk=exam.site_id).update(photographers_see_grades=True)
    assert predict_photo(data=data, model=ServedModel.FAST, by=photographer).grade == 2
    save_first_readings(exam, reviewer)
    assert predict_photo(data=data, model=ServedModel.FAST, by=reviewer).grade == 2


def reduced_jpeg(data: bytes) -> bytes:
    """A smaller copy, saved again."""
    written = BytesIO()
    with Image.open(BytesIO(data)) as photo:
        photo.thumbnail((320, 320))
        photo.convert("RGB").save(written, "JPEG", quality=85)
    return written.getvalue()


def save_first_readings(exam: Exam, reviewer: User) -> None:
    exam.refresh_from_db()
    FirstReading.objects.create(
        exam=exam,
        reviewer=reviewer,
        laterality="OD",
        is_gradable=True,
        grade=0,
        reading_round=exam.reading_round,
        is_blind_complete=True,
    )
