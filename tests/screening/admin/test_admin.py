"""The admin panel: for superusers alone, searched by POST, read-only where only services write."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from screening import models
from screening.models import ApiKey, AuditEvent, Membership, Patient, Site, User
from screening.services.api_keys import find_key, issue_key
from screening.services.audit import record_event
from tests.screening.factories import (
    ExamFactory,
    EyeFindingFactory,
    FundusImageFactory,
    GradingFactory,
    MembershipFactory,
    PatientFactory,
    ReviewFactory,
    SiteFactory,
    UserFactory,
)

Verb = AuditEvent.Verb
SEARCHED = "Lovelace"


@pytest.fixture
def chief(db: None) -> User:
    return UserFactory(username="chief", is_staff=True, is_superuser=True)


@pytest.fixture
def panel(client: Client, chief: User) -> Client:
    client.force_login(chief)
    return client


def url(model: type[Model], page: str = "changelist", *args: Any) -> str:
    return reverse(f"admin:screening_{model._meta.model_name}_{page}", args=args)


def make_rows(n_rows: int) -> None:
    for _ in range(n_rows):
        site = SiteFactory()
        user = MembershipFactory(site=site).user
        exam = ExamFactory(patient__site=site)
        GradingFactory(image=FundusImageFactory(exam=exam), is_done=True)
        review = ReviewFactory(exam=exam, reviewer=user)
        EyeFindingFactory(review=review)
        models.FirstReading.objects.create(exam=exam, reviewer=user, laterality="OD", is_gradable=True, grade=0)
        issue_key(user=user, name="program", by=None)
        record_event(verb=Verb.EXAM_VIEWED, subject=exam, site=site, by=user)


EDITED = [Patient, Site, Membership, User, ApiKey]
READ_ONLY = [
    models.Exam,
    models.FundusImage,
    models.Grading,
    models.Review,
    models.FirstReading,
    models.AuditEvent,
]


@pytest.mark.parametrize("model", [*EDITED, *READ_ONLY])
def test_every_list_is_shown_searched_and_filtered_in_a_constant_number_of_queries(
    panel: Client, model: type[Model], django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    make_rows(6)
    panel.post(url(model), {"search": "a"})
    with django_assert_max_num_queries(16):
        assert panel.get(url(model)).status_code == 200
    panel.post(url(model), {"search": ""})
    with django_assert_max_num_queries(16):
        page = panel.get(url(model))
    assert page.context["cl"].result_count >= 6
    assert page.context["cl"].has_filters


@pytest.mark.parametrize("model", [*EDITED, *READ_ONLY])
def test_every_row_is_shown(panel: Client, model: type[Model]) -> None:
    make_rows(1)
    row = model._default_manager.all()[0]
    assert panel.get(url(model, "change", row.pk)).status_code == 200


@pytest.mark.parametrize("model", READ_ONLY)
def test_what_only_services_write_cannot_be_written_here(panel: Client, model: type[Model]) -> None:
    make_rows(1)
    row = model._default_manager.all()[0]
    n_rows = model._default_manager.count()
    assert panel.get(url(model, "add")).status_code == 403
    assert panel.post(url(model, "change", row.pk), {"status": "done", "grade": 0}).status_code == 403
    assert panel.post(url(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    assert model._default_manager.count() in {n_rows, n_rows + 1}  # looking may add an audit event


@pytest.mark.parametrize("model", [Patient, Site, User, ApiKey])
def test_no_row_that_others_hang_on_can_be_deleted(panel: Client, model: type[Model]) -> None:
    make_rows(1)
    row = model._default_manager.all()[0]
    assert panel.post(url(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    action = {"action": "delete_selected", "_selected_action": [str(row.pk)], "post": "yes"}
    panel.post(url(model), action)
    assert model._default_manager.filter(pk=row.pk).exists()


def test_a_search_never_reaches_an_address(panel: Client) -> None:
    found = PatientFactory(family_name=SEARCHED)
    PatientFactory(family_name="Somerville")
    answer = panel.post(url(Patient) + "?sex__exact=F", {"search": SEARCHED})
    assert (answer.status_code, answer.headers["Location"]) == (302, url(Patient) + "?sex__exact=F")
    page = panel.get(url(Patient))
    assert list(page.context["cl"].result_list) == [found]
    links = [part.split('"')[0] for part in page.content.decode().split('href="')[1:]]
    assert not any(SEARCHED in link for link in links)


def test_an_address_made_by_hand_loses_its_words(panel: Client) -> None:
    answer = panel.get(url(Patient), {"q": SEARCHED, "sex__exact": "F"})
    assert (answer.status_code, answer.headers["Location"]) == (302, url(Patient) + "?sex__exact=F")


def test_a_search_with_a_nul_character_finds_what_it_finds_without(panel: Client) -> None:
    found = PatientFactory(family_name=SEARCHED)
    panel.post(url(Patient), {"search": f"{SEARCHED[:4]}\x00{SEARCHED[4:]}"})
    assert list(panel.get(url(Patient)).context["cl"].result_list) == [found]


def test_a_look_at_the_list_of_patients_is_in_the_trail(panel: Client, chief: User) -> None:
    PatientFactory()
    panel.get(url(Patient))
    assert AuditEvent.objects.filter(actor=chief, verb=Verb.PATIENTS_SEARCHED).count() == 1


def test_a_search_of_patients_and_a_look_at_one_are_in_the_trail(panel: Client, chief: User) -> None:
    patient = PatientFactory()
    panel.post(url(Patient), {"search": SEARCHED})
    panel.get(url(Patient, "change", patient.pk))
    events = AuditEvent.objects.filter(actor=chief).order_by("id").values_list("verb", "object_id")
    assert list(events) == [(Verb.PATIENTS_SEARCHED, ""), (Verb.PATIENT_VIEWED, str(patient.pk))]
    assert not any(SEARCHED in str(event) for event in AuditEvent.objects.values())


def test_a_corrected_patient_is_in_the_trail_without_the_values(panel: Client) -> None:
    patient = PatientFactory(family_name="Byron")
    form = {
        "mrn": patient.mrn,
        "given_name": "Ada",
        "family_name": SEARCHED,
        "born_on": "1960-05-17",
        "sex": "F",
        "diabetes_type": "2",
    }
    assert panel.post(url(Patient, "change", patient.pk), form).status_code == 302
    patient.refresh_from_db()
    assert patient.family_name == SEARCHED
    assert AuditEvent.objects.filter(verb=Verb.ROW_CHANGED, object_id=str(patient.pk), site=patient.site).exists()
    kept = [*LogEntry.objects.values(), *AuditEvent.objects.values()]
    assert not any(name in str(row) for row in kept for name in (SEARCHED, "Byron", patient.mrn))


def issue(panel: Client, user: User) -> Any:
    return panel.post(
        url(ApiKey, "add"), {"user": str(user.pk), "name": "Hospital", "expires_at_0": "", "expires_at_1": ""}
    )


def test_a_new_api_key_is_shown_once_and_works(panel: Client) -> None:
    user = UserFactory()
    answer = issue(panel, user)
    text = answer.context["key_text"]
    assert text in answer.content.decode()
    assert "no-store" in answer.headers["Cache-Control"]
    key = find_key(text)
    assert key is not None
    assert (key.user, key.name) == (user, "Hospital")
    assert ApiKey.objects.count() == 1
    for page in (url(ApiKey), url(ApiKey, "change", key.pk)):
        assert text not in panel.get(page).content.decode()
    assert not any(text in morsel.value for morsel in panel.cookies.values())
    assert text not in str(list(AuditEvent.objects.values()))


def test_revoking_a_key_ends_it(panel: Client) -> None:
    text = issue(panel, UserFactory()).context["key_text"]
    key = ApiKey.objects.get()
    panel.post(url(ApiKey), {"action": "revoke", "_selected_action": [str(key.pk)]})
    assert find_key(text) is None
    assert AuditEvent.objects.filter(verb=Verb.API_KEY_REVOKED, object_id=str(key.pk)).exists()


def test_a_role_can_be_taken_away_and_the_trail_keeps_it(panel: Client) -> None:
    membership = MembershipFactory()
    assert panel.post(url(Membership, "delete", membership.pk), {"post": "yes"}).status_code == 302
    assert not Membership.objects.exists()
    assert AuditEvent.objects.filter(verb=Verb.ROW_REMOVED, object_id=str(membership.pk)).exists()


def test_a_user_can_be_added(panel: Client) -> None:
    form = {"username": "dora", "password1": "a long pass phrase", "password2": "a long pass phrase"}
    answer = panel.post(url(User, "add"), {**form, "usable_password": "true"})
    assert answer.status_code == 302
    assert AuditEvent.objects.filter(verb=Verb.ROW_ADDED, object_type="user").exists()


@pytest.mark.parametrize("flags", [{}, {"is_staff": True}])
def test_the_panel_is_for_superusers_alone(client: Client, site: Site, flags: dict[str, bool]) -> None:
    user = MembershipFactory(site=site, user=UserFactory(**flags), role=Membership.Role.MANAGER).user
    client.force_login(user)
    assert client.get(reverse("admin:index")).status_code == 302
    assert client.get(url(Patient)).status_code == 302


@pytest.mark.django_db
def test_every_stored_noun_is_in_the_panel() -> None:
    shown = {model for model in admin.site._registry if model._meta.app_label == "screening"}
    assert shown | {models.EyeFinding} == {*EDITED, *READ_ONLY, models.EyeFinding}


def test_an_id_that_is_not_there_is_not_an_error(panel: Client) -> None:
    assert panel.get(url(Patient, "change", uuid.uuid4())).status_code == 302
