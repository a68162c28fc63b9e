"""Records of exams in the panel: persons, words, time zones, photographs, searches, exports, what is hidden."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from screening.models import (
    ApiKey,
    AuditEvent,
    Exam,
    FirstReading,
    FundusImage,
    Grading,
    Membership,
    Patient,
    Review,
    Site,
    SiteThreshold,
    User,
    VisualAcuity,
)
from screening.services.patients import save_patient
from tests.screening.admin.records import create_records
from tests.screening.eye_states import make_exam
from tests.screening.factories import (
    ExamFactory,
    EyeFindingFactory,
    FundusImageFactory,
    GradingFactory,
    MembershipFactory,
    PatientFactory,
    ReviewFactory,
    UserFactory,
    VisualAcuityFactory,
)

Verb = AuditEvent.Verb
LISTS: list[Any] = [
    Patient,
    Exam,
    FundusImage,
    Grading,
    Review,
    FirstReading,
    VisualAcuity,
    AuditEvent,
    Membership,
    SiteThreshold,
]
OF_EXAMS: list[Any] = [Exam, FundusImage, Grading, Review, FirstReading, VisualAcuity]


@pytest.fixture
def panel(client: Client, db: None) -> Client:
    client.force_login(UserFactory(username="chief", is_staff=True, is_superuser=True))
    return client


def url(model: Any, page: str = "changelist", *args: Any) -> str:
    return reverse(f"admin:screening_{model._meta.model_name}_{page}", args=args)


def n_queries(panel: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as made:
        assert panel.get(address).status_code == 200
    return len(made)


def exported(response: Any) -> list[str]:
    return b"".join(response.streaming_content).decode().splitlines()


def person(site: Site) -> Patient:
    patient: Patient = PatientFactory(site=site, mrn="MRN-77", family_name="Müller", given_name="Ada")
    return patient


def test_lists_need_as_many_queries_for_12_rows_as_for_2(panel: Client) -> None:
    create_records(2)
    for model in LISTS:
        panel.get(url(model))  # leaves the event of the list, which is not repeated
    few = {model: n_queries(panel, url(model)) for model in LISTS}
    create_records(10)
    assert {model: n_queries(panel, url(model)) for model in LISTS} == few
    assert max(few.values()) <= 16


def test_an_exam_needs_as_many_queries_for_12_photographs_as_for_2(panel: Client, site: Site) -> None:
    exam = ExamFactory(patient=person(site))
    counts = []
    panel.get(url(Exam, "change", exam.pk))
    for n_more in (2, 10):
        for _ in range(n_more):
            GradingFactory(image=FundusImageFactory(exam=exam), is_done=True)
            VisualAcuityFactory(exam=exam)
        counts.append(n_queries(panel, url(Exam, "change", exam.pk)))
    assert counts[0] == counts[1] <= 24


def test_rows_are_found_and_named_by_person(panel: Client) -> None:
    create_records(2)
    patient = Patient.objects.order_by("mrn")[0]
    patient.mrn, patient.family_name, patient.given_name = "MRN-77", "Müller", "Ada"
    save_patient(patient)
    for model in OF_EXAMS:
        for text in ("muller ada", "mrn–77"):
            panel.post(url(model), {"search": text})
            page = panel.get(url(model))
            assert page.context["cl"].result_count == 1, model
        body = page.content.decode()
        assert "<bdi>MRN-77</bdi> <bdi>A. M.</bdi>" in body
        assert "Müller" not in body
    assert AuditEvent.objects.filter(verb=Verb.PATIENTS_SEARCHED).count() == 2 * len(OF_EXAMS)
    assert not any("muller" in str(vars(one)) for one in AuditEvent.objects.all())


def test_the_page_of_an_exam_has_its_records_in_words_and_in_the_zone_of_the_site(panel: Client, site: Site) -> None:
    Site.objects.update(timezone="Asia/Kolkata")
    site.refresh_from_db()
    exam = ExamFactory(patient=person(site))
    Exam.objects.update(created_at=datetime(2026, 3, 1, 20, 0, tzinfo=UTC))
    image = FundusImageFactory(exam=exam, withdrawn_at=None)
    GradingFactory(image=image, is_done=True, grade=4, model_version="model-9")
    EyeFindingFactory(review=ReviewFactory(exam=exam), laterality="OD", grade=3)
    VisualAcuityFactory(exam=exam, entered="6/9")
    exam.refresh_from_db()
    page = panel.get(url(Exam, "change", exam.pk)).content.decode()
    for text in ("MRN-77", "A. M.", "Proliferative", "model-9", "Severe non-proliferative", "6/9"):
        assert text in page
    assert "Müller" not in page
    assert "2 Mar 2026, 01:30" in page
    assert "2 Mar 2026, 01:30" in panel.get(url(Exam)).content.decode()
    assert AuditEvent.objects.filter(verb=Verb.EXAM_VIEWED, object_id=str(exam.pk), site=site).exists()


@pytest.mark.parametrize("has_role", [False, True])
def test_thumbnails_are_for_superusers_with_a_role_at_the_site(panel: Client, site: Site, has_role: bool) -> None:
    image = FundusImageFactory(exam=ExamFactory(patient=person(site), is_submitted=True))
    if has_role:
        MembershipFactory(user=User.objects.get(username="chief"), site=site, role="photographer")
    address = reverse("screening:image-thumbnail", args=[image.pk])
    for page in (url(FundusImage), url(Exam, "change", image.exam_id), url(FundusImage, "change", image.pk)):
        assert (address in panel.get(page).content.decode()) == has_role


def test_an_unread_exam_shows_no_grade_of_model_or_colleague(panel: Client, site: Site) -> None:
    Site.objects.update(reading_mode=Site.ReadingMode.BLIND_FIRST)
    exam = make_exam(site, "grade 4", "grade 2")
    chief = User.objects.get(username="chief")
    MembershipFactory(user=chief, site=site, role="reviewer")
    FirstReading.objects.create(exam=exam, reviewer=UserFactory(), laterality="OD", is_gradable=True, grade=4)
    page = panel.get(url(Exam, "change", exam.pk)).content.decode()
    assert "Proliferative" not in page
    assert "first_readings-group" not in page
    for model in (Grading, FirstReading):
        lines = exported(panel.post(url(model), {"export": "csv"}))
        assert len(lines) == 1
    Site.objects.update(reading_mode=Site.ReadingMode.SIDE_BY_SIDE)
    assert "Proliferative" in panel.get(url(Exam, "change", exam.pk)).content.decode()


def test_lists_are_exported_without_formulas_and_audited(panel: Client) -> None:
    create_records(2)
    patient = Patient.objects.order_by("mrn")[0]
    patient.mrn, patient.family_name = "MRN-77", "=1+1"
    save_patient(patient)
    for model in (Patient, *OF_EXAMS):
        panel.post(url(model), {"search": "MRN-77"})
        response = panel.post(url(model), {"export": "csv"})
        lines = exported(response)
        assert len(lines) == 2
        assert "'=1+1" in lines[1]
        assert "no-store" in response.headers["Cache-Control"]
        event = AuditEvent.objects.filter(verb=Verb.LIST_EXPORTED).latest("id")
        assert event.data["list"] == f"panel-{model._meta.model_name}"
        assert (event.data["n_found"], event.data["is_search"], event.role) == (1, True, "superuser")
    assert panel.post(url(Patient) + "?site__id__exact=x", {"export": "csv"}).status_code == 302  # no such site


def test_an_export_has_the_filters_and_no_other_parameters_in_its_event(panel: Client, site: Site) -> None:
    person(site)
    PatientFactory(site=site, sex="M")
    cache.clear()
    panel.post(url(Patient) + "?sex__exact=M&family_name=Lovelace", {"export": "csv"})
    event = AuditEvent.objects.get(verb=Verb.LIST_EXPORTED)
    assert event.data["filters"] == "sex__exact=M"


def test_people_hidden_from_a_superuser_are_in_no_export(panel: Client, site: Site) -> None:
    Site.objects.update(hides_identity=True)
    image = FundusImageFactory(exam=ExamFactory(patient=person(site), is_submitted=True))
    MembershipFactory(user=User.objects.get(username="chief"), site=site, role="outside_reader")
    for model in (Patient, Exam, FundusImage):
        assert panel.get(url(model)).context["cl"].result_count == 0
        lines = exported(panel.post(url(model), {"export": "csv"}))
        assert len(lines) == 1
    assert panel.get(url(Exam, "change", image.exam_id)).status_code == 302


@pytest.mark.parametrize("flags", [{}, {"is_staff": True}])
def test_only_superusers_export(client: Client, site: Site, flags: dict[str, bool]) -> None:
    user = MembershipFactory(site=site, user=UserFactory(**flags), role=Membership.Role.MANAGER).user
    client.force_login(user)
    assert client.post(url(Patient), {"export": "csv"}).status_code == 302
    assert not AuditEvent.objects.filter(verb=Verb.LIST_EXPORTED).exists()


@pytest.mark.parametrize("model", OF_EXAMS)
def test_a_page_is_headed_by_patient_day_and_site_and_not_by_an_id(panel: Client, model: Any) -> None:
    create_records(1)
    Patient.objects.update(mrn="MRN-77", family_name="Müller", given_name="Ada")
    Exam.objects.update(created_at=datetime(2026, 3, 1, 12, 0, tzinfo=UTC))
    record = model.objects.get()
    text = f"MRN-77 A. M. · 1 Mar 2026 · {Site.objects.get()}"
    for name in ("change", "history"):
        body = panel.get(url(model, name, record.pk)).content.decode()
        crumbs = body.partition('class="breadcrumbs"')[2].partition("</div>")[0]
        assert text in crumbs
        assert f"Exam {str(Exam.objects.get().pk)[:8]}" not in body
        assert "MRN-77" not in body.partition("<title>")[2].partition("</title>")[0], "kept by the browser"
    owner = FundusImage if model is Grading else Exam
    if model is not Exam:
        link = f'<a href="{url(owner, "change", owner.objects.get().pk)}">{text}'
        assert link in panel.get(url(model, "change", record.pk)).content.decode()


def test_audit_events_are_sentences(panel: Client) -> None:
    create_records(1)
    event = AuditEvent.objects.get(verb=Verb.EXAM_VIEWED)
    for address in (url(AuditEvent), url(AuditEvent, "change", event.pk)):
        assert f"{event.actor} viewed an exam." in panel.get(address).content.decode()
    assert "{&quot;" not in panel.get(url(AuditEvent)).content.decode()


@pytest.mark.parametrize(("model", "secret"), [(User, "password"), (ApiKey, "key_hash"), (Site, ""), (Membership, "")])
def test_accounts_sites_and_keys_are_exported_without_secrets(panel: Client, model: Any, secret: str) -> None:
    create_records(2)
    lines = exported(panel.post(url(model), {"export": "csv"}))
    assert len(lines) == model.objects.count() + 1
    assert AuditEvent.objects.get(verb=Verb.LIST_EXPORTED).data["list"] == f"panel-{model._meta.model_name}"
    for record in model.objects.all():
        assert not secret or getattr(record, secret) not in "\n".join(lines)


def test_filters_by_date_use_the_days_of_the_chosen_site(panel: Client, site: Site) -> None:
    Site.objects.update(timezone="Asia/Kolkata")
    exam = ExamFactory(patient=person(site))
    Exam.objects.filter(pk=exam.pk).update(created_at=datetime(2026, 2, 28, 20, 0, tzinfo=UTC))
    march = {"created_at__year": "2026", "created_at__month": "3"}
    page = panel.get(url(Exam), march)
    assert page.context["cl"].result_count == 0
    assert "days in UTC" in page.content.decode()
    page = panel.get(url(Exam), {**march, "site__id__exact": str(site.pk)})
    assert page.context["cl"].result_count == 1
    assert f"days at {site.name} (Asia/Kolkata)" in page.content.decode()
    assert panel.get(url(Exam), {"site__id__exact": "x"}).status_code in {200, 302}
