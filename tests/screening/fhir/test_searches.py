"""Searches: parameters, pages, times, statuses, wrong requests."""

import datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from screening.models import Exam, Review, Site, User
from screening.services.corrections import mark_in_error, move_exam
from screening.services.merges import merge_patients
from tests.screening.factories import ExamFactory, FundusImageFactory, GradingFactory, PatientFactory
from tests.screening.fhir.client import FhirClient, assert_is_outcome
from tests.screening.fhir.test_resources import sign


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        ("Patient?name=Byron", "name"),
        ("DiagnosticReport?date=2026-11-29", "date"),
        ("DiagnosticReport?status=preliminary", "status"),
        ("DiagnosticReport?status=final,unknown", "status"),
        ("DiagnosticReport?_include=DiagnosticReport:performer", "_include"),
        ("DiagnosticReport?_lastUpdated=yesterday", "_lastUpdated"),
        ("DiagnosticReport?_lastUpdated=2026-02-30", "_lastUpdated"),
        ("DiagnosticReport?_lastUpdated=ne2026-02-01", "_lastUpdated"),
        ("DiagnosticReport?_lastUpdated=2026-11-29T08:30:00", "_lastUpdated"),
        ("DiagnosticReport?_lastUpdated=ge9999-12-31", "_lastUpdated"),
        ("DiagnosticReport?_count=0", "_count"),
        ("DiagnosticReport?_count=101", "_count"),
        ("DiagnosticReport?_cursor=x", "_cursor"),
        ("DiagnosticReport?_id=", "_id"),
        ("DiagnosticReport?_id=a&_id=b", "_id"),
        ("DiagnosticReport?_id=%00", "_id"),
        ("DiagnosticReport?_lastUpdated=le0001-01-01T00:00:00%2B23:59", "_lastUpdated"),
        ("DiagnosticReport?_lastUpdated=ge9999-12-31T23:59:59-23:59", "_lastUpdated"),
        ("ImagingStudy?patient=Group/1", "patient"),
        ("ImagingStudy?patient=https://other.example/fhir/Patient/a1cb1b0c-5b5a-4d5e-8a44-0c9a3b1f5b0a", "patient"),
        ("ImagingStudy?patient=Group/Patient/a1cb1b0c-5b5a-4d5e-8a44-0c9a3b1f5b0a", "patient"),
        ("ImagingStudy?patient=a&subject=a", "patient"),
        ("Observation?_id=x&code=" + "a," * 100, "code"),
        ("ImagingStudy?subject=1,2", "subject"),
        ("Observation", "patient"),
        ("Observation?code=71490-7", "patient"),
        ("Observation?_id=x&_cursor=-1", "_cursor"),
        ("Observation?_id=x&_count=11", "_count"),
        ("metadata/x", ""),
        ("DiagnosticReport/1", ""),
        ("Observation/x", ""),
    ],
)
def test_a_wrong_request_gets_a_message_about_its_parameter(path: str, wrong: str, client: FhirClient) -> None:
    response = client.get(path)
    assert_is_outcome(response, 400 if wrong else 404, "invalid" if wrong else "not-found", of=wrong)


def test_each_declared_parameter_works_and_no_other(client: FhirClient, exam: Exam) -> None:
    values = {
        "_id": str(exam.pk),
        "patient": str(exam.patient_id),
        "subject": f"Patient/{exam.patient_id}",
        "identifier": exam.patient.mrn,
        "code": "71491-5",
        "status": "final",
        "_lastUpdated": "ge2026",
    }
    others = {"_sort", "_summary", "_elements", "_total", "_has", "_revinclude", "_content", "date", "name"}
    for resource in client.get("metadata").body["rest"][0]["resource"]:
        path, declared = resource["type"], {one["name"] for one in resource["searchParam"]}
        scope = {"patient": exam.patient_id} if path == "Observation" else {}
        for name in declared:
            found = client.post(f"{path}/_search", **{name: values[name]} | ({} if name == "subject" else scope))
            assert found.status == 200, (path, name)
        for include in resource.get("searchInclude", []):
            assert client.get(path, _id=exam.pk, _include=include).resources[1:]
        for name in (values.keys() | others) - declared:
            assert_is_outcome(client.post(f"{path}/_search", **scope, **{name: "x"}), 400, "invalid", of=name)


