"""The exam page: upload, results, advice, submission."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from screening.models import AuditEvent, Exam, FundusImage, Grading, Site, User
from tests.builders import photo_bytes
from tests.screening.factories import ExamFactory, FundusImageFactory, GradingFactory, PatientFactory
from tests.screening.views.pages import JSON, count_queries, page_text, text_of, url


@pytest.fixture
def exam(site: Site) -> Exam:
    return ExamFactory(patient=PatientFactory(site=site))


def upload(client: Client, exam: Exam, data: bytes | None = None, **fields: str) -> Any:
    file = SimpleUploadedFile("Jane Doe.jpg", photo_bytes() if data is None else data)
    return client.post(url("exam-images", exam.pk), {"photo": file, "laterality": "OD", **fields}, headers=JSON)


def test_an_upload_by_script_returns_the_image(exam: Exam, as_photographer: Client) -> None:
    response = upload(as_photographer, exam, laterality="OS", field="disc")
    image = FundusImage.objects.get()
    assert (response.status_code, response.json()["image"]) == (201, str(image.pk))
    assert (image.laterality, image.field) == ("OS", "disc")
    assert "Jane" not in str(image.file.name)


def test_the_plain_form_uploads_without_a_script(exam: Exam, as_photographer: Client) -> None:
    data = {"photo": SimpleUploadedFile("eye.jpg", photo_bytes()), "laterality": "OD"}
    response = as_photographer.post(url("exam-images", exam.pk), data, follow=True)
    assert "Photograph received: Right eye (OD)." in text_of(response)
    assert FundusImage.objects.get().field == FundusImage.Field.MACULA


@pytest.mark.parametrize(
    ("data", "changes", "message"),
    [
        (b"hello, I am a text", {}, "This file is not a photograph"),
        (b"", {}, "The file is empty"),
        (photo_bytes(), {"laterality": ""}, "Choose the eye"),
        (photo_bytes(), {"laterality": "XX"}, "Choose the eye"),
        (photo_bytes()[:400], {}, "."),
    ],
)
def test_a_refused_upload_has_a_reason_and_stores_nothing(
    data: bytes, changes: dict[str, str], message: str, exam: Exam, as_photographer: Client
) -> None:
    response = upload(as_photographer, exam, data, **changes)
    assert response.status_code == 400
    assert message in response.json()["message"]
    assert not FundusImage.objects.exists()


def test_a_form_with_two_files_stores_neither(exam: Exam, as_photographer: Client) -> None:
    files = [SimpleUploadedFile(f"{seed}.jpg", photo_bytes(seed=seed)) for seed in (1, 2)]
    for fields in ({"photo": files}, {"photo": files[0], "second": files[1]}):
        response = as_photographer.post(url("exam-images", exam.pk), {**fields, "laterality": "OD"}, headers=JSON)
        assert (response.status_code, "one photograph at a time" in response.json()["message"]) == (400, True)
    assert not FundusImage.objects.exists()


def test_start_an_exam_pressed_twice_leads_to_the_open_one(site: Site, as_photographer: Client) -> None:
    patient = PatientFactory(site=site)
    first, second = (as_photographer.post(url("patient-exams", patient.pk)) for _ in range(2))
    exam = Exam.objects.get()
    assert first["Location"] == second["Location"] == url("exam-detail", exam.pk)
    assert "This patient has an open exam of" in text_of(as_photographer.get(second["Location"]))
    assert AuditEvent.objects.filter(verb="exam.opened").count() == 1


@pytest.mark.parametrize("status", [Exam.Status.SUBMITTED, Exam.Status.CANCELLED])
def test_another_exam_starts_after_the_open_one(status: str, site: Site, as_photographer: Client) -> None:
    patient = PatientFactory(site=site)
    as_photographer.post(url("patient-exams", patient.pk))
    Exam.objects.update(status=status, submitted_at=timezone.now(), due_at=timezone.now())
    as_photographer.post(url("patient-exams", patient.pk))
    assert Exam.objects.filter(patient=patient).count() == 2


def test_the_same_file_for_the_other_eye_is_refused(exam: Exam, as_photographer: Client) -> None:
    upload(as_photographer, exam)
    response = upload(as_photographer, exam, laterality="OS")
    assert (response.status_code, response.json()["code"]) == (409, "other_eye")
    assert "already in this exam as the right eye" in response.json()["message"]
    assert FundusImage.objects.count() == 1


def test_a_reviewer_may_not_upload(exam: Exam, as_reviewer: Client) -> None:
    response = upload(as_reviewer, exam)
    assert (response.status_code, response.json()["code"]) == (403, "forbidden")


def test_the_page_polls_only_while_a_grading_is_pending(exam: Exam, as_photographer: Client) -> None:
    grading = GradingFactory(image=FundusImageFactory(exam=exam))
    response = as_photographer.get(url("exam-detail", exam.pk))
    version = {"version": response.context["version"]}
    assert "every 1s" in text_of(response)
    assert as_photographer.get(url("exam-status", exam.pk), version).status_code == 204
    Grading.objects.filter(pk=grading.pk).update(status=Grading.Status.FAILED, failure_code="unexpected")
    response = as_photographer.get(url("exam-status", exam.pk), version)
    assert response.status_code == 200
    assert "every 1s" not in text_of(response)


def test_a_change_is_announced_to_screen_readers(exam: Exam, as_photographer: Client) -> None:
    GradingFactory(image=FundusImageFactory(exam=exam), is_done=True, grade=3)
    GradingFactory(image=FundusImageFactory(exam=exam, laterality="OS"), is_ungradable=True)
    text = as_photographer.get(url("exam-status", exam.pk)).context["announcement"]
    assert text == "Right eye: Severe non-proliferative. Left eye: not gradable. The photograph is out of focus."
    GradingFactory(image=FundusImageFactory(exam=exam), is_failed=True)
    GradingFactory(image=FundusImageFactory(exam=exam, laterality="OS"))
    text = as_photographer.get(url("exam-status", exam.pk)).context["announcement"]
    assert text == "Right eye: the model could not grade the photograph. 1 photograph is being graded."


def test_a_limited_negative_is_marked_and_announced(exam: Exam, as_photographer: Client) -> None:
    limited = {"is_done": True, "grade": 0, "quality_level": "usable", "quality_reasons": ["blurred"]}
    GradingFactory(image=FundusImageFactory(exam=exam, laterality="OD"), **limited)
    text = page_text(as_photographer, "exam-detail", exam.pk)
    assert '<span class="chip is-unclear">Usable with limits</span>' in text
    assert "The photograph is out of focus." in text
    assert "If the patient is still here, take another photograph." in text
    announcement = as_photographer.get(url("exam-status", exam.pk)).context["announcement"]
    for shown in (text, announcement):
        assert "Small lesions could be missed" in shown


@pytest.mark.parametrize(("n_photos", "is_retake"), [(1, True), (2, True), (3, False)])
def test_an_ungradable_eye_has_advice_and_is_photographed_three_times(
    n_photos: int, is_retake: bool, exam: Exam, as_photographer: Client
) -> None:
    GradingFactory(image=FundusImageFactory(exam=exam, laterality="OD"), is_done=True)
    for _ in range(n_photos):
        GradingFactory(image=FundusImageFactory(exam=exam, laterality="OS"), is_ungradable=True)
    text = page_text(as_photographer, "exam-detail", exam.pk)
    assert ("Left eye: take another photograph" in " ".join(text.split())) is is_retake
    assert "Both eyes are complete." not in text
    assert ("None of the 3 photographs of this eye is gradable" in text) is not is_retake
    assert ("Left eye: record why no photograph can be obtained" in text) is not is_retake
    assert ("earlier photograph" in text) is (n_photos > 1)  # folded away, and the newest is open
    assert "Right eye: take another photograph" not in text
    assert text.count("Refocus on the vessels") == text.count(">Not gradable<") == n_photos
    assert "grade 0 of 4" not in text


def test_photographs_withdrawn_for_poor_quality_are_attempts(exam: Exam, as_photographer: Client) -> None:
    for code in ("poor_quality", "poor_quality", "wrong_patient"):
        FundusImageFactory(exam=exam, withdrawn_at=exam.created_at, withdrawn_code=code)
    unobtainable = "is gradable. Do not take more: record why"
    assert unobtainable not in " ".join(page_text(as_photographer, "exam-detail", exam.pk).split())
    FundusImageFactory(exam=exam, withdrawn_at=exam.created_at, withdrawn_code="poor_quality")
    assert unobtainable in " ".join(page_text(as_photographer, "exam-detail", exam.pk).split())


def test_a_failed_grading_can_be_retried(exam: Exam, as_photographer: Client) -> None:
    grading = GradingFactory(image=FundusImageFactory(exam=exam), is_failed=True)
    retry_url = url("grading-retry", grading.pk)
    assert retry_url in page_text(as_photographer, "exam-detail", exam.pk)
    as_photographer.post(retry_url)
    grading.refresh_from_db()
    assert grading.status == Grading.Status.QUEUED


@pytest.mark.parametrize("grade", [0, 2])
def test_grade_0_has_no_heatmap(grade: int, exam: Exam, as_photographer: Client) -> None:
    image = FundusImageFactory(exam=exam)
    GradingFactory(image=image, is_done=True, grade=grade)
    assert (f"heatmap-{image.pk}" in page_text(as_photographer, "exam-detail", exam.pk)) is (grade > 0)


@pytest.mark.parametrize("name", ["exam-detail", "exam-status"])
def test_a_blind_reviewer_sees_no_grade_on_the_exam_page(name: str, exam: Exam, as_reviewer: Client) -> None:
    Site.objects.filter(pk=exam.site_id).update(reading_mode=Site.ReadingMode.BLIND_FIRST)
    image = FundusImageFactory(exam=exam)
    GradingFactory(image=image, is_done=True, grade=4)
    text = page_text(as_reviewer, name, exam.pk)
    assert "roliferative" not in text
    assert f"heatmap-{image.pk}" not in text
    assert "hidden until your first reading" in text


def test_an_exam_with_an_absent_eye_can_be_submitted(exam: Exam, as_photographer: Client) -> None:
    FundusImageFactory(exam=exam)
    text = text_of(as_photographer.post(url("exam-submit", exam.pk), follow=True))
    assert "The left eye (OS) has no photograph." in text
    as_photographer.post(url("exam-absent", exam.pk, "OS"), {"reason": "Prosthesis"})
    as_photographer.post(url("exam-submit", exam.pk))
    exam.refresh_from_db()
    assert (exam.status, exam.left_eye_absent_reason) == (Exam.Status.SUBMITTED, "Prosthesis")


def test_the_chosen_urgency_stays_until_the_exam_is_submitted(exam: Exam, as_photographer: Client) -> None:
    FundusImageFactory(exam=exam)
    chosen = '<option value="immediate" selected>'
    text = page_text(as_photographer, "exam-detail", exam.pk)
    assert 'name="reading_urgency" hx-preserve' in text  # the eye cards are replaced when a grading ends
    assert chosen not in text
    sent = {"reading_urgency": "immediate"}
    assert chosen in text_of(as_photographer.post(url("exam-submit", exam.pk), sent, follow=True))
    as_photographer.post(url("exam-absent", exam.pk, "OS"), {"reason": "Prosthesis"})
    as_photographer.post(url("exam-submit", exam.pk), sent)
    assert chosen in text_of(as_photographer.post(url("exam-take-back", exam.pk), follow=True))
    exam.refresh_from_db()
    assert exam.reading_urgency == "immediate"


def test_a_photograph_can_be_moved_and_withdrawn(exam: Exam, as_photographer: Client) -> None:
    image = FundusImageFactory(exam=exam)
    as_photographer.post(url("image-laterality", image.pk), {"laterality": "OS"})
    text = text_of(as_photographer.post(url("image-withdraw", image.pk), {"reason": "Glare"}, follow=True))
    assert "Choose why the photograph is withdrawn." in text
    text = text_of(as_photographer.post(url("image-withdraw", image.pk), {"code": "other"}, follow=True))
    assert "Enter the reason for withdrawing the photograph." in text
    as_photographer.post(url("image-withdraw", image.pk), {"code": "wrong_patient"})
    image.refresh_from_db()
    assert (image.laterality, image.withdrawn_code) == ("OS", "wrong_patient")


def test_a_full_exam_takes_few_queries(exam: Exam, as_photographer: Client) -> None:
    for eye in ("OD", "OS"):
        for _number in range(4):
            GradingFactory(image=FundusImageFactory(exam=exam, laterality=eye), is_done=True)
    assert count_queries(as_photographer, "exam-detail", exam.pk) <= 21


@pytest.mark.parametrize(
    ("mode", "switch", "sees_grade"),
    [("blind_first", None, False), ("blind_first", True, True), ("triage", None, True), ("side_by_side", False, False)],
)
def test_photographers_see_the_quality_and_the_grade_only_if_the_site_allows_it(
    mode: str, switch: bool | None, sees_grade: bool, exam: Exam, as_photographer: Client, manager: User
) -> None:
    Site.objects.filter(pk=exam.site_id).update(reading_mode=mode, photographers_see_grades=switch)
    exam.site.refresh_from_db()
    assert exam.site.hides_grades_from_photographers is not sees_grade
    image = FundusImageFactory(exam=exam)
    GradingFactory(image=image, is_done=True, grade=4)
    for name in ("exam-detail", "exam-status"):
        text = page_text(as_photographer, name, exam.pk)
        assert "Good quality" in text
        assert ("roliferative" in text) is ("heatmap-" in text) is sees_grade
        assert "hidden until your first reading" not in text
    as_photographer.force_login(manager)
    assert "roliferative" in page_text(as_photographer, "exam-detail", exam.pk)


def test_an_eye_is_recorded_as_not_obtainable(exam: Exam, as_photographer: Client) -> None:
    for _ in range(3):
        GradingFactory(image=FundusImageFactory(exam=exam, laterality="OS"), is_ungradable=True)
    address = url("exam-unobtainable", exam.pk, "OS")
    text = text_of(as_photographer.post(address, {"code": "other"}, follow=True))
    assert "Enter in words why no photograph can be obtained." in text
    text = text_of(as_photographer.post(address, {"code": "tired"}, follow=True))
    assert "Select a valid choice" in text
    text = text_of(as_photographer.post(address, {"code": "cataract"}, follow=True))
    assert "Left eye: not obtainable, for slit-lamp examination" in text
    assert "Recorded as absent" not in text
    as_photographer.post(address, {"code": ""})
    exam.refresh_from_db()
    assert exam.left_eye_unobtainable == ""


def test_the_page_names_the_required_field_that_is_missing(exam: Exam, as_photographer: Client) -> None:
    Site.objects.filter(pk=exam.site_id).update(requires_optic_disc=True)
    for eye in ("OD", "OS"):
        GradingFactory(image=FundusImageFactory(exam=exam, laterality=eye), is_done=True)
    GradingFactory(image=FundusImageFactory(exam=exam, laterality="OD", field="disc"), is_done=True)
    text = page_text(as_photographer, "exam-detail", exam.pk)
    assert "Right eye, disc-centred: photographed" in text
    assert "Left eye, disc-centred: missing" in text
    assert "Submit without what is missing" in text
    text = text_of(as_photographer.post(url("exam-submit", exam.pk), follow=True))
    assert "Your site requires a photograph that is missing: Left eye: Disc-centred." in text
    as_photographer.post(url("exam-submit", exam.pk), {"confirm": "fields_missing"})
    exam.refresh_from_db()
    assert exam.status == Exam.Status.SUBMITTED
