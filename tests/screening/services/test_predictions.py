"""A prediction stores nothing but an audit event, which refers to a stored photograph with the same bytes."""

from io import BytesIO

import pytest
from PIL import Image

from ml.vocabulary import ServedModel
from screening.models import AuditEvent, Exam, FundusImage, Grading, User
from screening.services.images import attach_image
from screening.services.predictions import predict_photo
from tests.builders import FAKE_VERSION, FakeGrader, photo_bytes


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
    assert predict_photo(data=photo_bytes(comment=b"Byron"), model=ServedModel.FAST, by=photographer).grade == 2
    assert b"Byron" not in fake_grader.photos[0]
    assert (event().actor, event().data) == (photographer, {"model_version": FAKE_VERSION, "is_gradable": True})
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


@pytest.mark.parametrize("unrelated", ["another photograph", "another site", "a lost file"])
def test_the_event_refers_to_no_other_photograph(
    image: FundusImage, upload: bytes, reviewer: User, outsider: User, unrelated: str
) -> None:
    data = {"another photograph": photo_bytes(seed=9), "a lost file": stored(image)}.get(unrelated, upload)
    if unrelated == "a lost file":
        image.file.delete(save=False)
    predict_photo(data=data, model=ServedModel.FAST, by=outsider if unrelated == "another site" else reviewer)
    assert (event().object_id, event().site) == ("", None)
