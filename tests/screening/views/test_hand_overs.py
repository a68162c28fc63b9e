"""Pages of eyes without a photograph and of hand-overs that are taken back."""

from typing import Any

import pytest
from django.test import Client

from screening.models import Exam, FirstReading, Review, Site, User
from tests.screening.factories import ExamFactory, FundusImageFactory, GradingFactory
from tests.screening.views.pages import page_text, text_of, url

RIGHT_READ = {"OD-verdict": "0", "OD-macular_oedema": "none"}


@pytest.fixture
def exam(site: Site) -> Exam:
    """Submitted with a photograph of the right eye only."""
    exam = ExamFactory(patient__site=site, is_submitted=True)
    GradingFactory(image=FundusImageFactory(exam=exam, laterality="OD"), is_done=True, grade=0)
    return exam


def choices_of(client: Client, exam: Exam) -> dict[str, list[str]]:
    """The values that the review page offers for each eye."""
    panel: Any = client.get(url("exam-review", exam.pk)).context["panel"]
    return {eye: [value for value, _label in form.fields["verdict"].choices] for eye, form in panel.forms.items()}


def test_an_eye_without_a_photograph_has_two_choices(exam: Exam, as_reviewer: Client) -> None:
    Exam.objects.update(left_eye_not_photographed_reason="Eye kept shut")
    assert choices_of(as_reviewer, exam) == {"OD": ["0", "1", "2", "3", "4", "U"], "OS": ["N", "A"]}
    text = page_text(as_reviewer, "exam-review", exam.pk)
    assert "This eye has no photograph, so it cannot be graded." in text
    assert "Eye kept shut" in text


@pytest.mark.parametrize("verdict", ["0", "4", "U", ""])
def test_it_is_not_signed_with_another_choice(exam: Exam, as_reviewer: Client, verdict: str) -> None:
    data = RIGHT_READ | {"OS-verdict": verdict, "OS-macular_oedema": "none"}
    response = as_reviewer.post(url("exam-sign", exam.pk), data)
    assert response.status_code == 422
    assert "This eye has no photograph. Choose" in text_of(response)
    assert not Review.objects.exists()


def test_it_is_signed_as_not_photographed(exam: Exam, as_reviewer: Client) -> None:
    data = RIGHT_READ | {"OS-verdict": "N"}
    preview = text_of(as_reviewer.post(url("exam-preview", exam.pk), data))
    assert "Take the photographs again" in preview
    assert "not photographed, which never counts as negative" in preview
    response = as_reviewer.post(url("exam-sign", exam.pk), data, follow=True)
    assert "Not photographed" in text_of(response)
    assert Review.objects.get().outcome == "repeat_imaging"


def test_an_absent_eye_needs_a_reason(exam: Exam, as_reviewer: Client) -> None:
    refused = as_reviewer.post(url("exam-sign", exam.pk), RIGHT_READ | {"OS-verdict": "A"})
    assert "Enter why the eye is absent" in text_of(refused)
    as_reviewer.post(url("exam-sign", exam.pk), RIGHT_READ | {"OS-verdict": "A", "OS-absent_reason": "Prosthesis"})
    assert Review.objects.get().findings.get(laterality="OS").is_absent


def test_the_blind_reading_is_of_the_photographed_eye(exam: Exam, as_reviewer: Client) -> None:
    Site.objects.update(reading_mode=Site.ReadingMode.BLIND_FIRST)
    assert list(choices_of(as_reviewer, exam)) == ["OD"]
    as_reviewer.post(url("exam-first-reading", exam.pk), RIGHT_READ | {"OS-verdict": "0", "OS-macular_oedema": "none"})
    assert FirstReading.objects.get().laterality == "OD"
    assert choices_of(as_reviewer, exam)["OS"] == ["N", "A"]
    as_reviewer.post(url("exam-sign", exam.pk), RIGHT_READ | {"OS-verdict": "N"})
    assert Review.objects.get().outcome == "repeat_imaging"


def test_an_eye_that_the_model_calls_ungradable_has_all_choices(exam: Exam, as_reviewer: Client) -> None:
    GradingFactory(image=FundusImageFactory(exam=exam, laterality="OS"), is_ungradable=True)
    assert choices_of(as_reviewer, exam)["OS"] == ["0", "1", "2", "3", "4", "U"]


def test_the_photographer_records_why_there_is_no_photograph(site: Site, as_photographer: Client) -> None:
    exam = ExamFactory(patient__site=site)
    FundusImageFactory(exam=exam, laterality="OD")
    assert "Left eye: add a photograph, or record why there is none." in page_text(
        as_photographer, "exam-detail", exam.pk
    )
    text = text_of(
        as_photographer.post(url("exam-not-photographed", exam.pk, "OS"), {"reason": "Eye kept shut"}, follow=True)
    )
    assert "Not photographed at this visit" in text
    assert "Eye kept shut" in text
    as_photographer.post(url("exam-submit", exam.pk))
    exam.refresh_from_db()
    assert exam.status == Exam.Status.SUBMITTED


def test_a_returned_exam_leads_the_list_with_its_reason(exam: Exam, reviewer: User, photographer: User) -> None:
    client = Client()
    client.force_login(reviewer)
    assert "Return to the photographer" in page_text(client, "exam-review", exam.pk)
    refused = client.post(url("exam-return", exam.pk), {"reason": ""}, follow=True)
    assert "Enter what the photographer has to do" in text_of(refused)
    client.post(url("exam-return", exam.pk), {"reason": "Left eye out of focus"})
    ExamFactory(patient__site=exam.site)
    client.force_login(photographer)
    page = client.get(url("worklist")).context["page"]
    assert page.object_list[0] == exam
    assert "Left eye out of focus" in page_text(client, "worklist")
    assert "Left eye out of focus" in page_text(client, "exam-detail", exam.pk)


def test_the_photographer_takes_an_exam_back_until_it_is_read(
    exam: Exam, reviewer: User, as_photographer: Client
) -> None:
    assert "Take it back" in page_text(as_photographer, "exam-detail", exam.pk)
    FirstReading.objects.create(exam=exam, reviewer=reviewer, laterality="OD", is_gradable=True, grade=0)
    assert "Take it back" not in page_text(as_photographer, "exam-detail", exam.pk)
    refused = as_photographer.post(url("exam-take-back", exam.pk), follow=True)
    assert "already reading this exam" in text_of(refused)
    exam.refresh_from_db()
    assert exam.status == Exam.Status.SUBMITTED
