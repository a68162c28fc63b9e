"""The review page: first reading, result of the model, outcome, signature."""

from typing import Any

import pytest
from django.test import Client

from ml.vocabulary import Laterality
from screening.models import Exam, FirstReading, FundusImage, Grading, Review, Site, User
from screening.policy import Outcome
from tests.screening.factories import (
    ExamFactory,
    EyeFindingFactory,
    FundusImageFactory,
    GradingFactory,
    MembershipFactory,
    PatientFactory,
    ReviewFactory,
)
from tests.screening.views.pages import HTMX, count_queries, page_text, text_of, url

RISK = "Probability that this eye needs a specialist"


@pytest.fixture
def exam(site: Site) -> Exam:
    exam = ExamFactory(patient=PatientFactory(site=site), is_submitted=True)
    for eye in ("OD", "OS"):
        GradingFactory(image=FundusImageFactory(exam=exam, laterality=eye), is_done=True, grade=3)
    return exam


@pytest.fixture
def blind_exam(exam: Exam) -> Exam:
    exam.site.reading_mode = Site.ReadingMode.BLIND_FIRST
    exam.site.save()
    return exam


def reading(right: str = "1", left: str = "1", **more: str) -> dict[str, str]:
    eyes = {"OD-verdict": right, "OD-macular_oedema": "none", "OS-verdict": left, "OS-macular_oedema": "none"}
    return eyes | more


def post(client: Client, step: str, exam: Exam, data: dict[str, str], **options: Any) -> Any:
    return client.post(url(f"exam-{step}", exam.pk), data, **options)


def test_the_result_of_the_model_is_hidden_before_the_first_reading(blind_exam: Exam, as_reviewer: Client) -> None:
    text = page_text(as_reviewer, "exam-review", blind_exam.pk)
    assert "heatmap-" not in text
    assert "Severe non-proliferative" not in text.replace('title="Severe non-proliferative"', "")
    assert RISK not in text


@pytest.mark.parametrize("step", ["first-reading", "sign"])
def test_a_photograph_moved_meanwhile_must_be_read_again(step: str, blind_exam: Exam, as_reviewer: Client) -> None:
    if step == "sign":
        post(as_reviewer, "first-reading", blind_exam, reading())
    response = as_reviewer.get(url("exam-review", blind_exam.pk))
    page_version = response.context["panel"].page_version
    assert f'value="{page_version}"' in text_of(response)
    n_readings = FirstReading.objects.count()
    FundusImage.objects.filter(exam=blind_exam, laterality="OD").update(laterality="OS")
    response = post(as_reviewer, step, blind_exam, reading(page_version=page_version), headers=HTMX)
    assert response.status_code == 422
    assert "photographs of this exam changed while you were reading" in text_of(response)
    assert (FirstReading.objects.count(), Review.objects.count()) == (n_readings, 0)


def test_the_first_reading_reveals_the_result_to_its_reader(
    blind_exam: Exam, reviewer: User, as_reviewer: Client
) -> None:
    text = text_of(post(as_reviewer, "first-reading", blind_exam, reading(), headers=HTMX))
    assert RISK in text
    assert text.count('id="heatmap-') == 2
    assert "<html" not in text
    assert FirstReading.objects.filter(exam=blind_exam, reviewer=reviewer, grade=1).count() == 2
    as_reviewer.force_login(MembershipFactory(site=blind_exam.site, role="reviewer").user)
    assert "heatmap-" not in page_text(as_reviewer, "exam-review", blind_exam.pk)


def test_a_reading_of_one_eye_reveals_nothing(blind_exam: Exam, as_reviewer: Client) -> None:
    response = post(as_reviewer, "first-reading", blind_exam, reading(left=""), headers=HTMX)
    assert response.status_code == 422
    assert "Choose a grade, or choose Ungradable." in text_of(response)
    assert "heatmap-" not in text_of(response)
    assert not FirstReading.objects.exists()


def test_side_by_side_shows_the_result_and_preselects_nothing(exam: Exam, as_reviewer: Client) -> None:
    text = page_text(as_reviewer, "exam-review", exam.pk)
    assert text.count('id="heatmap-') == 2
    assert " checked" not in text.split('id="reading-form"')[1].split("</form>")[0]


def grade_as_usable(exam: Exam, *, is_referable: bool) -> None:
    gradings = Grading.objects.filter(image__exam=exam)
    gradings.update(quality_level="usable", quality_reasons=["blurred"], is_referable=is_referable)


@pytest.mark.parametrize("is_referable", [True, False])
def test_a_negative_of_limited_quality_is_marked_on_the_review_page(
    is_referable: bool, exam: Exam, as_reviewer: Client
) -> None:
    grade_as_usable(exam, is_referable=is_referable)
    text = page_text(as_reviewer, "exam-review", exam.pk)
    n_marked = 0 if is_referable else 2
    assert text.count("Small lesions could be missed: ") == n_marked
    assert text.count("Not flagged, small lesions could be missed") == 2 * n_marked  # in brief and in full
    assert text.count("Usable with limits") == 4  # the strip of photographs, and the result of the model
    assert '<span class="chip is-fine">' not in text


def test_a_blind_reviewer_does_not_learn_that_the_limited_result_is_negative(
    blind_exam: Exam, as_reviewer: Client
) -> None:
    grade_as_usable(blind_exam, is_referable=False)
    assert "lesions could be missed" not in page_text(as_reviewer, "exam-review", blind_exam.pk)


