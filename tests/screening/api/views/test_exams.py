"""Exams of the API: from registering a patient to the signed review."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.utils.dateparse import parse_datetime

from ml.vocabulary import ICDRGrade, Laterality
from screening.labels.quality import LIMITATION
from screening.models import AuditEvent, Exam, FundusImage, Grading, Patient, Site, User
from screening.policy import MacularOedema
from screening.policy.landmarks import Landmarks
from screening.selectors import get_exam
from screening.services.gradings import run_grading
from screening.services.images import withdraw_image
from screening.services.reviews import Finding, sign_review
from screening.services.structured_findings import StructuredFindings
from tests.builders import FakeGrader, make_prediction, photo_bytes
from tests.screening.api.client import FILE_NAME, ApiClient, assert_is_error
from tests.screening.factories import ExamFactory, FundusImageFactory, GradingFactory, MembershipFactory, PatientFactory
from tests.screening.photos.test_validation import REFUSED
from tests.screening.readings import read_eye

DETAILS = {"mrn": "000417", "given_name": "Ada", "family_name": "Byron", "born_on": "1960-05-17", "sex": "F"}
GRADE_KEYS = ("grade", "grade_name", "probabilities", "p_at_least", "p_referable", "is_referable")


@pytest.fixture
def exam(site: Site) -> Exam:
    return ExamFactory(patient__site=site)


def findings(grade: ICDRGrade) -> dict[Laterality, Finding]:
    return {eye: Finding(laterality=eye, grade=grade, macular_oedema=MacularOedema.NONE) for eye in Laterality}


def test_an_exam_from_registration_to_signed_review(
    client: ApiClient, reviewer: User, published: list[UUID], django_capture_on_commit_callbacks: Any
) -> None:
    patient = client.post("patients", DETAILS).body["id"]
    opened = client.post("exams", {"patient": patient})
    assert (opened.status, opened.body["status"], opened.body["review"]) == (201, "open", None)
    path = f"exams/{opened.body['id']}"
    with django_capture_on_commit_callbacks(execute=True):
        sent = [
            client.send(f"{path}/images", photo_bytes(seed=seed), laterality=eye)
            for seed, eye in enumerate(("OD", "OS"))
        ]
    assert [response.status for response in sent] == [201, 201]
    gradings = [response.body["grading"]["id"] for response in sent]
    assert [str(grading) for grading in published] == gradings
    queued = client.get(f"gradings/{gradings[0]}").body
    assert (queued["status"], bool(queued["published_at"])) == ("queued", True)
    for grading in published:
        run_grading(grading_id=grading)
    done = client.get(f"gradings/{gradings[0]}").body
    assert (done["status"], done["grade"], done["image"]) == ("done", 2, sent[0].body["id"])
    assert done["exam"] == opened.body["id"]
    assert len(done["heatmap"]) == 7
    assert done["heatmap_box"] == [0.1, 0.0, 0.9, 1.0]
    assert client.get(path).body["n_pending"] == 0
    assert_is_error(client.post(f"{path}/submit", {"reading_urgency": "now"}), 400, "invalid")
    submitted = client.post(f"{path}/submit", {"reading_urgency": "soon"}).body
    assert (submitted["status"], submitted["reading_urgency"]) == ("submitted", "soon")
    client.post(f"{path}/take-back")
    assert client.post(f"{path}/submit").body["reading_urgency"] == "soon", "as before, if nothing is sent"
    assert parse_datetime(submitted["due_at"]) - parse_datetime(submitted["submitted_at"]) == timedelta(hours=72)  # type: ignore[operator]
    signed = sign_review(exam=Exam.objects.get(), findings=findings(ICDRGrade.MODERATE), by=reviewer)
    (listed,) = client.get("exams", status="signed", patient=patient).body["results"]
    review = client.get(f"reviews/{signed.pk}").body
    assert listed["review"] == review
    assert (review["id"], review["outcome"], review["urgency"]) == (str(signed.pk), "refer", "soon")
    assert review["amended_by"] is None
    assert [(finding["laterality"], finding["grade"]) for finding in review["findings"]] == [("OD", 2), ("OS", 2)]


def test_a_registered_number_is_409_with_the_patient(client: ApiClient) -> None:
    first = client.post("patients", DETAILS)
    assert (first.status, first.body["site"], first.body["mrn"]) == (201, "harbour", "000417")
    second = client.post("patients", {**DETAILS, "mrn": " 000417 ", "given_name": "Augusta"})
    assert_is_error(second, 409, "patient_exists")
    assert second.body["existing_id"] == first.body["id"]
    assert Patient.objects.get().given_name == "Ada"


def test_a_user_of_two_sites_must_choose_one(
    client: ApiClient, photographer: User, other_site: Site, reviewer: User
) -> None:
    def register(caller: ApiClient, **site: str) -> Any:
        return caller.post("patients", {**DETAILS, **site})

    assert register(client, site="hill").body["fields"].keys() == {"site"}
    MembershipFactory(user=photographer, site=other_site, role="photographer")
    assert register(client).body["fields"].keys() == {"site"}
    assert register(client, site="hill").body["site"] == "hill"
    assert register(client, site="harbour").status == 201
    assert {site["code"] for site in client.get("sites").body} == {"harbour", "hill"}
    MembershipFactory(user=reviewer, site=other_site, role="photographer")
    assert_is_error(register(ApiClient(reviewer), site="harbour"), 403, "forbidden")


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ({"mrn": "A-100"}, ["A-100"]),
        ({"mrn": "A-10"}, []),
        ({"mrn": "a-10", "match": "prefix"}, ["A-100", "A-101"]),
        ({"mrn": "%", "match": "prefix"}, []),
    ],
)
def test_a_patient_is_found_by_number(search: dict[str, str], found: list[str], client: ApiClient, site: Site) -> None:
    for mrn in ("A-100", "A-101", "B-100"):
        PatientFactory(site=site, mrn=mrn)
    assert sorted(row["mrn"] for row in client.post("patients/search", search).body["results"]) == found


def test_views_of_patients_and_exams_are_audited_without_their_data(client: ApiClient, exam: Exam) -> None:
    client.post("patients/search", {"mrn": exam.patient.mrn})
    for path in ("patients", f"patients/{exam.patient.pk}", f"exams/{exam.pk}"):
        client.get(path)
    events = list(AuditEvent.objects.order_by("id").exclude(verb="api_key.issued"))
    verbs = [event.verb for event in events]
    assert verbs == ["patients.searched", "patients.searched", "patient.viewed", "exam.viewed"]
    assert not any(exam.patient.mrn in str(event.data) for event in events)


def test_a_repeated_upload_gives_the_first_record(client: ApiClient, exam: Exam) -> None:
    first = client.send(f"exams/{exam.pk}/images", laterality="OD", field="disc")
    again = client.send(f"exams/{exam.pk}/images", laterality="OD")
    assert (first.status, again.status) == (201, 200)
    assert again.body == first.body
    assert first.body["field"] == "disc"
    assert FundusImage.objects.count() == 1
    assert FILE_NAME not in str(first.body)
    other = client.send(f"exams/{exam.pk}/images", laterality="OS")
    assert_is_error(other, 409, "other_eye")
    assert other.body["existing_id"] == first.body["id"]


@pytest.mark.parametrize(("sent", "is_bulk"), [({}, False), ({"is_bulk": "true"}, True)])
def test_a_batch_is_graded_as_bulk(sent: dict[str, Any], is_bulk: bool, client: ApiClient, exam: Exam) -> None:
    image = client.send(f"exams/{exam.pk}/images", laterality="OD", **sent).body["id"]
    assert Grading.objects.values_list("is_bulk", "queue_site").get(image=image) == (is_bulk, exam.site.pk)


@pytest.mark.parametrize(("code", "make"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_a_refused_upload_is_not_stored(
    code: str, make: Callable[[], bytes], client: ApiClient, exam: Exam, media_root: Path
) -> None:
    n_events = AuditEvent.objects.count()
    assert_is_error(client.send(f"exams/{exam.pk}/images", make(), laterality="OD"), 400, code)
    assert not FundusImage.objects.exists()
    assert not Grading.objects.exists()
    assert AuditEvent.objects.count() == n_events
    assert not list(media_root.rglob("*"))


@pytest.mark.parametrize(
    "fields", [{}, {"laterality": "left"}, {"laterality": "od"}, {"laterality": "OD", "field": "x"}]
)
def test_the_eye_of_an_upload_has_no_default(fields: dict[str, Any], client: ApiClient, exam: Exam) -> None:
    response = client.send(f"exams/{exam.pk}/images", **fields)
    assert_is_error(response, 400, "invalid")
    assert set(response.body["fields"]) == ({"field"} if "field" in fields else {"laterality"})
    assert not FundusImage.objects.exists()


@pytest.mark.parametrize("status", [Exam.Status.SUBMITTED, Exam.Status.SIGNED, Exam.Status.CANCELLED])
def test_a_closed_exam_cannot_be_changed(status: str, client: ApiClient, site: Site, media_root: Path) -> None:
    exam = ExamFactory(patient__site=site, is_submitted=True, status=status)
    assert_is_error(client.send(f"exams/{exam.pk}/images", laterality="OD"), 409, "exam_not_open")
    assert_is_error(client.post(f"exams/{exam.pk}/submit"), 409, "exam_not_open")
    assert not any(path.is_file() for path in media_root.rglob("*"))


def test_each_eye_must_be_photographed_or_absent(client: ApiClient, exam: Exam) -> None:
    path = f"exams/{exam.pk}"
    client.send(f"{path}/images", laterality="OD")
    refused = client.post(f"{path}/submit")
    assert_is_error(refused, 409, "eye_not_photographed")
    assert "left eye" in refused.body["message"]
    absent = client.post(f"{path}/absent-eye", {"laterality": "OS", "reason": "prosthesis"})
    assert absent.body["eyes"][1]["absent_reason"] == "prosthesis"
    assert_is_error(client.post(f"{path}/absent-eye", {"laterality": "OD", "reason": "x"}), 409, "exam_conflict")
    assert_is_error(client.send(f"{path}/images", photo_bytes(seed=2), laterality="OS"), 409, "exam_conflict")
    assert client.post(f"{path}/submit").status == 200


def test_a_withdrawn_photograph_keeps_its_record(client: ApiClient, exam: Exam, photographer: User) -> None:
    image = FundusImageFactory(exam=exam)
    withdraw_image(image=image, code="wrong_patient", by=photographer)
    assert client.get(f"exams/{exam.pk}").body["eyes"][0]["images"] == []
    assert client.get(f"images/{image.pk}").body["withdrawn_code"] == "wrong_patient"


def test_an_ungradable_photograph_has_advice_and_is_not_negative(
    client: ApiClient, exam: Exam, fake_grader: FakeGrader
) -> None:
    fake_grader.prediction = make_prediction(None)
    grading = client.send(f"exams/{exam.pk}/images", laterality="OD").body["grading"]["id"]
    run_grading(grading_id=UUID(grading))
    body = client.get(f"gradings/{grading}").body
    assert (body["status"], body["is_gradable"], body["is_referable"]) == ("done", False, None)
    assert body["quality_reasons"][0]["advice"]


@pytest.mark.parametrize(
    ("mode", "is_shown"), [(Site.ReadingMode.SIDE_BY_SIDE, True), (Site.ReadingMode.BLIND_FIRST, False)]
)
def test_a_limited_negative_is_marked_unless_the_grade_is_hidden(
    mode: str, is_shown: bool, reviewer: User, site: Site
) -> None:
    Site.objects.filter(pk=site.pk).update(reading_mode=mode)
    limited = {"is_done": True, "grade": 0, "quality_level": "usable", "quality_reasons": ["blurred"]}
    grading = GradingFactory(image__exam=ExamFactory(patient__site=site, is_submitted=True), **limited)
    body = ApiClient(reviewer).get(f"gradings/{grading.pk}").body
    assert (body["quality_level"], body["quality_reasons"][0]["code"]) == ("usable", "blurred")
    assert (body["is_limited_negative"], body["limitation"]) == ((True, LIMITATION) if is_shown else (None, None))


def test_only_a_failed_grading_can_be_retried(client: ApiClient, exam: Exam) -> None:
    path = f"gradings/{GradingFactory(image__exam=exam, is_failed=True).pk}"
    failed = client.get(path).body
    assert (failed["status"], failed["failure_code"], failed["grade"]) == ("failed", "unexpected", None)
    assert (failed["quality_reasons"], failed["quality_level"]) == ([], None)
    retried = client.post(f"{path}/retry")
    assert (retried.status, retried.body["status"], retried.body["failure_code"]) == (200, "queued", "")
    assert_is_error(client.post(f"{path}/retry"), 409, "grading_not_failed")


def test_a_finding_has_the_landmarks_of_its_photographs(client: ApiClient, reviewer: User, site: Site) -> None:
    exam = ExamFactory(patient__site=site, is_submitted=True)
    right, _left = (FundusImageFactory(exam=exam, laterality=eye) for eye in ("OD", "OS"))
    placed = {right.pk: Landmarks(optic_disc=(0.7, 0.5), diameter=0.12, fovea=(0.4123, 0.52))}
    signed = findings(ICDRGrade.NONE)
    signed[Laterality.RIGHT] = replace(signed[Laterality.RIGHT], structured=StructuredFindings(landmarks=placed))
    sign_review(exam=exam, findings=signed, by=reviewer)
    of_right, of_left = client.get(f"exams/{exam.pk}").body["review"]["findings"]
    expected = {"image": str(right.pk), "optic_disc": [0.7, 0.5], "diameter": 0.12, "fovea": [0.4123, 0.52]}
    assert (of_right["landmarks"], of_left["landmarks"]) == ([expected], [])


def test_an_exam_has_its_newest_review(client: ApiClient, reviewer: User, site: Site) -> None:
    exam = ExamFactory(patient__site=site, is_submitted=True)
    for eye in ("OD", "OS"):
        FundusImageFactory(exam=exam, laterality=eye)
    first = sign_review(exam=exam, findings=findings(ICDRGrade.NONE), by=reviewer)
    second = sign_review(
        exam=exam, findings=findings(ICDRGrade.SEVERE), amends=first, amend_reason="Overlooked.", by=reviewer
    )
    assert client.get(f"reviews/{first.pk}").body["amended_by"] == str(second.pk)
    review = client.get(f"exams/{exam.pk}").body["review"]
    assert (review["id"], review["amends"], review["outcome"]) == (str(second.pk), str(first.pk), "refer_urgent")


BLIND, SIDE_BY_SIDE = Site.ReadingMode.BLIND_FIRST, Site.ReadingMode.SIDE_BY_SIDE
BLIND_CASES: list[tuple[str, list[str], str, bool, bool]] = [  # mode, first readings, absent, is_signed, is_revealed
    (BLIND, [], "", False, False),
    (BLIND, ["OD"], "", False, False),
    (BLIND, ["OD", "OS"], "", False, True),
    (BLIND, ["OD"], "prosthesis", False, True),
    (BLIND, ["OD", "OS"], "", True, True),
    (SIDE_BY_SIDE, [], "", False, True),
]


@pytest.mark.parametrize("case", BLIND_CASES)
def test_a_blind_reviewer_gets_no_grade(case: Any, reviewer: User, photographer: User, site: Site) -> None:
    mode, read, absent, is_signed, is_revealed = case
    Site.objects.update(reading_mode=mode)
    exam = ExamFactory(patient__site=Site.objects.get(), is_submitted=True, left_eye_absent_reason=absent)
    if not absent:
        FundusImageFactory(exam=exam, laterality="OS")
    image = FundusImageFactory(exam=exam)
    grading = GradingFactory(image=image, is_done=True, grade=3)
    for eye in read:
        read_eye(exam=exam, laterality=eye, grade=3, macular_oedema="none", by=reviewer)
    if is_signed:
        sign_review(exam=exam, findings=findings(ICDRGrade.SEVERE), by=reviewer)
    for user, is_visible in ((reviewer, is_revealed), (photographer, is_signed or mode == SIDE_BY_SIDE)):
        client = ApiClient(user)
        assert get_exam(user=user, exam_id=exam.pk).is_model_revealed is is_visible
        detail, *others = [
            client.get(f"gradings/{grading.pk}").body,
            client.get("gradings").body["results"][0],
            client.get(f"images/{image.pk}").body["grading"],
            client.get("images").body["results"][0]["grading"],
            client.get(f"exams/{exam.pk}").body["eyes"][0]["images"][0]["grading"],
            client.get("exams").body["results"][0]["eyes"][0]["images"][0]["grading"],
        ]
        for body in (detail, *others):
            assert (body["is_revealed"], body["is_gradable"]) == (is_visible, True)
            assert all((body[key] is not None) is is_visible for key in GRADE_KEYS)
        assert (detail["heatmap"] is not None) is is_visible
        assert all("heatmap" not in body for body in others)