def test_other_formats_and_methods_are_refused(client: FhirClient, exam: Exam) -> None:
    path = f"/fhir/DiagnosticReport/{exam.pk}"
    assert client.client.get(path, headers={"Accept": "application/json"})["Content-Type"].startswith(
        "application/json"
    )
    for wanted in ("json", "application/fhir+json", "application/fhir json"):
        assert client.get(f"DiagnosticReport/{exam.pk}", _format=wanted).status == 200
    assert_is_outcome(client.get(f"DiagnosticReport/{exam.pk}", _format="xml"), 406, "not-supported")
    for method, status in (("put", 405), ("post", 405), ("delete", 405)):
        assert getattr(client.client, method)(path).json()["issue"][0]["code"] == "not-supported", (method, status)
    refused = client.client.post("/fhir/Patient/_search", "{}", content_type="application/json")
    assert (refused.status_code, refused.json()["resourceType"]) == (415, "OperationOutcome")


def test_pages_have_all_reports_once_also_after_a_search_by_post(client: FhirClient, site: Site) -> None:
    exams = [ExamFactory(patient__site=site) for _ in range(7)]
    first = client.post("DiagnosticReport/_search", _count="3")
    seen, page = [one["id"] for one in first.resources], first
    while (link := page.link("next")) is not None:
        page = client.get(link)
        seen += [one["id"] for one in page.resources]
    assert seen == [str(exam.pk) for exam in reversed(exams)]
    assert "_count=3" in str(first.link("self"))
    previous = page.link("previous")
    assert previous is not None
    assert [one["id"] for one in client.get(previous).resources] == seen[3:6]
    cursor = dict(parse_qsl(urlsplit(previous).query))["_cursor"]
    assert_is_outcome(client.post("DiagnosticReport/_search", _cursor=cursor), 400, "invalid", of="_cursor")


def test_pages_of_observations_have_whole_exams(client: FhirClient, exam: Exam, reviewer: User) -> None:
    exams = [exam, *(_graded(exam.site) for _ in range(2))]
    for one in exams:
        sign(one, reviewer, 2, 0)
    Exam.objects.update(patient=exam.patient)
    whole = client.get("Observation", patient=exam.patient_id).resources
    link: str | None = f"http://testserver/fhir/Observation?patient={exam.patient_id}&_count=24"
    pages = []
    while link is not None:
        pages.append(client.get(link).resources)
        link = client.get(link).link("next")
    assert [len(page) for page in pages] == [20, 10]
    assert [one for page in pages for one in page] == whole


def test_a_search_by_codes_and_ids(client: FhirClient, exam: Exam) -> None:
    for reference in (f"Patient/{exam.patient_id}", f"http://testserver/fhir/Patient/{exam.patient_id}"):
        for code in ("71491-5", "http://loinc.org|71491-5", "x,71491-5"):
            (found,) = client.get("Observation", subject=reference, code=code).resources
            assert found["id"] == f"{exam.pk}-od-severity"
    assert len(client.get("Observation", patient=exam.patient_id, code="http://loinc.org|").resources) == 2
    assert not client.get("Observation", patient=exam.patient_id, code="http://snomed.info/sct|71491-5").resources
    ids = [f"{exam.pk}-od-severity", f"{exam.pk}-os-gradability", "nothing"]
    assert [one["id"] for one in client.get("Observation", _id=",".join(ids)).resources] == ids[:2]
    assert not client.get("DiagnosticReport", _id="nothing").resources


def test_the_results_of_a_merged_record_are_found_by_its_id(client: FhirClient, exam: Exam, reviewer: User) -> None:
    own, other = exam.patient, PatientFactory(site=exam.site)
    merge_patients(patient=own, into=other, reason="Registered twice", by=reviewer)
    for path in ("ImagingStudy", "Observation", "DiagnosticReport"):
        found = client.get(path, patient=own.pk).resources
        assert found
        assert {one["subject"]["reference"] for one in found} == {f"Patient/{other.pk}"}


