"""Programmes: what a programme manager may do at the sites of the programme, and how a person becomes one."""

import json
import re
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from screening.access import Action, actions_of, can, member_since, sites_for, users_for
from screening.models import AuditEvent, Membership, Programme, ProgrammeMembership, Site, StaffChange, User
from screening.selectors.gradings import list_site_views
from tests.screening.factories import ExamFactory, UserFactory
from tests.screening.test_access import TABLE, M


@pytest.fixture
def programme(site: Site) -> Programme:
    programme = Programme.objects.create(name="North")
    Site.objects.filter(pk=site.pk).update(programme=programme)
    return programme


@pytest.fixture
def head(programme: Programme) -> User:
    """A programme manager without a role at a site."""
    user = UserFactory(username="head")
    ProgrammeMembership.objects.create(user=user, programme=programme)
    return user


@pytest.fixture
def chief(db: None) -> User:
    return User.objects.create_superuser("chief")


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_a_programme_manager_may_do_what_a_manager_of_each_site_may(
    site: Site, other_site: Site, head: User, programme: Programme
) -> None:
    for action, roles in TABLE.items():
        is_allowed = M in roles
        assert can(head, action, site) is is_allowed, action
        assert can(head, action, other_site) is False, action
        assert (action in actions_of(head)) is is_allowed, action
        assert users_for(site, action).filter(pk=head.pk).exists() is is_allowed, action
        assert (member_since(head, site, action) is not None) is is_allowed, action
    assert set(list_site_views(head)) == {site.pk}
    Site.objects.filter(pk=other_site.pk).update(programme=programme)
    assert set(sites_for(head, Action.MANAGE_SITE)) == {site, other_site}
    Site.objects.update(is_active=False)
    assert not actions_of(head)
    head.is_active = False
    assert not sites_for(head).exists()


def test_pages_of_a_site_open_for_its_programme_manager_and_name_the_role(
    head: User, site: Site, other_site: Site
) -> None:
    exam, client = ExamFactory(patient__site=site), client_of(head)
    for name in ("site", "site-staff", "site-audit", "site-due-list"):
        assert client.get(reverse(f"screening:{name}", args=[site.pk])).status_code == 200, name
        assert client.get(reverse(f"screening:{name}", args=[other_site.pk])).status_code == 404, name
    assert client.get(reverse("screening:patient-detail", args=[exam.patient_id])).status_code == 200
    assert str(exam.patient.mrn) in client.get("/?state=open").text
    assert AuditEvent.objects.get(verb="patient.viewed").role == "programme_manager"


def test_the_later_of_two_who_change_the_sites_sees_the_conflict(chief: User, site: Site, other_site: Site) -> None:
    admin = client_of(chief)
    north, south = (Programme.objects.create(name=name) for name in ("North", "South"))
    sites = reverse("screening:programme-sites", args=[north.pk])
    opened = admin.get(reverse("screening:programme", args=[north.pk])).context["sites_form"].initial["base"]
    assert opened == {}
    Site.objects.filter(pk=other_site.pk).update(programme=south)  # by another superuser
    form = {"sites": [site.pk, other_site.pk], "base": json.dumps(opened)}
    refused = admin.post(sites, form)
    assert refused.status_code == 422
    assert f"{other_site.name} (South)" in refused.text
    assert Site.objects.filter(programme=north).count() == 0, "all or nothing"
    stored = refused.context["sites_form"]["base"].value()
    assert admin.post(sites, form | {"base": stored}).status_code == 302, "after the conflict was seen"
    assert Site.objects.filter(programme=north).count() == 2
    opened = {str(one.pk): str(north.pk) for one in (site, other_site)}
    Site.objects.filter(pk=other_site.pk).update(programme=None)
    response = admin.post(sites, form | {"base": json.dumps(opened)}, follow=True)
    assert f"they stay so: {other_site.name}." in response.text
    assert Site.objects.get(programme=north) == site
    assert admin.post(sites, form | {"base": "[]"}).status_code == 422


def test_a_superuser_makes_a_programme_and_invites_its_manager_by_mail(
    chief: User, site: Site, other_site: Site, photographer: User, django_assert_max_num_queries: Any
) -> None:
    admin = client_of(chief)
    page = admin.post(reverse("screening:programmes"), {"name": "North"})["Location"]
    assert admin.post(reverse("screening:programmes"), {"name": "North"}).status_code == 422
    programme = Programme.objects.get()
    sites = reverse("screening:programme-sites", args=[programme.pk])
    both = {"sites": [site.pk, other_site.pk], "base": "{}"}
    assert admin.post(sites, both).status_code == 302
    base = json.dumps({str(one.pk): str(programme.pk) for one in (site, other_site)})
    assert admin.post(sites, {"sites": [site.pk], "base": base}).status_code == 302
    other_site.refresh_from_db()
    assert other_site.programme is None
    assert AuditEvent.objects.filter(verb="site.programme_changed", site=other_site).count() == 2
    assert admin.post(page, {"email": "ada@example.org", "delivery": "mail"}).status_code == 302
    code = re.search(r"/invitation/#([\w-]+)", str(mail.outbox[0].body))
    assert code is not None
    assert "Programme manager" in mail.outbox[0].body
    person = client_of(photographer)
    person.post(reverse("screening:invitation"), {"code": code[1]})
    assert "Invitation to North" in person.get(reverse("screening:invitation")).text
    assert person.post(reverse("screening:invitation-accept")).status_code == 302
    assert can(photographer, Action.MANAGE_SITE, site)
    with django_assert_max_num_queries(20):
        shown = person.get(page).text
    assert "Harbour Clinic" in shown
    assert "Hill Clinic" not in shown
    assert person.post(sites, {"sites": [site.pk, other_site.pk]}).status_code == 403
    assert person.post(reverse("screening:programme-name", args=[programme.pk]), {"name": "East"}).status_code == 403
    remove = reverse("screening:programme-manager-remove", args=[programme.pk, photographer.pk])
    assert person.post(remove).status_code == 302
    assert not can(photographer, Action.MANAGE_SITE, site)
    assert Membership.objects.filter(user=photographer, site=site).exists(), "a role at a site stays"
    kinds = StaffChange.objects.filter(programme=programme).order_by("created_at").values_list("kind", flat=True)
    assert list(kinds) == ["invited", "joined", "deactivated"]
    assert person.get(page).status_code == 404


def test_a_manager_of_a_site_is_no_manager_of_its_programme(programme: Programme, manager: User, chief: User) -> None:
    client = client_of(manager)
    page = reverse("screening:programme", args=[programme.pk])
    assert client.get(page).status_code == client.post(page, {"email": "a@example.org"}).status_code == 404
    assert client.get(reverse("screening:programmes")).status_code == 403
    assert client_of(chief).get(page).status_code == 200
