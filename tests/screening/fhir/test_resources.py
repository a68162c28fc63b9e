"""Each resource in each state of an exam. The client checks all of them against the models of FHIR."""

import datetime
from typing import Any

import pytest
from django.utils import timezone

from ml.vocabulary import ICDRGrade, Laterality
from screening.models import Exam, Grading, Review, Site, User
from screening.policy import MacularOedema
from screening.policy.lesions import Lesion
from screening.services.corrections import mark_in_error
from screening.services.exams import cancel_exam
from screening.services.merges import merge_patients, unmerge_patients
from screening.services.reviews import sign_review
from screening.services.structured_findings import Finding, StructuredFindings
from tests.screening.documents import DocumentFactory
from tests.screening.eye_states import make_exam
from tests.screening.factories import ExamFactory, FundusImageFactory, GradingFactory, PatientFactory
from tests.screening.fhir.client import FhirClient

LOINC = "http://loinc.org"
ABSENT = "dataAbsentReason"


def sign(exam: Exam, by: User, *grades: int | None, amends: Review | None = None) -> Review:
    """Sign a grade for the right and the left eye; None: not gradable."""
    findings = {
        eye: Finding(
            laterality=eye,
            is_gradable=grade is not None,
            grade=None if grade is None else ICDRGrade(grade),
            macular_oedema=MacularOedema.NONE if grade is not None else MacularOedema.UNKNOWN,
        )
        for eye, grade in zip(Laterality, grades, strict=True)
    }
    reason = "A mistake" if amends else ""
    return sign_review(exam=exam, findings=findings, amends=amends, amend_reason=reason, by=by)


def observations(client: FhirClient, exam: Exam) -> dict[str, Any]:
    """Observations of the exam by the end of their ids, such as ``od-severity``."""
    found = client.get("Observation", patient=f"Patient/{exam.patient_id}").resources
    return {one["id"].removeprefix(f"{exam.pk}-"): one for one in found}


def report_status(client: FhirClient, exam: Exam) -> str:
    status: str = client.get(f"DiagnosticReport/{exam.pk}").body["status"]
    return status


def code_of(concept: Any) -> tuple[str, str]:
    return concept["coding"][0]["system"], concept["coding"][0]["code"]


@pytest.mark.parametrize(
    ("grade", "answer"),
    [(0, "LA18643-9"), (1, "LA18644-7"), (2, "LA18645-4"), (3, "LA18646-2"), (4, "LA18648-8")],
)
def test_a_signed_grade_has_the_codes_of_its_eye(
    grade: int, answer: str, client: FhirClient, exam: Exam, reviewer: User
) -> None:
    sign(exam, reviewer, grade, None)
    right, left = (observations(client, exam)[f"{eye}-severity"] for eye in ("od", "os"))
    assert (code_of(right["code"]), code_of(left["code"])) == ((LOINC, "71491-5"), (LOINC, "71490-7"))
    assert code_of(right["valueCodeableConcept"]) == (LOINC, answer)
    assert right["bodySite"]["text"] == "Right eye"
    assert (right["status"], right["performer"]) == ("final", [{"display": str(reviewer)}])
    assert "device" not in right
    assert "valueCodeableConcept" not in left
    assert left[ABSENT]["coding"][0]["code"] == "unknown"


def test_what_the_model_found_is_preliminary_until_a_clinician_signs(
    client: FhirClient, exam: Exam, reviewer: User
) -> None:
    before = observations(client, exam)
    severity = before["od-severity"]
    assert (severity["status"], code_of(severity["valueCodeableConcept"])) == ("preliminary", (LOINC, "LA18646-2"))
    assert severity["device"] == {"reference": "#model"}
    assert severity["contained"][0]["version"]
    assert "performer" not in severity
    assert before["od-p-referable"]["valueQuantity"]["value"] > 0.5
    assert report_status(client, exam) == "preliminary"
    assert "conclusion" not in client.get(f"DiagnosticReport/{exam.pk}").body
    sign(exam, reviewer, 0, 1)
    after = observations(client, exam)
    assert code_of(after["od-severity"]["valueCodeableConcept"]) == (LOINC, "LA18643-9")
    by_model = {name for name, one in after.items() if "device" in one}
    assert by_model == {"od-p-referable", "os-p-referable"}
    for name, one in after.items():
        assert one["status"] == ("preliminary" if name in by_model else "final")
        assert ("issued" in one) == ("performer" in one) == (name not in by_model)


def test_an_ungradable_eye_is_never_a_negative(client: FhirClient, site: Site, reviewer: User) -> None:
    exam = ExamFactory(patient__site=site, is_submitted=True)
    GradingFactory(image=FundusImageFactory(exam=exam, laterality="OD"), is_ungradable=True)
    for signed in (False, True):
        if signed:
            exam.left_eye_absent_reason = "prosthesis"
            exam.save()
            ungradable = Finding(laterality=Laterality.RIGHT, is_gradable=False)
            sign_review(exam=exam, findings={Laterality.RIGHT: ungradable}, by=reviewer)
        found = observations(client, exam)
        assert "valueCodeableConcept" not in found["od-severity"]
        assert found["od-severity"][ABSENT]["coding"][0]["code"] == "unknown"
        assert found["od-gradability"]["valueBoolean"] is False
        assert "od-p-referable" not in found
    assert found["os-severity"][ABSENT]["coding"][0]["code"] == "not-applicable"
    assert "os-gradability" not in found


