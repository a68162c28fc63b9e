"""Access to the FHIR interface: roles, sites, blind readers, and what each request leaves in the audit trail."""

from typing import Any

import pytest
from django.urls import URLPattern

from screening.fhir import urls
from screening.models import AuditEvent, Exam, Patient, Site, User
from screening.services.merges import merge_patients
from tests.screening.factories import MembershipFactory, PatientFactory, SiteFactory, UserFactory
from tests.screening.fhir.client import FhirClient, assert_is_outcome
from tests.screening.readings import read_eye

ROLES = ("photographer", "reviewer", "manager", "outsider", "roleless", "unauthenticated")
OWN_SITE = (200, 200, 200, 404, 403, 401)
ANY_SITE = (200, 200, 200, 200, 403, 401)
TABLE = {
    "metadata": ("metadata", (200, 200, 200, 200, 200, 200)),
    "patient": ("Patient/{patient}", OWN_SITE),
    "patients": ("Patient?_id={patient}", ANY_SITE),
    "study": ("ImagingStudy/{exam}", OWN_SITE),
    "studies": ("ImagingStudy?patient={patient}", ANY_SITE),
    "observation": ("Observation/{exam}-od-severity", OWN_SITE),
    "observations": ("Observation?patient={patient}", ANY_SITE),
    "report": ("DiagnosticReport/{exam}", OWN_SITE),
    "reports": ("DiagnosticReport?patient={patient}&_include=DiagnosticReport:subject", ANY_SITE),
    "not-found": ("Practitioner", (404,) * 6),
}
SEARCHES = ("Patient", "ImagingStudy", "Observation", "DiagnosticReport")


@pytest.fixture
def cast(site: Site) -> dict[str, FhirClient]:
    users: list[User | None] = [MembershipFactory(site=site, role=role).user for role in ROLES[:3]]
    users += [MembershipFactory(role="photographer").user, UserFactory(), None]
    return {role: FhirClient(user) for role, user in zip(ROLES, users, strict=True)}


