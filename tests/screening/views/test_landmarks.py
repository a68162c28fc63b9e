"""Optic disc and fovea on the review page: from the draft to the reading to the review, and at the next visit."""

import json
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from screening.models import Exam, EyeFinding, FirstReading, FundusImage, Review, Site
from tests.screening.factories import ExamFactory, FundusImageFactory, GradingFactory
from tests.screening.views.pages import text_of, url
from tests.screening.views.test_drafts import checked
from tests.screening.views.test_marks import colleague, exam, image, post  # noqa: F401 (fixtures)

POINTS = {"disc": [0.7, 0.5], "diameter": 0.12, "fovea": [0.4123, 0.52]}


def landmarks_text(image: FundusImage, **changes: Any) -> str:  # noqa: F811
    return json.dumps({str(image.pk): POINTS | changes}, separators=(",", ":"))


def attribute_of(response: Any, name: str, eye: str = "OD") -> str:
    """An attribute of the form's field of landmarks."""
    page = " ".join(response.content.decode().split())
    field = page.partition(f'name="{eye}-landmarks"')[2].partition(">")[0]
    return unescape(field.partition(f'{name}="')[2].partition('"')[0])


def test_landmarks_go_from_the_draft_to_the_reading_to_the_review_to_the_next_visit(
    as_reviewer: Client,
    exam: Exam,  # noqa: F811
    image: FundusImage,  # noqa: F811
) -> None:
    Site.objects.update(reading_mode=Site.ReadingMode.BLIND_FIRST)
    text, address = landmarks_text(image), url("exam-review", exam.pk)
    assert post(as_reviewer, "exam-draft", exam, **{"OD-landmarks": text}).status_code == 200
    assert attribute_of(as_reviewer.get(address), "value") == text
    assert attribute_of(as_reviewer.get(address), "value", "OS") == ""
    assert post(as_reviewer, "exam-first-reading", exam, **{"OD-landmarks": text}).status_code == 302
    assert FirstReading.objects.get(laterality="OD").landmarks == json.loads(text)
    assert attribute_of(as_reviewer.get(address), "value") == text
    assert post(as_reviewer, "exam-sign", exam, **{"OD-landmarks": text}).status_code == 302
    assert attribute_of(as_reviewer.get(address), "value") == text
    assert EyeFinding.objects.get(laterality="OS").landmarks == {}
    Exam.objects.filter(pk=exam.pk).update(created_at=timezone.now() - timedelta(days=300))
    later = ExamFactory(patient=exam.patient, is_submitted=True)
    GradingFactory(image=FundusImageFactory(exam=later, laterality="OD"), is_done=True)
    page = as_reviewer.get(url("exam-review", later.pk))
    assert (attribute_of(page, "value"), attribute_of(page, "data-earlier")) == ("", text)


def test_a_draft_of_other_photographs_keeps_the_landmarks_of_those_that_remain(
    as_reviewer: Client,
    exam: Exam,  # noqa: F811
    image: FundusImage,  # noqa: F811
) -> None:
    text = landmarks_text(image)
    as_reviewer.get(url("exam-review", exam.pk))
    post(as_reviewer, "exam-draft", exam, **{"OD-landmarks": text, "page_version": "0123456789abcdef"})
    page = as_reviewer.get(url("exam-review", exam.pk))
    assert attribute_of(page, "value") == text
    assert checked(text_of(page)) == set()


@pytest.mark.parametrize("step", ["exam-sign", "exam-first-reading"])
def test_landmarks_of_no_photograph_of_the_eye_are_refused_and_stay_in_the_form(
    as_reviewer: Client,
    exam: Exam,  # noqa: F811
    image: FundusImage,  # noqa: F811
    step: str,
) -> None:
    other = exam.images.get(laterality="OS")
    for text, message in (
        (landmarks_text(image, fovea=[1.2, 0.5]), "lies outside of its photograph"),
        (landmarks_text(other), "is on a photograph that is not of this eye"),
    ):
        refused = post(as_reviewer, step, exam, **{"OD-landmarks": text})
        assert refused.status_code == 422
        assert message in text_of(refused)
        assert attribute_of(refused, "value") == text
    assert not Review.objects.exists()


def test_a_second_reader_sees_no_landmark_of_the_first(
    as_reviewer: Client,
    exam: Exam,  # noqa: F811
    image: FundusImage,  # noqa: F811
    site: Site,
) -> None:
    Site.objects.update(reading_mode=Site.ReadingMode.BLIND_FIRST)
    text = landmarks_text(image)
    post(as_reviewer, "exam-draft", exam, **{"OD-landmarks": text})
    post(as_reviewer, "exam-first-reading", exam, **{"OD-landmarks": text})
    assert "0.4123" not in colleague(site).get(url("exam-review", exam.pk)).content.decode()
