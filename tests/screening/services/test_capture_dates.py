"""The day on which a photograph was taken: given, read or assumed; questioned if it is unlikely."""

import datetime
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from PIL import ExifTags, Image

from screening.models import Exam, FundusImage, User
from screening.services.images import Answers, DoubtfulCaptureDate, attach_image
from tests.builders import photo_bytes

NOW = datetime.datetime(2026, 3, 1, 23, 30, tzinfo=datetime.UTC)
TODAY = NOW.date()
CONFIRMED = Answers(confirmed=("capture_date_old",))
Attach = Callable[..., FundusImage]


@pytest.fixture
def attach(exam: Exam, photographer: User, monkeypatch: pytest.MonkeyPatch) -> Attach:
    """Attaches a photograph whose EXIF block has the date ``taken``, on 1 March 2026 in UTC."""
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)

    def call(taken: str = "", **changes: Any) -> FundusImage:
        exif = Image.Exif()
        if taken:
            exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = taken
        upload = BytesIO(photo_bytes(exif=exif.tobytes()))
        return attach_image(**{"exam": exam, "upload": upload, "laterality": "OD", "by": photographer, **changes})

    return call


@pytest.mark.parametrize(
    ("taken", "given", "day", "source"),
    [
        ("", None, "2026-03-01", "upload"),
        ("2026:02:20 08:00:00", None, "2026-02-20", "exif"),
        ("2026:02:20 08:00:00", datetime.date(2026, 2, 27), "2026-02-27", "client"),
        ("1999:01:01 00:00:00", datetime.date(2026, 3, 1), "2026-03-01", "client"),
        ("2025:03:01 00:00:00", None, "2025-03-01", "exif"),
    ],
)
def test_the_date_given_is_better_than_that_of_the_file_or_the_upload(
    taken: str, given: datetime.date | None, day: str, source: str, attach: Attach
) -> None:
    image = attach(taken, captured_on=given)
    image.refresh_from_db()
    assert (str(image.captured_on), image.captured_on_source) == (day, source)


@pytest.mark.parametrize(("taken", "given"), [("2025:02:28 08:00:00", None), ("", datetime.date(2019, 5, 4))])
def test_a_photograph_of_more_than_a_year_ago_is_questioned(
    taken: str, given: datetime.date | None, attach: Attach
) -> None:
    with pytest.raises(DoubtfulCaptureDate, match="more than a year ago") as question:
        attach(taken, captured_on=given)
    assert question.value.code == "capture_date_old"
    assert not FundusImage.objects.exists()
    image = attach(taken, captured_on=given, answers=CONFIRMED)
    assert image.captured_on == question.value.day


@pytest.mark.parametrize(("taken", "given"), [("2026:03:03 08:00:00", None), ("", datetime.date(2027, 1, 1))])
def test_a_date_in_the_future_can_only_be_corrected(taken: str, given: datetime.date | None, attach: Attach) -> None:
    for answers in (Answers(), CONFIRMED, Answers(confirmed=("capture_date_future",))):
        with pytest.raises(DoubtfulCaptureDate, match="in the future"):
            attach(taken, captured_on=given, answers=answers)
    assert attach(taken, captured_on=TODAY).captured_on_source == "client"


def test_today_is_that_of_the_site(attach: Attach, exam: Exam) -> None:
    tomorrow = TODAY + datetime.timedelta(days=1)
    with pytest.raises(DoubtfulCaptureDate):
        attach(captured_on=tomorrow)
    exam.site.timezone = "Asia/Tokyo"
    exam.site.save()
    assert attach(captured_on=tomorrow).captured_on == tomorrow