def at(moment: datetime.datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def test_new_results_and_corrections_are_found_by_time(client: FhirClient, exam: Exam, reviewer: User) -> None:
    old = ExamFactory(patient__site=exam.site)
    long_ago = old.created_at - datetime.timedelta(days=400)
    Exam.objects.filter(pk__in=[old.pk, exam.pk]).update(created_at=long_ago, submitted_at=long_ago, due_at=long_ago)
    start = at(exam.created_at - datetime.timedelta(seconds=60))

    def found(*times: str) -> list[str]:
        return [one["id"] for one in client.get("DiagnosticReport", _lastUpdated=list(times)).resources]

    assert found(f"ge{start}") == []
    review = sign(exam, reviewer, 0, 0)
    for times in (
        [f"ge{start}"],
        [f"gt{start}", "lt2999-01-01"],
        [at(review.signed_at)],
        [f"{review.signed_at:%Y-%m}"],
    ):
        assert found(*times) == [str(exam.pk)], times
    Review.objects.update(signed_at=long_ago)
    assert found(f"ge{start}") == []
    mark_in_error(review=review, reason="Signed for the next patient", by=reviewer)
    assert found(f"ge{start}") == [str(exam.pk)]
    assert sorted(found("le2999")) == sorted([str(exam.pk), str(old.pk)])
    exam.refresh_from_db()
    patient = PatientFactory(site=exam.site)
    move_exam(exam=exam, to_patient=patient, reason="Two lists were mixed up", by=reviewer)
    report = client.get(f"DiagnosticReport/{exam.pk}").body
    assert (report["subject"]["reference"], report["status"]) == (f"Patient/{patient.pk}", "entered-in-error")


def test_reports_are_found_by_status(client: FhirClient, site: Site, reviewer: User) -> None:
    exams = {name: _graded(site) for name in ("final", "amended", "corrected", "entered-in-error", "preliminary")}
    reviews = {name: sign(exam, reviewer, 0, 0) for name, exam in exams.items() if name != "preliminary"}
    sign(exams["amended"], reviewer, 1, 0, amends=reviews["amended"])
    for name in ("corrected", "entered-in-error"):
        mark_in_error(review=reviews[name], reason="Signed for the next patient", by=reviewer)
    exams["corrected"].refresh_from_db()
    sign(exams["corrected"], reviewer, 0, 0)
    for name, exam in exams.items():
        assert client.get(f"DiagnosticReport/{exam.pk}").body["status"] == name
        if name != "preliminary":
            for token in (name, f"http://hl7.org/fhir/diagnostic-report-status|{name}"):
                (found,) = client.get("DiagnosticReport", status=token).resources
                assert (found["id"], found["status"]) == (str(exam.pk), name)
    assert len(client.get("DiagnosticReport", status="final,amended,corrected").resources) == 3


def _graded(site: Site) -> Exam:
    exam: Exam = ExamFactory(patient__site=site, is_submitted=True)
    for eye in ("OD", "OS"):
        GradingFactory(image=FundusImageFactory(exam=exam, laterality=eye), is_done=True, grade=0)
    return exam


@pytest.mark.parametrize(
    ("path", "limit"),
    [
        ("DiagnosticReport?_include=DiagnosticReport:result&_include=DiagnosticReport:subject", 20),
        ("ImagingStudy", 18),
        ("Observation?patient={patient}", 19),
    ],
)
def test_the_statements_of_a_search_do_not_grow(
    path: str, limit: int, client: FhirClient, site: Site, reviewer: User
) -> None:
    counts: list[Any] = []
    patient = PatientFactory(site=site)
    client.get("ImagingStudy")  # stores the use of the key
    for n in (1, 4):
        for _ in range(n):
            exam = _graded(site)
            sign(exam, reviewer, 0, 0)
            Exam.objects.filter(pk=exam.pk).update(patient=patient)
        with CaptureQueriesContext(connection) as statements:
            assert client.get(path.format(patient=patient.pk)).resources
        counts.append(len(statements))
    assert counts[0] == counts[1] <= limit
