"""The way of a visit through the API: register, open, send both eyes, wait, hand over, read the outcome."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from ml.vocabulary import ICDRGrade, Laterality
from screening.models import AuditEvent, Exam, FundusImage, Grading, Patient, Site, User
from screening.policy import MacularOedema
from screening.selectors import get_exam
from screening.services.gradings import run_grading
from screening.services.images import withdraw_image
from screening.services.reviews import Finding, record_first_reading, sign_review
from tests.builders import FakeGrader, make_prediction, photo_bytes
from tests.screening.api.client import FILE_NAME, ApiClient, assert_is_error
from tests.screening.factories import ExamFactory, FundusImageFactory, GradingFactory, MembershipFactory, PatientFactory
from tests.screening.photos.test_validation import REFUSED

DETAILS = {"mrn": "000417", "given_name": "Ada", "family_name": "Byron", "born_on": "1960-05-17", "sex": "F"}
HIDDEN = ("grade", "grade_name", "probabilities", "p_referable", "is_referable")


@pytest.fixture
def caller(photographer: User) -> ApiClient:
    return ApiClient(photographer)


@pytest.fixture
def exam(site: Site) -> Exam:
    return ExamFactory(patient__site=site)


def findings(grade: ICDRGrade) -> dict[Laterality, Finding]:
    return {eye: Finding(laterality=eye, grade=grade, macular_oedema=MacularOedema.NONE) for eye in Laterality}


def test_a_visit_goes_from_registering_to_the_signed_outcome(
    caller: ApiClient, reviewer: User, published: list[UUID], django_capture_on_commit_callbacks: Any
) -> None:
    patient = caller.post("patients", DETAILS).body["id"]
    opened = caller.post("exams", {"patient": patient})
    assert (opened.status, opened.body["status"], opened.body["review"]) == (201, "open", None)
    exam = opened.body["id"]
    with django_capture_on_commit_callbacks(execute=True):
        sent = [
            caller.send(f"exams/{exam}/images", photo_bytes(seed=seed), laterality=eye)
            for seed, eye in enumerate(("OD", "OS"))
        ]
    assert [answer.status for answer in sent] == [201, 201]
    gradings = [answer.body["grading"]["id"] for answer in sent]
    assert [str(one) for one in published] == gradings
    assert caller.get(f"gradings/{gradings[0]}").body["status"] == "queued"
    for one in published:
        run_grading(grading_id=one)
    done = caller.get(f"gradings/{gradings[0]}").body
    assert (done["status"], done["grade"], done["exam"], done["image"]) == ("done", 2, exam, sent[0].body["id"])
    assert len(done["heatmap"]) == 7
    assert done["heatmap_box"] == [0.1, 0.0, 0.9, 1.0]
    assert caller.get(f"exams/{exam}").body["n_pending"] == 0
    assert caller.post(f"exams/{exam}/submit").body["status"] == "submitted"
    review = sign_review(exam=Exam.objects.get(pk=exam), findings=findings(ICDRGrade.MODERATE), by=reviewer)
    (listed,) = caller.get("exams", status="reviewed", patient=patient).body["results"]
    assert listed["review"]["id"] == str(review.pk)
    alone = caller.get(f"reviews/{review.pk}").body
    assert alone == listed["review"]
    assert (alone["outcome"], alone["urgency"], alone["amended_by"]) == ("refer", "soon", None)
    assert [(one["laterality"], one["grade"]) for one in alone["findings"]] == [("OD", 2), ("OS", 2)]


def test_registering_a_number_twice_is_409_with_the_id_to_go_on_with(caller: ApiClient) -> None:
    first = caller.post("patients", DETAILS)
    assert (first.status, first.body["site"], first.body["mrn"]) == (201, "harbour", "000417")
    second = caller.post("patients", {**DETAILS, "mrn": " 000417 ", "given_name": "Augusta"})
    assert_is_error(second, 409, "patient_exists")
    assert second.body["existing_id"] == first.body["id"]
    assert Patient.objects.get().given_name == "Ada"


def test_whoever_works_at_two_sites_says_at_which(
    caller: ApiClient, photographer: User, other_site: Site, reviewer: User
) -> None:
    assert caller.post("patients", {**DETAILS, "site": "hill"}).body["fields"].keys() == {"site"}
    MembershipFactory(user=photographer, site=other_site, role="photographer")
    assert caller.post("patients", DETAILS).body["fields"].keys() == {"site"}
    assert caller.post("patients", {**DETAILS, "site": "hill"}).body["site"] == "hill"
    assert caller.post("patients", {**DETAILS, "site": "harbour"}).status == 201
    assert {one["code"] for one in caller.get("sites").body} == {"harbour", "hill"}
    MembershipFactory(user=reviewer, site=other_site, role="photographer")
    assert_is_error(ApiClient(reviewer).post("patients", {**DETAILS, "site": "harbour"}), 403, "forbidden")


def test_a_number_is_found_whole_or_by_its_beginning(caller: ApiClient, site: Site) -> None:
    for mrn in ("A-100", "A-101", "B-100"):
        PatientFactory(site=site, mrn=mrn)

    def found(**body: str) -> list[str]:
        return sorted(one["mrn"] for one in caller.post("patients/search", body).body["results"])

    assert found(mrn="A-100") == ["A-100"]
    assert found(mrn="A-10") == []
    assert found(mrn="a-10", match="prefix") == ["A-100", "A-101"]
    assert found(mrn="%", match="prefix") == []
    assert_is_error(caller.post("patients/search", {"mrn": ""}), 400, "invalid")


def test_reading_patients_and_exams_is_audited_without_their_data(caller: ApiClient, site: Site, exam: Exam) -> None:
    caller.post("patients/search", {"mrn": exam.patient.mrn})
    caller.get("patients")
    caller.get(f"patients/{exam.patient.pk}")
    caller.get(f"exams/{exam.pk}")
    verbs = list(AuditEvent.objects.order_by("id").exclude(verb="api_key.issued").values_list("verb", flat=True))
    assert verbs == ["patients.searched", "patients.searched", "patient.viewed", "exam.viewed"]
    assert not any(exam.patient.mrn in str(event.data) for event in AuditEvent.objects.all())


def test_the_same_file_again_is_200_with_the_first_record(caller: ApiClient, exam: Exam, media_root: Path) -> None:
    first = caller.send(f"exams/{exam.pk}/images", laterality="OD", field="disc")
    again = caller.send(f"exams/{exam.pk}/images", laterality="OD")
    assert (first.status, again.status) == (201, 200)
    assert again.body == first.body
    assert first.body["field"] == "disc"
    assert FundusImage.objects.count() == 1
    assert FILE_NAME not in str(first.body)
    other = caller.send(f"exams/{exam.pk}/images", laterality="OS")
    assert_is_error(other, 409, "other_eye")
    assert other.body["existing_id"] == first.body["id"]


@pytest.mark.parametrize(("code", "make"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_a_refused_upload_leaves_no_row_and_no_file(
    code: str, make: Callable[[], bytes], caller: ApiClient, exam: Exam, media_root: Path
) -> None:
    n_events = AuditEvent.objects.count()
    assert_is_error(caller.send(f"exams/{exam.pk}/images", make(), laterality="OD"), 400, code)
    assert not FundusImage.objects.exists()
    assert not Grading.objects.exists()
    assert AuditEvent.objects.count() == n_events
    assert not list(media_root.rglob("*"))


@pytest.mark.parametrize(
    "fields", [{}, {"laterality": "left"}, {"laterality": "od"}, {"laterality": "OD", "field": "x"}]
)
def test_an_eye_is_never_assumed(fields: dict[str, Any], caller: ApiClient, exam: Exam, media_root: Path) -> None:
    answer = caller.send(f"exams/{exam.pk}/images", **fields)
    assert_is_error(answer, 400, "invalid")
    assert set(answer.body["fields"]) == ({"field"} if "field" in fields else {"laterality"})
    assert not FundusImage.objects.exists()


@pytest.mark.parametrize("status", [Exam.Status.SUBMITTED, Exam.Status.REVIEWED, Exam.Status.CANCELLED])
def test_a_closed_exam_takes_no_photograph_and_no_second_submission(
    status: str, caller: ApiClient, site: Site, media_root: Path
) -> None:
    exam = ExamFactory(patient__site=site, is_submitted=True, status=status)
    assert_is_error(caller.send(f"exams/{exam.pk}/images", laterality="OD"), 409, "exam_not_open")
    assert_is_error(caller.post(f"exams/{exam.pk}/submit"), 409, "exam_not_open")
    assert not list(media_root.rglob("*"))


def test_an_exam_is_submitted_only_when_each_eye_is_there_or_absent(caller: ApiClient, exam: Exam) -> None:
    caller.send(f"exams/{exam.pk}/images", laterality="OD")
    refused = caller.post(f"exams/{exam.pk}/submit")
    assert_is_error(refused, 409, "eye_not_photographed")
    assert "left eye" in refused.body["message"]
    absent = caller.post(f"exams/{exam.pk}/absent-eye", {"laterality": "OS", "reason": "prosthesis"})
    assert absent.body["eyes"][1]["absent_reason"] == "prosthesis"
    assert_is_error(
        caller.post(f"exams/{exam.pk}/absent-eye", {"laterality": "OD", "reason": "x"}), 409, "exam_conflict"
    )
    assert_is_error(caller.send(f"exams/{exam.pk}/images", photo_bytes(seed=2), laterality="OS"), 409, "exam_conflict")
    assert caller.post(f"exams/{exam.pk}/submit").status == 200


def test_a_withdrawn_photograph_leaves_the_exam_and_keeps_its_record(
    caller: ApiClient, exam: Exam, photographer: User
) -> None:
    image = FundusImageFactory(exam=exam)
    withdraw_image(image=image, reason="wrong patient", by=photographer)
    assert caller.get(f"exams/{exam.pk}").body["eyes"][0]["images"] == []
    assert caller.get(f"images/{image.pk}").body["withdrawn_reason"] == "wrong patient"


def test_an_ungradable_photograph_says_what_to_do_and_is_never_negative(
    caller: ApiClient, exam: Exam, fake_grader: FakeGrader
) -> None:
    fake_grader.prediction = make_prediction(None)
    grading = caller.send(f"exams/{exam.pk}/images", laterality="OD").body["grading"]["id"]
    run_grading(grading_id=UUID(grading))
    body = caller.get(f"gradings/{grading}").body
    assert (body["status"], body["is_gradable"], body["is_referable"]) == ("done", False, None)
    assert body["quality_reasons"][0]["advice"]


def test_a_failed_grading_can_be_tried_again_once_it_has_failed(caller: ApiClient, exam: Exam) -> None:
    grading = GradingFactory(image__exam=exam, is_failed=True)
    failed = caller.get(f"gradings/{grading.pk}").body
    assert (failed["status"], failed["failure_code"], failed["grade"]) == ("failed", "unexpected", None)
    assert failed["quality_reasons"] == []
    retried = caller.post(f"gradings/{grading.pk}/retry")
    assert (retried.status, retried.body["status"], retried.body["failure_code"]) == (200, "queued", "")
    assert_is_error(caller.post(f"gradings/{grading.pk}/retry"), 409, "grading_not_failed")


def test_an_amended_review_names_the_one_that_holds(caller: ApiClient, reviewer: User, site: Site) -> None:
    exam = ExamFactory(patient__site=site, is_submitted=True)
    first = sign_review(exam=exam, findings=findings(ICDRGrade.NONE), by=reviewer)
    second = sign_review(
        exam=exam, findings=findings(ICDRGrade.SEVERE), amends=first, amend_reason="Overlooked.", by=reviewer
    )
    assert caller.get(f"reviews/{first.pk}").body["amended_by"] == str(second.pk)
    held = caller.get(f"exams/{exam.pk}").body["review"]
    assert (held["id"], held["amends"], held["outcome"]) == (str(second.pk), str(first.pk), "refer_urgent")


@pytest.mark.parametrize("step", ["nothing read", "one eye read", "both read", "one absent", "signed", "side by side"])
def test_a_reviewer_who_must_read_first_does_not_see_the_grade_through_the_api(
    step: str, reviewer: User, photographer: User, site: Site
) -> None:
    site.reading_mode = Site.ReadingMode.SIDE_BY_SIDE if step == "side by side" else Site.ReadingMode.BLIND_FIRST
    site.save()
    exam = ExamFactory(patient__site=site, is_submitted=True)
    if step == "one absent":
        Exam.objects.filter(pk=exam.pk).update(left_eye_absent_reason="prosthesis")
    image = FundusImageFactory(exam=exam)
    grading = GradingFactory(image=image, is_done=True, grade=3)
    eyes = {"one eye read": ["OD"], "both read": ["OD", "OS"], "signed": ["OD", "OS"], "one absent": ["OD"]}
    for eye in eyes.get(step, []):
        record_first_reading(exam=exam, laterality=eye, is_gradable=True, grade=3, macular_oedema="none", by=reviewer)
    if step == "signed":
        sign_review(exam=exam, findings=findings(ICDRGrade.SEVERE), by=reviewer)
    is_revealed = step not in {"nothing read", "one eye read"}
    for user, sees in ((reviewer, is_revealed), (photographer, True)):
        caller = ApiClient(user)
        assert get_exam(user=user, exam_id=exam.pk).is_model_revealed is sees
        shown = [
            caller.get(f"gradings/{grading.pk}").body,
            caller.get("gradings").body["results"][0],
            caller.get(f"images/{image.pk}").body["grading"],
            caller.get("images").body["results"][0]["grading"],
            caller.get(f"exams/{exam.pk}").body["eyes"][0]["images"][0]["grading"],
            caller.get("exams").body["results"][0]["eyes"][0]["images"][0]["grading"],
        ]
        for body in shown:
            assert body["is_revealed"] is sees
            assert body["is_gradable"] is True
            assert all((body[key] is not None) is sees for key in HIDDEN)
        assert (shown[0]["heatmap"] is not None) is sees
        assert all("heatmap" not in body for body in shown[1:])