@pytest.mark.parametrize("name", TABLE)
def test_each_address_answers_each_role(name: str, cast: dict[str, FhirClient], exam: Exam) -> None:
    path, expected = TABLE[name]
    path = path.format(exam=exam.pk, patient=exam.patient_id)
    responses = {role: client.get(path) for role, client in cast.items()}
    assert tuple(response.status for response in responses.values()) == expected
    if expected is ANY_SITE:
        assert responses["photographer"].resources
        assert not responses["outsider"].resources
    for response in responses.values():
        assert name in {"metadata", "not-found"} or response.headers["Cache-Control"] == "no-store"
        if response.status >= 400:
            assert response.body["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize("resource_type", SEARCHES)
def test_a_search_by_post_is_as_one_by_get(resource_type: str, cast: dict[str, FhirClient], exam: Exam) -> None:
    wanted: dict[str, Any] = {"patient": exam.patient_id}
    if resource_type == "Patient":
        wanted = {"_id": exam.patient_id}
    for role, status in zip(ROLES, ANY_SITE, strict=True):
        by_get = cast[role].get(resource_type, **wanted)
        by_post = cast[role].post(f"{resource_type}/_search", **wanted)
        assert (by_post.status, by_post.body) == (status, by_get.body)
    n_found = len(cast["reviewer"].post(f"{resource_type}/_search", **wanted).resources)
    assert n_found == (6 if resource_type == "Observation" else 1)


def test_every_address_is_in_the_table() -> None:
    names = {pattern.name for pattern in urls.urlpatterns if isinstance(pattern, URLPattern)}
    assert names == {*TABLE, "patients-by-post", "studies-by-post", "observations-by-post", "reports-by-post"}


def test_a_blind_reader_gets_nothing_of_the_model_before_the_own_reading(
    site: Site, exam: Exam, reviewer: User
) -> None:
    site.reading_mode = Site.ReadingMode.BLIND_FIRST
    site.save()
    client = FhirClient(reviewer)
    path = f"DiagnosticReport?_id={exam.pk}&_include=DiagnosticReport:result"
    assert [one["status"] for one in client.get(path).resources] == ["registered"]
    assert not client.get("Observation", patient=exam.patient_id).resources
    assert_is_outcome(client.get(f"Observation/{exam.pk}-od-severity"), 404, "not-found")
    for eye in ("OD", "OS"):
        read_eye(exam=exam, laterality=eye, grade=0, by=reviewer)
    assert [one["status"] for one in client.get(path).resources] == ["preliminary"] * 7


def test_each_request_is_audited(client: FhirClient, exam: Exam) -> None:
    Verb = AuditEvent.Verb  # noqa: N806 (a class)
    expected: dict[str, list[tuple[str, str]]] = {
        f"Patient/{exam.patient_id}": [(Verb.PATIENT_VIEWED, str(exam.patient_id))],
        f"Patient?_id={exam.patient_id}": [(Verb.PATIENTS_SEARCHED, "")],
        f"ImagingStudy/{exam.pk}": [(Verb.EXAM_VIEWED, str(exam.pk))],
        f"Observation/{exam.pk}-os-severity": [(Verb.EXAM_VIEWED, str(exam.pk))],
        f"Observation?patient={exam.patient_id}": [(Verb.PATIENT_VIEWED, str(exam.patient_id)), (Verb.LIST_VIEWED, "")],
        f"ImagingStudy?patient={exam.pk}": [(Verb.LIST_VIEWED, "")],
        f"DiagnosticReport/{exam.pk}": [(Verb.EXAM_VIEWED, str(exam.pk))],
        "DiagnosticReport": [(Verb.LIST_VIEWED, "")],
        "DiagnosticReport?_include=DiagnosticReport:patient": [(Verb.LIST_VIEWED, ""), (Verb.PATIENTS_SEARCHED, "")],
        f"Observation/{exam.pk}-os-nothing": [(Verb.EXAM_VIEWED, str(exam.pk)), (Verb.ACCESS_REFUSED, "")],
        "metadata": [],
    }
    for path, events in expected.items():
        n_before = AuditEvent.objects.count()
        client.get(path)
        left = AuditEvent.objects.order_by("id")[n_before:]
        assert [(one.verb, one.object_id) for one in left] == events, path


def test_a_refusal_names_the_record(cast: dict[str, FhirClient], exam: Exam) -> None:
    for path in (f"Observation/{exam.pk}-od-severity", f"DiagnosticReport/{exam.pk}", f"ImagingStudy/{exam.pk}"):
        assert cast["outsider"].get(path).status == 404
        refused = AuditEvent.objects.latest("id")
        assert (refused.verb, refused.data["record"]) == (AuditEvent.Verb.ACCESS_REFUSED, str(exam.pk))


@pytest.mark.parametrize("resource_type", SEARCHES)
def test_each_search_by_post_is_audited_also_if_it_finds_nothing(
    resource_type: str, client: FhirClient, exam: Exam
) -> None:
    for record_id in (exam.pk, exam.patient_id, exam.pk):
        n_before = AuditEvent.objects.count()
        assert client.post(f"{resource_type}/_search", _id=record_id).status == 200
        verb = AuditEvent.Verb.PATIENTS_SEARCHED if resource_type == "Patient" else AuditEvent.Verb.LIST_VIEWED
        assert [one.verb for one in AuditEvent.objects.order_by("id")[n_before:]] == [verb]


def test_a_number_is_sent_in_a_body_alone(client: FhirClient, site: Site, django_assert_max_num_queries: Any) -> None:
    patient, other = PatientFactory(site=site, mrn="000417"), PatientFactory(site=site, mrn="000418")
    response = client.get("Patient", identifier="000417")
    assert_is_outcome(response, 400, "invalid", of="identifier")
    assert_is_outcome(client.get("Patient"), 400, "invalid", of="identifier")
    for token in ("000417", f"urn:uuid:{site.pk}|000417"):
        with django_assert_max_num_queries(8):
            found = client.post("Patient/_search", identifier=token)
        assert [one["id"] for one in found.resources] == [str(patient.pk)]
        assert "000417" not in str(found.body["link"])
    for token in (f"urn:uuid:{patient.pk}|000417", "urn:oid:1.2|000417", "|000417", "000419"):
        assert not client.post("Patient/_search", identifier=token).resources
    for token in ("|", f"urn:uuid:{site.pk}|"):
        assert_is_outcome(client.post("Patient/_search", identifier=token), 400, "invalid", of="identifier")
    manager = MembershipFactory(site=site, role="manager").user
    merge_patients(patient=patient, into=other, reason="Registered twice", by=manager)
    found = client.post("Patient/_search", identifier="000417")
    assert [one["id"] for one in found.resources] == [str(other.pk)]
    (merged,) = client.get("Patient", _id=patient.pk).resources
    assert (merged["active"], merged["link"][0]["type"]) == (False, "replaced-by")


def test_a_practice_site_has_no_patients_and_no_results(exam: Exam, site: Site, reviewer: User) -> None:
    practice = SiteFactory(practice_of=site)
    MembershipFactory(user=reviewer, site=practice, role="reviewer")
    Exam.objects.update(site=practice)
    Patient.objects.update(site=practice)
    client = FhirClient(reviewer)
    for path in (f"Patient/{exam.patient_id}", f"DiagnosticReport/{exam.pk}", f"ImagingStudy/{exam.pk}"):
        assert client.get(path).status == 404
    for path in ("DiagnosticReport", f"Observation?patient={exam.patient_id}", f"Patient?_id={exam.patient_id}"):
        assert not client.get(path).resources
    assert not client.post("Patient/_search", identifier=exam.patient.mrn).resources


def test_a_session_of_the_pages_opens_it_too(exam: Exam, reviewer: User) -> None:
    client = FhirClient(None)
    client.client.force_login(reviewer)
    assert client.get(f"DiagnosticReport/{exam.pk}").status == 200
