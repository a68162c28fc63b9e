"""Marks on the review page: in the form, the draft, after an error, hidden from a second reader, in the API."""

import json
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from screening.models import Exam, FundusImage, LesionMark, Membership, ReadingDraft, Review, Site, User
from screening.policy.marks import MAX_MARKS_CHARS
from tests.screening.api.client import ApiClient
from tests.screening.factories import ExamFactory, FundusImageFactory, GradingFactory, MembershipFactory
from tests.screening.marks import mark_row, marks_text
from tests.screening.views.pages import text_of, url

HEALTHY = {
    f"{eye}-{name}": value for eye in ("OD", "OS") for name, value in (("verdict", "0"), ("macular_oedema", "none"))
}


@pytest.fixture
def exam(site: Site) -> Exam:
    exam: Exam = ExamFactory(patient__site=site, is_submitted=True)
    for eye in ("OD", "OS"):
        GradingFactory(image=FundusImageFactory(exam=exam, laterality=eye), is_done=True)
    return exam


@pytest.fixture
def image(exam: Exam) -> FundusImage:
    return exam.images.get(laterality="OD")


def post(client: Client, name: str, exam: Exam, **changes: Any) -> Any:
    return client.post(url(name, exam.pk), {**HEALTHY, **changes})


def field_of(response: Any, eye: str = "OD") -> str:
    """The value of the form's field of marks."""
    page = " ".join(response.content.decode().split())
    return unescape(page.partition(f'name="{eye}-marks" value="')[2].partition('"')[0])


def shown(client: Client, exam: Exam, eye: str = "OD") -> Any:
    return json.loads(field_of(client.get(url("exam-review", exam.pk)), eye) or "[]")


def colleague(site: Site) -> Client:
    client = Client()
    client.force_login(MembershipFactory(site=site, role=Membership.Role.REVIEWER).user)
    return client


def test_marks_go_from_the_draft_to_the_reading_to_the_review(
    as_reviewer: Client, exam: Exam, image: FundusImage
) -> None:
    Site.objects.update(reading_mode=Site.ReadingMode.BLIND_FIRST)
    row = mark_row(image)
    text = marks_text(row)
    assert post(as_reviewer, "exam-draft", exam, **{"OD-marks": text}).status_code == 200
    assert shown(as_reviewer, exam) == [row]
    assert shown(as_reviewer, exam, "OS") == []
    assert post(as_reviewer, "exam-first-reading", exam, **{"OD-marks": text}).status_code == 302
    assert shown(as_reviewer, exam) == [row]
    assert post(as_reviewer, "exam-sign", exam, **{"OD-marks": text}).status_code == 302
    page = as_reviewer.get(url("exam-review", exam.pk))
    assert json.loads(field_of(page)) == [row]
    assert "Haemorrhage × 1" in text_of(page)
    assert LesionMark.objects.count() == 2  # of the first reading, of the review


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"points": [[1.2, 0.5]]}, "Mark 1 is outside the photograph."),
        ({"shape": "outline", "points": [[0.1, 0.1]] * 151}, "Mark 1 has more than 150 points."),
        ({"kind": "freckle"}, "The kind of mark 1 is not known."),
        ({"image": "6f1c2a34-0000-4000-8000-000000000001"}, "A mark is on a photograph that is not of this eye"),
    ],
)
@pytest.mark.parametrize("step", ["exam-sign", "exam-first-reading"])
def test_a_wrong_mark_is_refused_in_one_sentence_and_stays_in_the_form(
    as_reviewer: Client, exam: Exam, image: FundusImage, step: str, changes: dict[str, Any], message: str
) -> None:
    text = marks_text(mark_row(image, **changes))
    refused = post(as_reviewer, step, exam, **{"OD-marks": text, "note": "Nothing is lost"})
    assert refused.status_code == 422
    assert message in text_of(refused)
    assert field_of(refused) == text
    assert not LesionMark.objects.exists()
    assert not Review.objects.exists()


def test_too_many_points_together_are_refused_and_not_saved(as_reviewer: Client, exam: Exam) -> None:
    text = "x" * (MAX_MARKS_CHARS + 1)
    assert "too many points together" in text_of(post(as_reviewer, "exam-sign", exam, **{"OD-marks": text}))
    refused = post(as_reviewer, "exam-draft", exam, **{"OD-marks": text})
    assert refused.status_code == 422
    assert "too many points together" in refused.json()["message"]
    assert post(as_reviewer, "exam-draft", exam, **{"OD-marks": text[1:]}).status_code == 200


