"""A photograph of one's own site cannot be shown to the model unnoticed before it is read."""

from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from screening.models import AuditEvent, FundusImage, Site, User
from screening.services.images import attach_image
from screening.services.predictions import predict_photo
from tests.builders import photo_bytes
from tests.screening.factories import ExamFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sent() -> bytes:
    """A photograph with metadata, which are not stored."""
    exif = Image.Exif()
    exif[0x010E] = "Byron, Ada"
    return photo_bytes(exif=exif.tobytes())


@pytest.fixture
def image(site: Site, photographer: User, sent: bytes) -> FundusImage:
    exam = ExamFactory(patient__site=site, opened_by=photographer)
    return attach_image(exam=exam, upload=BytesIO(sent), laterality="OD", by=photographer)


def stored(image: FundusImage) -> bytes:
    with image.file.open("rb") as file:
        return bytes(file.read())


def event() -> AuditEvent:
    return AuditEvent.objects.get(verb=AuditEvent.Verb.PHOTO_PREDICTED)


@pytest.mark.parametrize("how", ["as the camera gave it", "as the page gives it out"])
def test_trying_a_photograph_of_an_own_exam_names_it_in_the_audit_trail(
    image: FundusImage, sent: bytes, reviewer: User, how: str
) -> None:
    assert stored(image) != sent
    predict_photo(data=sent if "camera" in how else stored(image), by=reviewer)
    assert (event().object_type, event().object_id) == ("fundusimage", str(image.pk))
    assert (event().site, event().actor) == (image.exam.site, reviewer)


def test_trying_another_photograph_names_none(image: FundusImage, reviewer: User) -> None:
    predict_photo(data=photo_bytes(seed=9), by=reviewer)
    assert (event().object_id, event().site) == ("", None)


def test_a_photograph_of_another_site_is_not_given_away(image: FundusImage, sent: bytes, outsider: User) -> None:
    predict_photo(data=sent, by=outsider)
    assert (event().object_id, event().site) == ("", None)


def test_a_lost_file_does_not_stop_a_prediction(image: FundusImage, reviewer: User) -> None:
    data: Any = stored(image)
    image.file.delete(save=False)
    predict_photo(data=data, by=reviewer)
    assert event().object_id == ""