def test_a_report_follows_amendment_retraction_and_a_new_signature(
    client: FhirClient, exam: Exam, reviewer: User
) -> None:
    changed = [client.get(f"DiagnosticReport/{exam.pk}").body["meta"]["lastUpdated"]]
    review = sign(exam, reviewer, 0, 0)
    states = [report_status(client, exam)]
    amended = sign(exam, reviewer, 2, 0, amends=review)
    states.append(report_status(client, exam))
    mark_in_error(review=amended, reason="Signed for the next patient", by=reviewer)
    states.append(report_status(client, exam))
    retracted = observations(client, exam)
    assert {one["status"] for one in retracted.values()} == {"entered-in-error"}
    assert all(not any(name.startswith("value") for name in one) for one in retracted.values())
    assert {"od-severity", "os-severity", "outcome", "recall"} <= retracted.keys()
    exam.refresh_from_db()
    sign(exam, reviewer, 1, 1)
    states.append(report_status(client, exam))
    assert states == ["final", "amended", "entered-in-error", "corrected"]
    changed.append(client.get(f"DiagnosticReport/{exam.pk}").body["meta"]["lastUpdated"])
    assert changed[0] < changed[1]


def test_what_an_amendment_has_no_more_does_not_count(client: FhirClient, exam: Exam, reviewer: User) -> None:
    review = sign(exam, reviewer, 0, 0)
    before = observations(client, exam)
    assert "od-p-referable" in before
    sign(exam, reviewer, None, 4, amends=review)
    after = observations(client, exam)
    assert before.keys() <= after.keys()
    gone = {name for name, one in after.items() if one["status"] == "entered-in-error"}
    assert "od-p-referable" in gone
    assert all(not any(key.startswith("value") for key in after[name]) for name in gone)
    assert after["od-severity"]["status"] == after["outcome"]["status"] == "amended"
    found = client.get("DiagnosticReport", _id=exam.pk, _include="DiagnosticReport:result").resources
    assert len(found) == 1 + len(after)


@pytest.mark.parametrize(
    ("other", "grade", "reason"),
    [
        ({"is_failed": True}, 0, "error"),
        ({"is_failed": True}, 3, ""),
        ({"is_failed": True}, None, "error"),
        ({}, 0, "temp-unknown"),
        ({}, 3, ""),
        ({}, None, ""),
    ],
)
def test_an_eye_is_not_negative_while_a_photograph_has_no_result(
    other: dict[str, Any], grade: int | None, reason: str, client: FhirClient, site: Site
) -> None:
    """``grade``: of the other photograph, if there is one."""
    exam = ExamFactory(patient__site=site, is_submitted=True)
    GradingFactory(image=FundusImageFactory(exam=exam, laterality="OS"), **other)
    if grade is not None:
        GradingFactory(image=FundusImageFactory(exam=exam, laterality="OS"), is_done=True, grade=grade)
    found = observations(client, exam)
    if grade is None and not reason:
        assert (found, report_status(client, exam)) == ({}, "registered")
        return
    severity = found["os-severity"]
    assert severity.get(ABSENT, {"coding": [{"code": ""}]})["coding"][0]["code"] == reason
    assert ("valueCodeableConcept" in severity) == ("os-p-referable" in found) == (not reason)
    assert report_status(client, exam) == severity["status"] == "preliminary"


def test_a_result_of_the_model_has_what_limits_it(client: FhirClient, site: Site) -> None:
    exam = make_exam(site, "grade 0, usable with limits", "grade 0, no suspicion of oedema")
    found = observations(client, exam)
    for name in ("od-severity", "od-p-referable"):
        assert "Small lesions could be missed" in found[name]["note"][0]["text"]
    assert "note" not in found["os-severity"]
    assert "cannot exclude macular oedema" in found["os-p-macular-oedema"]["note"][0]["text"]
    Grading.objects.filter(image__laterality="OS").update(laterality_suggested="OD", laterality_confidence=0.99)
    for name, one in observations(client, exam).items():
        notes = [note["text"] for note in one.get("note", [])]
        assert ("Check the eye: the photograph looks like the other eye." in notes) == name.startswith("os-")


