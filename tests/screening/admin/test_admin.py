"""The admin panel: access, lists, search, audit events, API keys."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.db.models import Model
from django.test import Client
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
    Programme,
    Review,
    Site,
    SiteThreshold,
    User,
    VisualAcuity,
)
from screening.services.api_keys import find_key
from tests.screening.admin.records import create_records, site_form
from tests.screening.factories import (
    ExamFactory,
    FundusImageFactory,
    GradingFactory,
    MembershipFactory,
    PatientFactory,
    UserFactory,
    VisualAcuityFactory,
)
from tests.screening.views.pages import form_data

Verb = AuditEvent.Verb
NAME = "Lovelace"
EDITABLE: list[type[Model]] = [Patient, Site, Programme, SiteThreshold, Membership, User, ApiKey]
READ_ONLY: list[type[Model]] = [Exam, FundusImage, Grading, Review, FirstReading, VisualAcuity, AuditEvent]


@pytest.fixture
def panel(client: Client, db: None) -> Client:
    client.force_login(UserFactory(username="chief", is_staff=True, is_superuser=True))
    return client


def url(model: type[Model], page: str = "changelist", *args: Any) -> str:
    return reverse(f"admin:screening_{model._meta.model_name}_{page}", args=args)


def create_record(model: type[Model]) -> Model:
    create_records(1)
    record: Model = model._default_manager.all()[0]
    return record


@pytest.mark.parametrize("model", [*EDITABLE, *READ_ONLY])
def test_a_list_needs_a_constant_number_of_queries(
    panel: Client, model: type[Model], django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    create_records(6)
    for search in ("a", ""):
        panel.post(url(model), {"search": search})
        with django_assert_max_num_queries(16):
            page = panel.get(url(model))
        assert page.status_code == 200
    assert page.context["cl"].result_count >= 6
    assert page.context["cl"].has_filters


@pytest.mark.parametrize("model", [*EDITABLE, *READ_ONLY])
def test_every_record_has_a_page(panel: Client, model: type[Model]) -> None:
    assert panel.get(url(model, "change", create_record(model).pk)).status_code == 200


@pytest.mark.parametrize("model", READ_ONLY)
def test_records_of_services_are_read_only(panel: Client, model: type[Model]) -> None:
    record = create_record(model)
    n_records = model._default_manager.count()
    assert panel.get(url(model, "add")).status_code == 403
    assert panel.post(url(model, "change", record.pk), {"status": "done", "grade": 0}).status_code == 403
    assert panel.post(url(model, "delete", record.pk), {"post": "yes"}).status_code == 403
    n_events = 3 if model is AuditEvent else 0  # refusals
    assert model._default_manager.count() == n_records + n_events


@pytest.mark.parametrize("model", [Patient, Site, SiteThreshold, User, ApiKey])
def test_a_record_cannot_be_deleted(panel: Client, model: type[Model]) -> None:
    pk = create_record(model).pk
    assert panel.post(url(model, "delete", pk), {"post": "yes"}).status_code == 403
    panel.post(url(model), {"action": "delete_selected", "_selected_action": [str(pk)], "post": "yes"})
    assert model._default_manager.filter(pk=pk).exists()


@pytest.mark.parametrize("text", [NAME, f"{NAME[:4]}\x00{NAME[4:]}"])
def test_a_search_is_not_in_the_url(text: str, panel: Client) -> None:
    found = PatientFactory(family_name=NAME)
    PatientFactory(family_name="Somerville")
    response = panel.post(url(Patient) + "?sex__exact=F", {"search": text})
    assert (response.status_code, response.headers["Location"]) == (302, url(Patient) + "?sex__exact=F")
    page = panel.get(url(Patient))
    assert list(page.context["cl"].result_list) == [found]
    links = [text.split('"')[0] for text in page.content.decode().split('href="')[1:]]
    assert not any(NAME in link for link in links)


def test_a_url_with_a_search_is_redirected(panel: Client) -> None:
    response = panel.get(url(Patient), {"q": NAME, "sex__exact": "F"})
    assert (response.status_code, response.headers["Location"]) == (302, url(Patient) + "?sex__exact=F")


def test_views_and_searches_of_patients_are_audited(panel: Client) -> None:
    patient = PatientFactory()
    panel.get(url(Patient))
    panel.post(url(Patient), {"search": NAME})
    panel.get(url(Patient, "change", patient.pk))
    events = AuditEvent.objects.filter(actor__username="chief").exclude(verb=Verb.LOGGED_IN).order_by("id")
    search = (Verb.PATIENTS_SEARCHED, "")
    found = list(events.values_list("verb", "object_id"))
    assert found == [search, search, (Verb.PATIENT_VIEWED, str(patient.pk))]
    assert not any(NAME in str(event) for event in AuditEvent.objects.values())


def test_views_of_visual_acuities_are_audited(panel: Client) -> None:
    acuity = VisualAcuityFactory()
    panel.get(url(VisualAcuity))
    panel.get(url(VisualAcuity, "change", acuity.pk))
    events = AuditEvent.objects.filter(verb__in=[Verb.LIST_VIEWED, Verb.RECORD_VIEWED]).order_by("id")
    assert [event.verb for event in events] == [Verb.LIST_VIEWED, Verb.RECORD_VIEWED]
    assert events[1].data["record"] == str(acuity.pk)


def test_other_reading_targets_are_audited_and_change_due_times(panel: Client, site: Site) -> None:
    exam = ExamFactory(patient__site=site, is_submitted=True, reading_urgency="soon")
    address = url(Site, "change", site.pk)
    assert panel.post(address, site_form(site) | {"reading_target_soon_h": 0}).status_code == 200
    assert panel.post(address, site_form(site) | {"reading_target_soon_h": 9}).status_code == 302
    exam.refresh_from_db()
    assert exam.due_at is not None
    assert exam.due_at - timedelta(hours=9) == exam.submitted_at
    assert AuditEvent.objects.get(verb=Verb.READING_TARGETS_CHANGED).data["reading_target_soon_h"] == 9


def test_the_model_of_a_site_is_changed_and_audited_and_its_results_count(panel: Client, site: Site) -> None:
    image = FundusImageFactory(exam=ExamFactory(patient__site=site, is_submitted=True))
    GradingFactory(image=image, is_done=True, grade=4)
    GradingFactory(image=image, is_done=True, grade=1, model="fast", model_version="fast-1")
    image.exam.refresh_from_db()
    assert image.exam.worst_grade == 4
    form = site_form(site)
    assert panel.post(url(Site, "change", site.pk), form | {"model": "slow"}).status_code == 200
    assert panel.post(url(Site, "change", site.pk), form | {"model": "fast"}).status_code == 302
    site.refresh_from_db()
    image.exam.refresh_from_db()
    assert (site.model, image.exam.worst_grade) == ("fast", 1)
    assert AuditEvent.objects.filter(verb=Verb.ROW_CHANGED, object_id=str(site.pk), site=site).exists()


@pytest.mark.parametrize("model", [Patient, Site])
def test_what_another_person_changed_meanwhile_stays(model: type[Model], panel: Client, site: Site) -> None:
    row: Any = PatientFactory(site=site, sms_consent="yes", phone="+1 202 555 0143") if model is Patient else site
    address = url(model, "change", row.pk)
    page = panel.get(address)
    form = page.context["adminform"].form
    shown = form_data(form)
    opened = shown | {f"initial-{name}": value for name, value in shown.items()}
    name, meanwhile, other = ("sms_consent", "no", "given_name") if model is Patient else ("name", "Harbour", "code")
    assert f'name="initial-{name}"' in page.content.decode()
    model._default_manager.filter(pk=row.pk).update(**{name: meanwhile})
    assert panel.post(address, opened | {other: "new"}).status_code == 302
    row.refresh_from_db()
    assert (getattr(row, name), getattr(row, other)) == (meanwhile, "new")


def test_a_change_is_audited_without_the_values(panel: Client) -> None:
    patient = PatientFactory(family_name="Byron")
    names = {"given_name": "Ada", "family_name": NAME}
    form = {"mrn": patient.mrn, **names, "born_on": "1960-05-17", "sex": "F", "diabetes_type": "2"}
    assert panel.post(url(Patient, "change", patient.pk), form).status_code == 302
    patient.refresh_from_db()
    assert patient.family_name == NAME
    assert AuditEvent.objects.filter(verb=Verb.ROW_CHANGED, object_id=str(patient.pk), site=patient.site).exists()
    stored = [*LogEntry.objects.values(), *AuditEvent.objects.values()]
    assert not any(text in str(row) for row in stored for text in (NAME, "Byron", patient.mrn))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"born_on": "17.05.1960"}, "Write the birth date as 1960-05-17"),
        ({"family_name": "", "given_name": ""}, "Fill in the family name or the given name."),
        ({"mrn": "a–1"}, "differs from that of another patient only"),
        ({"mrn": "A-1"}, "already registered at this site"),
        ({"family_name": "Hopper", "given_name": "GRACE"}, "registered under another number"),
    ],
)
def test_details_are_checked_as_on_the_pages(changes: dict[str, str], message: str, panel: Client, site: Site) -> None:
    PatientFactory(site=site, mrn="A-1", family_name="Hopper", given_name="Grace")
    patient = PatientFactory(site=site, mrn="B-1")
    form = {"mrn": "B-1", "given_name": "Ada", "family_name": "Byron", "born_on": "1960-05-17", "sex": "F"}
    response = panel.post(url(Patient, "change", patient.pk), {**form, "diabetes_type": "2", **changes})
    assert response.status_code == 200
    assert message in response.content.decode()
    patient.refresh_from_db()
    assert (patient.mrn, patient.full_name) == ("B-1", "Byron, Ada")


def test_a_patient_added_or_renamed_is_found_by_folded_name(panel: Client, site: Site) -> None:
    form = {"site": str(site.pk), "mrn": "B-1", "given_name": "", "family_name": "Mu\u0308ller", "born_on": "1960"}
    form |= {"sex": "F", "diabetes_type": "2"}
    assert panel.post(url(Patient, "add"), form).status_code == 302
    patient = Patient.objects.get()
    for text in ("muller", "b–1", str(patient.pk)):
        panel.post(url(Patient), {"search": text})
        assert list(panel.get(url(Patient), {"o": "4"}).context["cl"].result_list) == [patient]
    assert panel.post(url(Patient, "change", patient.pk), {**form, "family_name": "Hopper"}).status_code == 302
    panel.post(url(Patient), {"search": "muller"})
    assert list(panel.get(url(Patient)).context["cl"].result_list) == []


def issue(panel: Client, user: User) -> Any:
    form = {"user": str(user.pk), "name": "Hospital", "expires_at_0": "", "expires_at_1": ""}
    return panel.post(url(ApiKey, "add"), form)


def test_a_new_api_key_is_shown_once_and_works(panel: Client) -> None:
    user = UserFactory()
    response = issue(panel, user)
    text = response.context["key_text"]
    assert text in response.content.decode()
    assert "no-store" in response.headers["Cache-Control"]
    key = ApiKey.objects.get()
    assert find_key(text) == key
    assert (key.user, key.name) == (user, "Hospital")
    for page in (url(ApiKey), url(ApiKey, "change", key.pk)):
        assert text not in panel.get(page).content.decode()
    assert not any(text in cookie.value for cookie in panel.cookies.values())
    assert text not in str(list(AuditEvent.objects.values()))


def test_a_revoked_api_key_does_not_work(panel: Client) -> None:
    response = issue(panel, UserFactory())
    key = ApiKey.objects.get()
    panel.post(url(ApiKey), {"action": "revoke", "_selected_action": [str(key.pk)]})
    assert find_key(response.context["key_text"]) is None
    assert AuditEvent.objects.filter(verb=Verb.API_KEY_REVOKED, object_id=str(key.pk)).exists()


def test_a_removed_role_is_audited(panel: Client) -> None:
    membership = MembershipFactory()
    assert panel.post(url(Membership, "delete", membership.pk), {"post": "yes"}).status_code == 302
    assert not Membership.objects.exists()
    assert AuditEvent.objects.filter(verb=Verb.ROW_REMOVED, object_id=str(membership.pk)).exists()


def test_a_user_can_be_added(panel: Client) -> None:
    form = {"username": "dora", "password1": "a long pass phrase", "password2": "a long pass phrase"}
    assert panel.post(url(User, "add"), {**form, "usable_password": "true"}).status_code == 302
    assert AuditEvent.objects.filter(verb=Verb.ROW_ADDED, object_type="user").exists()


@pytest.mark.parametrize("flags", [{}, {"is_staff": True}])
def test_only_superusers_have_access(client: Client, site: Site, flags: dict[str, bool]) -> None:
    user = MembershipFactory(site=site, user=UserFactory(**flags), role=Membership.Role.MANAGER).user
    client.force_login(user)
    assert client.get(reverse("admin:index")).status_code == 302
    assert client.get(url(Patient)).status_code == 302


def test_every_model_is_in_the_panel() -> None:
    shown = {model for model in admin.site._registry if model._meta.app_label == "screening"}
    assert shown == {*EDITABLE, *READ_ONLY}


def test_an_unknown_id_is_redirected(panel: Client) -> None:
    assert panel.get(url(Patient, "change", uuid.uuid4())).status_code == 302