def test_triage_does_not_preselect_a_negative_of_limited_quality(site: Site, as_reviewer: Client) -> None:
    Site.objects.filter(pk=site.pk).update(reading_mode=Site.ReadingMode.TRIAGE)
    exam = ExamFactory(patient=PatientFactory(site=site), is_submitted=True)
    limited = {"is_done": True, "grade": 0, "quality_level": "usable", "quality_reasons": ["blurred"]}
    GradingFactory(image=FundusImageFactory(exam=exam), **limited)
    (form, *_) = as_reviewer.get(url("exam-review", exam.pk)).context["panel"].forms.values()
    assert form.initial == {}


@pytest.mark.parametrize(("grade", "expected"), [(0, {"verdict": "0"}), (1, {"verdict": "1"}), (2, {}), (4, {})])
def test_triage_preselects_only_a_grade_below_2(
    grade: int, expected: dict[str, str], site: Site, as_reviewer: Client
) -> None:
    Site.objects.filter(pk=site.pk).update(reading_mode=Site.ReadingMode.TRIAGE)
    exam = ExamFactory(patient=PatientFactory(site=site), is_submitted=True)
    GradingFactory(image=FundusImageFactory(exam=exam), is_done=True, grade=grade)
    panel = as_reviewer.get(url("exam-review", exam.pk)).context["panel"]
    assert panel.eyes[0].form.initial == expected


@pytest.mark.parametrize(
    ("data", "outcome"),
    [
        (reading("0", "0"), "<strong>Screen again at the recall date</strong>"),
        (reading("2", "0"), "<strong>Refer to a specialist</strong>"),
        (reading("0", "4"), "<strong>Refer to a specialist at once</strong>"),
        (reading("0", "U"), "<strong>Take the photographs again</strong>"),
        (reading() | {"OS-macular_oedema": ""}, "choose an answer for macular oedema"),
    ],
)
def test_the_outcome_is_shown_before_the_signature(
    data: dict[str, str], outcome: str, exam: Exam, as_reviewer: Client
) -> None:
    text = text_of(post(as_reviewer, "preview", exam, data))
    assert outcome in text
    assert text.count("<strong>") == outcome.count("<strong>")
    assert not Review.objects.exists()


def test_a_signed_exam_offers_the_next_one(exam: Exam, as_reviewer: Client) -> None:
    ExamFactory(patient=PatientFactory(site=exam.site), is_submitted=True)
    page_version = as_reviewer.get(url("exam-review", exam.pk)).context["panel"].page_version
    data = reading("4", "U", note="Vitreous haemorrhage", page_version=page_version)
    response = post(as_reviewer, "sign", exam, data, follow=True)
    review = Review.objects.get(exam=exam)
    assert (review.outcome, review.note) == (Outcome.REFER_URGENT, "Vitreous haemorrhage")
    assert "data-next-exam" in text_of(response)


def test_a_change_after_the_first_reading_needs_a_reason(blind_exam: Exam, as_reviewer: Client) -> None:
    post(as_reviewer, "first-reading", blind_exam, reading())
    response = post(as_reviewer, "sign", blind_exam, reading("3", note="Recheck"))
    assert response.status_code == 422
    assert "Enter the reason." in text_of(response)
    assert "Recheck" in text_of(response)
    post(as_reviewer, "sign", blind_exam, reading("3", **{"OD-changed_reason": "Venous beading"}))
    finding = Review.objects.get().findings.get(laterality=Laterality.RIGHT)
    assert (finding.grade, finding.changed_reason) == (3, "Venous beading")


def test_an_amendment_needs_a_reason_and_keeps_the_first_review(exam: Exam, as_reviewer: Client) -> None:
    post(as_reviewer, "sign", exam, reading("0", "0"))
    assert post(as_reviewer, "sign", exam, reading("2", "0")).status_code == 422
    post(as_reviewer, "sign", exam, reading("2", "0", amend_reason="Macula read again"))
    newest, first = Review.objects.order_by("-signed_at")
    assert (newest.amends, newest.outcome) == (first, Outcome.REFER)
    assert first.outcome == Outcome.RESCREEN


def test_an_absent_eye_needs_no_grade(exam: Exam, as_reviewer: Client) -> None:
    exam.images.filter(laterality="OS").update(laterality="OD")
    exam.left_eye_absent_reason = "Prosthesis"
    exam.save()
    post(as_reviewer, "sign", exam, {"OD-verdict": "0", "OD-macular_oedema": "none"})
    assert Review.objects.get().findings.get(laterality="OS").is_absent


def test_the_previous_exam_can_be_compared(exam: Exam, reviewer: User, as_reviewer: Client) -> None:
    earlier = ExamFactory(patient=exam.patient, is_submitted=True)
    Exam.objects.filter(pk=earlier.pk).update(created_at="2020-02-02T10:00:00Z")
    image = FundusImageFactory(exam=earlier)
    EyeFindingFactory(review=ReviewFactory(exam=earlier, reviewer=reviewer))
    text = page_text(as_reviewer, "exam-review", exam.pk)
    assert "Previous exam 2 Feb 2020" in text
    assert url("image-tile", image.pk, 0, 0, 0) in text


def test_a_review_takes_few_queries(exam: Exam, as_reviewer: Client) -> None:
    for eye in ("OD", "OS"):
        for _number in range(3):
            GradingFactory(image=FundusImageFactory(exam=exam, laterality=eye), is_done=True)
    assert count_queries(as_reviewer, "exam-review", exam.pk) <= 23  # five for the lock