def test_a_signed_eye_has_its_lesions_and_an_unphotographed_one_its_reason(
    client: FhirClient, site: Site, reviewer: User
) -> None:
    exam = make_exam(site, "grade 0", "unphotographed")
    lesions = {Lesion.GLAUCOMA_SUSPECT: 1, Lesion.OTHER_DISEASE: 1}
    structured = StructuredFindings(lesions=lesions, other_disease="Choroidal folds")
    oedema = MacularOedema.NONE
    right = Finding(laterality=Laterality.RIGHT, grade=ICDRGrade.NONE, macular_oedema=oedema, structured=structured)
    left = Finding(laterality=Laterality.LEFT, is_photographed=False, is_gradable=False)
    sign_review(exam=exam, findings={Laterality.RIGHT: right, Laterality.LEFT: left}, by=reviewer)
    found = observations(client, exam)
    texts = [one["text"] for one in found["od-severity"]["note"]]
    assert texts == ["Glaucoma suspect", "Other disease", "Choroidal folds"]
    for name in ("os-severity", "os-macular-oedema"):
        assert found[name][ABSENT]["coding"][0]["code"] == "not-performed"
    assert "os-gradability" not in found


def test_a_signed_report_has_outcome_recall_and_pdf(client: FhirClient, exam: Exam, reviewer: User) -> None:
    review = sign(exam, reviewer, 0, 0)
    document = DocumentFactory(review=review, is_done=True)
    report = client.get(f"DiagnosticReport/{exam.pk}").body
    assert code_of(report["conclusionCode"][0])[1] == "rescreen"
    assert "cannot exclude macular oedema" in report["conclusion"]
    (pdf,) = report["presentedForm"]
    assert pdf["url"] == f"http://testserver/api/v1/documents/{document.pk}/file"
    assert {one["reference"].removeprefix(f"Observation/{exam.pk}-") for one in report["result"]} == set(
        observations(client, exam)
    )
    assert observations(client, exam)["recall"]["valueDateTime"] == str(review.recall_on)
    (one,) = client.get(f"Observation/{exam.pk}-outcome").body["valueCodeableConcept"]["coding"]
    assert one["code"] == "rescreen"


def test_after_a_merge_and_a_parting_a_report_has_no_pdf_of_the_other_person(
    client: FhirClient, exam: Exam, reviewer: User
) -> None:
    own, other = exam.patient, PatientFactory(site=exam.site)
    review = sign(exam, reviewer, 0, 0)

    def patient_and_pdf() -> tuple[str, str]:
        since = timezone.now() - datetime.timedelta(minutes=5)
        Exam.objects.update(created_at=since - datetime.timedelta(days=1))
        (report,) = client.get("DiagnosticReport", _lastUpdated=f"ge{since:%Y-%m-%dT%H:%M:%SZ}").resources
        (pdf,) = report.get("presentedForm", [{"url": "none/file"}])
        return report["subject"]["reference"], pdf["url"].split("/")[-2]

    of_own = DocumentFactory(review=review, is_done=True)
    assert patient_and_pdf() == (f"Patient/{own.pk}", str(of_own.pk))
    Review.objects.update(signed_at=timezone.now() - datetime.timedelta(days=1))
    merge_patients(patient=own, into=other, reason="Registered twice", by=reviewer)
    assert patient_and_pdf() == (f"Patient/{other.pk}", "none")
    of_other = DocumentFactory(review=Review.objects.get(), is_done=True)
    assert patient_and_pdf() == (f"Patient/{other.pk}", str(of_other.pk))
    unmerge_patients(patient=own, reason="Two persons", by=reviewer)
    assert patient_and_pdf() == (f"Patient/{own.pk}", str(of_own.pk))


def test_an_exam_without_photographs_is_registered_and_a_cancelled_one_cancelled(
    client: FhirClient, site: Site, photographer: User
) -> None:
    exam = ExamFactory(patient__site=site)
    study = client.get(f"ImagingStudy/{exam.pk}").body
    assert (study["status"], study["numberOfInstances"], report_status(client, exam)) == ("registered", 0, "registered")
    assert not observations(client, exam)
    cancel_exam(exam=exam, by=photographer)
    assert report_status(client, exam) == client.get(f"ImagingStudy/{exam.pk}").body["status"] == "cancelled"


@pytest.mark.parametrize("born_on", ["1960", "1960-05", "1960-05-17", ""])
def test_a_patient_has_what_is_known(born_on: str, client: FhirClient, site: Site) -> None:
    patient = PatientFactory(site=site, mrn="000417", given_name="", family_name="Ada", born_on=born_on, sex="X")
    found = client.get(f"Patient/{patient.pk}").body
    assert found.get("birthDate", "") == born_on
    assert (found["name"], found["gender"]) == ([{"use": "official", "family": "Ada"}], "other")
    assert found["identifier"][0]["system"] == f"urn:uuid:{site.pk}"
    assert found["identifier"][0]["value"] == "000417"


def test_a_merged_record_links_to_the_other(client: FhirClient, site: Site) -> None:
    kept = PatientFactory(site=site)
    merged = PatientFactory(site=site, merged_into=kept)
    found = client.get(f"Patient/{merged.pk}").body
    assert (found["active"], found["link"][0]["other"]["reference"]) == (False, f"Patient/{kept.pk}")


def test_the_capability_statement_names_all_types() -> None:
    rest = FhirClient(None).get("metadata").body["rest"][0]
    assert [one["type"] for one in rest["resource"]] == ["Patient", "ImagingStudy", "Observation", "DiagnosticReport"]
