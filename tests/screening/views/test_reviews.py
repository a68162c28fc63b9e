"""The review page: first reading, reveal, outcome, signature."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from ml.vocabulary import Laterality
from screening.models import Exam, FirstReading, FundusImage, Review, Site, User
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

HTMX = {"HX-Request": "true"}


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


def page(name: str, exam: Exam) -> str:
    return reverse(f"screening:exam-{name}", args=[exam.pk])


def reading(right: str = "1", left: str = "1", **more: str) -> dict[str, str]:
    eyes = {"OD-verdict": right, "OD-macular_oedema": "none", "OS-verdict": left, "OS-macular_oedema": "none"}
    return eyes | more


def text_of(response: Any) -> str:
    return str(response.content.decode())


def test_the_machine_is_hidden_before_the_first_reading(blind_exam: Exam, reviewer: User, client: Client) -> None:
    client.force_login(reviewer)
    text = text_of(client.get(page("review", blind_exam)))
    assert "heatmap-" not in text
    assert "Severe non-proliferative" not in text.replace('title="Severe non-proliferative"', "")
    assert "Chance that this eye needs a specialist" not in text


@pytest.mark.parametrize("step", ["first-reading", "sign"])
def test_what_was_moved_to_the_other_eye_meanwhile_must_be_looked_at_again(
    step: str, blind_exam: Exam, reviewer: User, client: Client
) -> None:
    client.force_login(reviewer)
    if step == "sign":
        client.post(page("first-reading", blind_exam), reading())
    page_version = client.get(page("review", blind_exam)).context["panel"].page_version
    n_readings = FirstReading.objects.count()
    FundusImage.objects.filter(exam=blind_exam, laterality="OD").update(laterality="OS")
    answer = client.post(page(step, blind_exam), reading(page_version=page_version), headers=HTMX)
    assert answer.status_code == 422
    assert "moved to the other eye while you were reading" in text_of(answer)
    assert (FirstReading.objects.count(), Review.objects.count()) == (n_readings, 0)


def test_the_form_of_the_review_page_says_what_was_seen(exam: Exam, reviewer: User, client: Client) -> None:
    client.force_login(reviewer)
    answer = client.get(page("review", exam))
    page_version = answer.context["panel"].page_version
    assert f'name="page_version" value="{page_version}"' in text_of(answer)
    assert client.post(page("sign", exam), reading(page_version=page_version)).status_code == 302


def test_the_machine_is_revealed_in_place_when_both_eyes_are_read(
    blind_exam: Exam, reviewer: User, client: Client
) -> None:
    client.force_login(reviewer)
    response = client.post(page("first-reading", blind_exam), reading(), headers=HTMX)
    assert "Chance that this eye needs a specialist" in text_of(response)
    assert text_of(response).count('id="heatmap-') == 2
    assert "<html" not in text_of(response)
    assert FirstReading.objects.filter(exam=blind_exam, reviewer=reviewer, grade=1).count() == 2


def test_half_a_reading_reveals_nothing(blind_exam: Exam, reviewer: User, client: Client) -> None:
    client.force_login(reviewer)
    response = client.post(page("first-reading", blind_exam), reading(left=""), headers=HTMX)
    assert response.status_code == 422
    assert "Grade this eye, or say that it is ungradable." in text_of(response)
    assert "heatmap-" not in text_of(response)
    assert not FirstReading.objects.exists()


def test_one_reviewers_reading_reveals_nothing_to_another(blind_exam: Exam, reviewer: User, client: Client) -> None:
    client.force_login(reviewer)
    client.post(page("first-reading", blind_exam), reading())
    second = MembershipFactory(site=blind_exam.site, role="reviewer").user
    client.force_login(second)
    assert "heatmap-" not in text_of(client.get(page("review", blind_exam)))


def test_side_by_side_shows_the_machine_at_once_and_fills_in_nothing(
    exam: Exam, reviewer: User, client: Client
) -> None:
    client.force_login(reviewer)
    text = text_of(client.get(page("review", exam)))
    assert text.count('id="heatmap-') == 2
    assert " checked" not in text.split('id="reading-form"')[1].split("</form>")[0]


@pytest.mark.parametrize(("grade", "expected"), [(0, {"verdict": "0"}), (1, {"verdict": "1"}), (2, {}), (4, {})])
def test_triage_fills_in_a_clear_negative_and_never_oedema_or_a_referable_eye(
    grade: int, expected: dict[str, str], site: Site, reviewer: User, client: Client
) -> None:
    Site.objects.filter(pk=site.pk).update(reading_mode=Site.ReadingMode.TRIAGE)
    exam = ExamFactory(patient=PatientFactory(site=site), is_submitted=True)
    GradingFactory(image=FundusImageFactory(exam=exam), is_done=True, grade=grade)
    client.force_login(reviewer)
    panel = client.get(page("review", exam)).context["panel"]
    assert panel.eyes[0].form.initial == expected


@pytest.mark.parametrize(
    ("right", "left", "words"),
    [
        ("0", "0", "Screen again at the recall date"),
        ("2", "0", "Refer to a specialist"),
        ("0", "4", "Refer to a specialist at once"),
        ("0", "U", "Take the photographs again"),
    ],
)
def test_what_follows_is_shown_before_it_is_signed(
    right: str, left: str, words: str, exam: Exam, reviewer: User, client: Client
) -> None:
    client.force_login(reviewer)
    assert f"<strong>{words}</strong>" in text_of(client.post(page("preview", exam), reading(right, left)))
    assert not Review.objects.exists()


def test_no_outcome_is_shown_while_an_answer_on_oedema_is_missing(exam: Exam, reviewer: User, client: Client) -> None:
    client.force_login(reviewer)
    text = text_of(client.post(page("preview", exam), reading() | {"OS-macular_oedema": ""}))
    assert "<strong>" not in text
    assert "whether there is macular oedema" in text


def test_a_signed_exam_offers_the_next_one(exam: Exam, reviewer: User, client: Client) -> None:
    waiting = ExamFactory(patient=PatientFactory(site=exam.site), is_submitted=True)
    client.force_login(reviewer)
    response = client.post(page("sign", exam), reading("4", "U", note="Vitreous haemorrhage"), follow=True)
    review = Review.objects.get(exam=exam)
    assert (review.outcome, review.note) == (Outcome.REFER_URGENT, "Vitreous haemorrhage")
    assert page("review", waiting) in text_of(response)


def test_a_change_after_the_reveal_needs_a_reason_and_keeps_what_was_typed(
    blind_exam: Exam, reviewer: User, client: Client
) -> None:
    client.force_login(reviewer)
    client.post(page("first-reading", blind_exam), reading())
    response = client.post(page("sign", blind_exam), reading("3", note="Look again"))
    assert response.status_code == 422
    assert "Say why." in text_of(response)
    assert "Look again" in text_of(response)
    client.post(page("sign", blind_exam), reading("3", **{"OD-changed_reason": "Venous beading"}))
    finding = Review.objects.get().findings.get(laterality=Laterality.RIGHT)
    assert (finding.grade, finding.changed_reason) == (3, "Venous beading")


def test_an_amendment_needs_a_reason_and_keeps_the_first_review(exam: Exam, reviewer: User, client: Client) -> None:
    client.force_login(reviewer)
    client.post(page("sign", exam), reading("0", "0"))
    assert client.post(page("sign", exam), reading("2", "0")).status_code == 422
    client.post(page("sign", exam), reading("2", "0", amend_reason="Second look at the macula"))
    newest, first = Review.objects.order_by("-signed_at")
    assert (newest.amends, newest.outcome) == (first, Outcome.REFER)
    assert first.outcome == Outcome.RESCREEN


def test_an_absent_eye_is_not_asked_for(exam: Exam, reviewer: User, client: Client) -> None:
    exam.images.filter(laterality="OS").update(laterality="OD")
    exam.left_eye_absent_reason = "Prosthesis"
    exam.save()
    client.force_login(reviewer)
    client.post(page("sign", exam), {"OD-verdict": "0", "OD-macular_oedema": "none"})
    assert Review.objects.get().findings.get(laterality="OS").is_absent


def test_the_photographs_of_the_previous_exam_can_be_compared(exam: Exam, reviewer: User, client: Client) -> None:
    earlier = ExamFactory(patient=exam.patient, is_submitted=True)
    Exam.objects.filter(pk=earlier.pk).update(created_at="2020-02-02T10:00:00Z")
    image = FundusImageFactory(exam=earlier)
    EyeFindingFactory(review=ReviewFactory(exam=earlier, reviewer=reviewer))
    client.force_login(reviewer)
    text = text_of(client.get(page("review", exam)))
    assert "Previous exam 2020-02-02" in text
    assert reverse("screening:image-photo", args=[image.pk]) in text


def test_reading_takes_few_queries(
    exam: Exam, reviewer: User, client: Client, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    for eye in ("OD", "OS"):
        for _number in range(3):
            GradingFactory(image=FundusImageFactory(exam=exam, laterality=eye), is_done=True)
    client.force_login(reviewer)
    client.get(page("review", exam))
    with django_assert_max_num_queries(18):
        client.get(page("review", exam))
