"""Facts of a visit by the API."""

import pytest

from screening.models import Exam, Site, VisualAcuity
from tests.screening.api.client import ApiClient, assert_is_error
from tests.screening.factories import ExamFactory, FundusImageFactory, GradingFactory, PatientFactory


@pytest.fixture
def exam(site: Site) -> Exam:
    exam = ExamFactory(patient=PatientFactory(site=site))
    for eye in ("OD", "OS"):
        FundusImageFactory(exam=exam, laterality=eye)
    return exam


def test_facts_are_recorded_and_read_with_the_exam(client: ApiClient, exam: Exam) -> None:
    assert client.get(f"exams/{exam.pk}").body["visit_facts"] is None
    sent = {"hba1c": 55, "hba1c_unit": "mmol_mol", "left_eye_treatments": ["injections"], "consent": "given"}
    body = client.post(f"exams/{exam.pk}/visit-facts", sent).body["visit_facts"]
    assert (body["hba1c"], body["hba1c_mmol_mol"], body["hba1c_unit"]) == (55, 55, "mmol_mol")
    assert (body["right_eye_treatments"], body["left_eye_treatments"]) == (None, ["injections"])


def test_values_are_questioned_and_refused(client: ApiClient, exam: Exam) -> None:
    path = f"exams/{exam.pk}/visit-facts"
    refused = client.post(path, {"hba1c": 48, "hba1c_unit": "percent"})
    assert_is_error(refused, 400, "invalid")
    assert "not possible. Choose mmol/mol." in refused.body["fields"]["hba1c"]
    unusual = {"hba1c": 16, "hba1c_unit": "percent"}
    question = client.post(path, unusual)
    assert_is_error(question, 409, "hba1c_unusual")
    assert client.post(path, {**unusual, "confirm": question.body["confirm"]}).status == 200
    assert_is_error(client.post(path, {"right_eye_treatments": ["glasses"]}), 400, "invalid")


def test_missing_facts_are_a_question(client: ApiClient, exam: Exam) -> None:
    Site.objects.update(required_facts=["consent"], requires_optic_disc=True)
    first = client.post(f"exams/{exam.pk}/submit")
    assert_is_error(first, 409, "fields_missing")
    second = client.post(f"exams/{exam.pk}/submit", {"confirm": first.body["confirm"]})
    assert_is_error(second, 409, "facts_missing")
    assert second.body["confirm"] == ["facts_missing", "fields_missing"]
    assert client.post(f"exams/{exam.pk}/submit", {"confirm": second.body["confirm"]}).body["status"] == "submitted"


def test_acuities_are_recorded(client: ApiClient, exam: Exam) -> None:
    path, one = f"exams/{exam.pk}/visit-facts", {"laterality": "OD", "entered": "20/40", "correction": "glasses"}
    other = {"laterality": "OS", "entered": "6/6"}
    for sent, field in (
        ([one, {**other, "entered": "20"}], "acuities"),
        ([one, {**one, "entered": "6/6"}], "acuities"),
        ([one, {**other, "note": "glasses"}], "acuities.1.note"),
    ):
        refused = client.post(path, {"acuities": sent})
        assert_is_error(refused, 400, "invalid")
        assert list(refused.body["fields"]) == [field]
    assert not VisualAcuity.objects.exists()
    assert client.post(path, {"acuities": [one]}).status == 200
    acuity = VisualAcuity.objects.get()
    assert (acuity.laterality, float(acuity.logmar), acuity.correction) == ("OD", 0.3, "glasses")


def test_the_newest_acuity_of_each_eye_is_read_with_the_exam(client: ApiClient, exam: Exam) -> None:
    path = f"exams/{exam.pk}/visit-facts"
    assert [eye["acuity"] for eye in client.get(f"exams/{exam.pk}").body["eyes"]] == [None, None]
    for entered, correction in (("6/24", ""), ("6/12", "pinhole")):
        sent = {"laterality": "OD", "entered": entered, "correction": correction}
        body = client.post(path, {"acuities": [sent]}).body
    right, left = (eye["acuity"] for eye in body["eyes"])
    assert (right["entered"], right["logmar"], right["correction"]) == ("6/12", 0.3, "pinhole")
    assert right["recorded_at"]
    assert left is None
    assert client.get("exams").body["results"][0]["eyes"][0]["acuity"] == right


def test_acuity_and_facts_are_read_during_a_blind_reading_and_no_result_of_the_model(
    client: ApiClient, exam: Exam
) -> None:
    Site.objects.update(reading_mode=Site.ReadingMode.BLIND_FIRST)
    for image in exam.images.all():
        GradingFactory(image=image, is_done=True, grade=3)
    sent = {"consent": "given", "acuities": [{"laterality": "OS", "entered": "CF"}]}
    client.post(f"exams/{exam.pk}/visit-facts", sent)
    body = client.get(f"exams/{exam.pk}").body
    assert (body["visit_facts"]["consent"], body["eyes"][1]["acuity"]["logmar"]) == ("given", 1.85)
    gradings = [image["grading"] for eye in body["eyes"] for image in eye["images"]]
    assert [(one["is_revealed"], one["grade"]) for one in gradings] == [(False, None)] * 2