def test_a_second_reader_sees_no_mark_of_the_first(
    as_reviewer: Client, exam: Exam, image: FundusImage, site: Site
) -> None:
    Site.objects.update(reading_mode=Site.ReadingMode.BLIND_FIRST)
    second = colleague(site)
    second.get(url("exam-review", exam.pk))
    post(as_reviewer, "exam-take-over", exam, holder=str(exam.lock.holder_id))
    row = mark_row(image, points=[[0.1234, 0.4321]])
    text = marks_text(row)
    post(as_reviewer, "exam-draft", exam, **{"OD-marks": text})
    assert "0.1234" not in second.get(url("exam-review", exam.pk)).content.decode()
    post(as_reviewer, "exam-first-reading", exam, **{"OD-marks": text})
    assert "0.1234" not in second.get(url("exam-review", exam.pk)).content.decode()
    post(as_reviewer, "exam-sign", exam, **{"OD-marks": text})
    late = second.get(url("exam-review", exam.pk))  # the colleague had opened the exam before it was signed
    assert "0.1234" not in late.content.decode()
    assert "Haemorrhage ×" not in text_of(late)
    own = mark_row(image, points=[[0.8765, 0.4321]])
    assert (
        post(second, "exam-first-reading", exam, **{"OD-marks": marks_text(own), "base_review": ""}).status_code == 302
    )
    assert shown(second, exam) == [row]  # of the review that was signed
    assert LesionMark.objects.filter(first_reading__isnull=False).count() == 2


def test_a_draft_of_other_photographs_keeps_the_marks_on_those_that_remain(
    as_reviewer: Client, exam: Exam, image: FundusImage
) -> None:
    other = FundusImageFactory(exam=exam, laterality="OD", field="disc")
    kept, lost = mark_row(image), mark_row(other)
    version = text_of(as_reviewer.get(url("exam-review", exam.pk)))
    assert version
    text = marks_text(kept, lost)
    post(as_reviewer, "exam-draft", exam, **{"OD-marks": text, "page_version": "0123456789abcdef"})
    FundusImage.objects.filter(pk=other.pk).update(withdrawn_at=timezone.now(), withdrawn_code="poor_quality")
    assert shown(as_reviewer, exam) == [kept]
    assert ReadingDraft.objects.get().entries["OD-marks"] == text


def test_every_version_can_be_shown(as_reviewer: Client, exam: Exam, image: FundusImage) -> None:
    for x, reason in ((0.1, ""), (0.2, "One more")):
        review = Review.objects.first()
        text = marks_text(mark_row(image, points=[[x, 0.5]]))
        changes = {"amend_reason": reason, "base_review": "" if review is None else str(review.pk)}
        assert post(as_reviewer, "exam-sign", exam, **{"OD-marks": text}, **changes).status_code == 302
    page = unescape(as_reviewer.get(url("exam-review", exam.pk)).content.decode())
    assert [page.count(f'"points":[[{x},0.5]]') for x in (0.1, 0.2)] == [1, 1]  # on its button, in the form
    assert page.count("data-marks-version=") == 1


def test_the_api_has_the_marks_of_a_review(as_reviewer: Client, reviewer: User, exam: Exam, image: FundusImage) -> None:
    circle = mark_row(image, shape="circle", radius=0.05)
    post(as_reviewer, "exam-sign", exam, **{"OD-marks": marks_text(circle, mark_row(image))})
    right, left = ApiClient(reviewer).get(f"reviews/{Review.objects.get().pk}").body["findings"]
    assert right["marks"] == [circle, {**mark_row(image), "radius": None}]
    assert left["marks"] == []


def test_signed_marks_of_the_visit_before_are_shown_on_its_photographs(
    as_reviewer: Client, exam: Exam, image: FundusImage
) -> None:
    row = mark_row(image)
    post(as_reviewer, "exam-sign", exam, **{"OD-marks": marks_text(row)})
    later = ExamFactory(patient=exam.patient, is_submitted=True)
    FundusImageFactory(exam=later, laterality="OD")
    page = " ".join(as_reviewer.get(url("exam-review", later.pk)).content.decode().split())
    assert json.loads(unescape(page.partition('data-earlier="')[2].partition('"')[0])) == [row]
    assert shown(as_reviewer, later) == []
