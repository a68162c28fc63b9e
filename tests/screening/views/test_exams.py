"""The exam page: upload, live state, advice, handing over."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from screening.models import Exam, FundusImage, Grading, Site, User
from tests.builders import photo_bytes
from tests.screening.factories import ExamFactory, FundusImageFactory, GradingFactory, PatientFactory

JSON = {"Accept": "application/json"}


@pytest.fixture
def exam(site: Site) -> Exam:
    return ExamFactory(patient=PatientFactory(site=site))


def page(name: str, exam: Exam, *more: str) -> str:
    return reverse(f"screening:exam-{name}", args=[exam.pk, *more])


def upload(data: bytes, name: str = "Jane Doe.jpg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data)


def test_an_upload_by_script_answers_with_the_image(exam: Exam, photographer: User, client: Client) -> None:
    client.force_login(photographer)
    response = client.post(
        page("images", exam), {"photo": upload(photo_bytes()), "laterality": "OS", "field": "disc"}, headers=JSON
    )
    image = FundusImage.objects.get()
    assert response.status_code == 201
    assert response.json()["image"] == str(image.pk)
    assert (image.laterality, image.field) == ("OS", "disc")
    assert "Jane" not in str(image.file.name)


def test_without_a_script_one_photograph_goes_up_by_the_plain_form(
    exam: Exam, photographer: User, client: Client
) -> None:
    client.force_login(photographer)
    response = client.post(page("images", exam), {"photo": upload(photo_bytes()), "laterality": "OD"}, follow=True)
    assert "Photograph of the Right eye (OD) received." in response.content.decode()
    assert FundusImage.objects.get().field == FundusImage.Field.MACULA


@pytest.mark.parametrize(
    ("data", "changes", "message"),
    [
        (b"hello, I am a text", {}, "This file is not a photograph"),
        (b"", {}, "This file is empty"),
        (photo_bytes(), {"laterality": ""}, "Say which eye this is"),
        (photo_bytes(), {"laterality": "XX"}, "valid choice"),
        (photo_bytes()[:400], {}, "."),
    ],
)
def test_a_refused_upload_gets_a_sentence_and_leaves_nothing(
    data: bytes, changes: dict[str, str], message: str, exam: Exam, photographer: User, client: Client
) -> None:
    client.force_login(photographer)
    response = client.post(page("images", exam), {"photo": upload(data), "laterality": "OD", **changes}, headers=JSON)
    assert response.status_code == 400
    assert message in response.json()["message"]
    assert not FundusImage.objects.exists()


def test_the_same_file_for_the_other_eye_says_where_it_already_is(
    exam: Exam, photographer: User, client: Client
) -> None:
    client.force_login(photographer)
    for eye in ("OD", "OS"):
        response = client.post(page("images", exam), {"photo": upload(photo_bytes()), "laterality": eye}, headers=JSON)
    assert "already in the exam, as Right eye (OD)" in response.json()["message"]
    assert FundusImage.objects.count() == 1


def test_a_reviewer_may_not_upload(exam: Exam, reviewer: User, client: Client) -> None:
    client.force_login(reviewer)
    response = client.post(page("images", exam), {"photo": upload(photo_bytes()), "laterality": "OD"}, headers=JSON)
    assert (response.status_code, response.json()["code"]) == (403, "forbidden")


def test_the_page_asks_again_only_while_a_grading_is_pending(exam: Exam, photographer: User, client: Client) -> None:
    grading = GradingFactory(image=FundusImageFactory(exam=exam))
    client.force_login(photographer)
    assert "every 1s" in client.get(page("detail", exam)).content.decode()
    Grading.objects.filter(pk=grading.pk).update(status=Grading.Status.FAILED, failure_code="unexpected")
    assert "every 1s" not in client.get(page("detail", exam)).content.decode()


def test_an_unchanged_page_is_not_sent_again(exam: Exam, photographer: User, client: Client) -> None:
    grading = GradingFactory(image=FundusImageFactory(exam=exam))
    client.force_login(photographer)
    state = client.get(page("detail", exam)).context["state"]
    assert client.get(page("status", exam), {"state": state}).status_code == 204
    Grading.objects.filter(pk=grading.pk).update(status=Grading.Status.RUNNING)
    assert client.get(page("status", exam), {"state": state}).status_code == 200


def test_a_change_is_said_aloud(exam: Exam, photographer: User, client: Client) -> None:
    GradingFactory(image=FundusImageFactory(exam=exam), is_done=True, grade=3)
    GradingFactory(image=FundusImageFactory(exam=exam, laterality="OS"), is_ungradable=True)
    client.force_login(photographer)
    spoken = client.get(page("status", exam)).context["spoken"]
    assert spoken == "Right eye: Severe non-proliferative. Left eye: not gradable. The photograph is out of focus."


def test_an_ungradable_photograph_tells_the_photographer_what_to_do(
    exam: Exam, photographer: User, client: Client
) -> None:
    GradingFactory(image=FundusImageFactory(exam=exam), is_ungradable=True)
    client.force_login(photographer)
    text = client.get(page("detail", exam)).content.decode()
    assert "Not gradable" in text
    assert "Refocus on the vessels" in text
    assert "grade 0 of 4" not in text


@pytest.mark.parametrize(("n_tries", "is_asked_again"), [(1, True), (2, True), (3, False)])
def test_an_ungradable_eye_is_taken_again_before_the_exam_is_handed_over(
    n_tries: int, is_asked_again: bool, exam: Exam, photographer: User, client: Client
) -> None:
    GradingFactory(image=FundusImageFactory(exam=exam, laterality="OD"), is_done=True)
    for _ in range(n_tries):
        GradingFactory(image=FundusImageFactory(exam=exam, laterality="OS"), is_ungradable=True)
    client.force_login(photographer)
    text = client.get(page("detail", exam)).content.decode()
    assert ("Left eye: take the photograph again" in text) is is_asked_again
    assert ("Both eyes are recorded." in text) is not is_asked_again
    assert "Right eye: take the photograph again" not in text


def test_a_failed_grading_has_a_button_to_try_again(exam: Exam, photographer: User, client: Client) -> None:
    grading = GradingFactory(image=FundusImageFactory(exam=exam), is_failed=True)
    client.force_login(photographer)
    assert reverse("screening:grading-retry", args=[grading.pk]) in client.get(page("detail", exam)).content.decode()
    client.post(reverse("screening:grading-retry", args=[grading.pk]))
    grading.refresh_from_db()
    assert grading.status == Grading.Status.QUEUED


def test_grade_0_has_no_heatmap(exam: Exam, photographer: User, client: Client) -> None:
    image = FundusImageFactory(exam=exam)
    GradingFactory(image=image, is_done=True, grade=0)
    client.force_login(photographer)
    assert f"heatmap-{image.pk}" not in client.get(page("detail", exam)).content.decode()


def test_a_blind_reviewer_does_not_find_the_grade_on_the_exam_page(exam: Exam, reviewer: User, client: Client) -> None:
    Site.objects.filter(pk=exam.site_id).update(reading_mode=Site.ReadingMode.BLIND_FIRST)
    image = FundusImageFactory(exam=exam)
    GradingFactory(image=image, is_done=True, grade=4)
    client.force_login(reviewer)
    for name in ("detail", "status"):
        text = client.get(page(name, exam)).content.decode()
        assert "roliferative" not in text
        assert f"heatmap-{image.pk}" not in text
        assert "hidden until your first reading" in text


def test_an_exam_with_an_absent_eye_can_be_submitted(exam: Exam, photographer: User, client: Client) -> None:
    FundusImageFactory(exam=exam)
    client.force_login(photographer)
    text = client.post(page("submit", exam), follow=True).content.decode()
    assert "The left eye (OS) has no photograph." in text
    client.post(page("absent", exam, "OS"), {"reason": "Prosthesis"})
    client.post(page("submit", exam))
    exam.refresh_from_db()
    assert (exam.status, exam.left_eye_absent_reason) == (Exam.Status.SUBMITTED, "Prosthesis")


def test_a_photograph_can_be_moved_and_withdrawn(exam: Exam, photographer: User, client: Client) -> None:
    image = FundusImageFactory(exam=exam)
    client.force_login(photographer)
    client.post(reverse("screening:image-laterality", args=[image.pk]), {"laterality": "OS"})
    client.post(reverse("screening:image-withdraw", args=[image.pk]), {"reason": "Wrong patient"})
    image.refresh_from_db()
    assert (image.laterality, image.withdrawn_reason) == ("OS", "Wrong patient")


def test_a_full_exam_takes_few_queries(
    exam: Exam, photographer: User, client: Client, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    for eye in ("OD", "OS"):
        for _number in range(4):
            GradingFactory(image=FundusImageFactory(exam=exam, laterality=eye), is_done=True)
    client.force_login(photographer)
    client.get(page("detail", exam))
    with django_assert_max_num_queries(16):
        client.get(page("detail", exam))
