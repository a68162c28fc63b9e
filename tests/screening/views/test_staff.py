"""The pages of the staff of a site, from an invitation to deactivation."""

import re
from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from screening.models import AuditEvent, ExamLock, Membership, Site, StaffChange, User
from screening.selectors.staff import list_staff
from screening.services.exam_locks import take_exam
from tests.screening.factories import ExamFactory, MembershipFactory
from tests.screening.views.pages import text_of

INVITATION = {"email": "ada@example.org", "roles": ["reviewer"], "reason": "New reader"}
ACCOUNT = {"first_name": "Ada", "last_name": "Byron", "username": "ada"}
PASSWORD = "brisk-lantern-otter"


def code_in(text: str) -> str:
    found = re.search(r"/invitation/#([\w-]+)", text)
    assert found is not None
    return found[1]


def test_a_person_is_invited_by_mail_and_begins_to_work(
    as_manager: Client, site: Site, manager: User, caplog: pytest.LogCaptureFixture
) -> None:
    staff = reverse("screening:site-staff", args=[site.pk])
    refused = as_manager.post(staff, {"email": "ada", "delivery": "mail", "reason": "New reader"})
    assert refused.status_code == 422
    assert "New reader" in refused.text
    assert as_manager.post(staff, INVITATION | {"delivery": "mail"}).status_code == 302
    assert mail.outbox[0].to == ["ada@example.org"]
    assert "Harbour Clinic" in mail.outbox[0].subject
    code = code_in(str(mail.outbox[0].body))
    assert "sent by e-mail" in as_manager.get(staff).text
    person = Client()
    page = reverse("screening:invitation")
    assert "paste it here" in person.get(page).text
    assert person.post(page, {"code": f"https://example.org{page}#{code}"}).status_code == 302
    assert "Harbour Clinic" in text_of(person.get(page))
    new = reverse("screening:invitation-account")
    weak = person.post(new, ACCOUNT | {"password1": "aaaaaaaaaaaa", "password2": "aaaaaaaaaaaa"})
    assert (weak.status_code, User.objects.filter(username="ada").exists()) == (422, False)
    taken = person.post(new, ACCOUNT | {"username": "MANAGER", "password1": PASSWORD, "password2": PASSWORD})
    assert taken.status_code == 422
    assert person.post(new, ACCOUNT | {"password1": PASSWORD, "password2": PASSWORD})["Location"] == "/"
    assert person.get("/").context["user"].username == "ada"
    used, unknown = (Client().post(page, {"code": text}) for text in (code, "x" * 43))
    assert (used.status_code, used.context["problem"]) == (unknown.status_code, unknown.context["problem"])
    assert "This link does not work" in text_of(used)
    assert code not in caplog.text
    history = as_manager.get(reverse("screening:site-staff-history", args=[site.pk])).text
    assert "New reader" in history
    assert "Accepted an invitation" in history


def test_without_mail_the_link_is_shown_once_and_an_account_of_another_site_accepts(
    as_manager: Client, site: Site, outsider: User, settings: Any
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    staff = reverse("screening:site-staff", args=[site.pk])
    shown = as_manager.post(staff, INVITATION)
    code = code_in(shown.text)
    assert code not in as_manager.get(staff).text
    person = Client()
    person.post(reverse("screening:invitation"), {"code": code})
    login = person.post("/login/?next=/invitation/", {"username": "outsider", "password": "correct horse battery"})
    assert login["Location"] == "/invitation/"
    assert "You are logged in as" in person.get("/invitation/").text
    assert person.post(reverse("screening:invitation-accept")).status_code == 302
    assert set(Membership.objects.filter(user=outsider, site=site).values_list("role", flat=True)) == {"reviewer"}
    assert "Hill Clinic" not in as_manager.get(reverse("screening:site-staff-member", args=[site.pk, outsider.pk])).text
    cache.clear()
    statuses = [Client().post("/invitation/", {"code": str(n)}).status_code for n in range(32)]
    assert (statuses[0], statuses[-1]) == (422, 429)


def test_a_manager_changes_a_person_and_sees_a_conflict(
    as_manager: Client, site: Site, photographer: User, django_assert_max_num_queries: Any
) -> None:
    page = reverse("screening:site-staff-member", args=[site.pk, photographer.pk])
    base = as_manager.get(page).context["form"]["base"].value()
    form = {"roles": ["photographer", "trainee"], "reason": "In training", "base": base, "action": "save"}
    assert as_manager.post(page, form).status_code == 302
    late = as_manager.post(page, form | {"roles": ["reviewer"]})
    assert (late.status_code, StaffChange.objects.count()) == (409, 1)
    assert "Photographer, Reader in training" in text_of(late), "what is stored now"
    again = late.context["form"].data["base"]
    assert as_manager.post(page, form | {"roles": [], "base": again, "action": "deactivate"}).status_code == 302
    assert not Membership.objects.filter(user=photographer).exists()
    staff = reverse("screening:site-staff", args=[site.pk])
    assert "Not at this site" in as_manager.get(staff).text
    assert as_manager.get(reverse("screening:site-staff-member", args=[site.pk, site.pk])).status_code == 404
    for _ in range(30):
        MembershipFactory(site=site, role="reviewer")
    with django_assert_max_num_queries(20):
        assert "Page 2 of 2" in text_of(as_manager.get(staff, {"page": 2}))
    with django_assert_max_num_queries(24):
        settings = text_of(as_manager.get(reverse("screening:site", args=[site.pk])))
    assert "31 persons are active" in settings


def test_a_reader_who_is_deactivated_holds_no_exam_and_was_last_seen_at_an_event(
    as_manager: Client, site: Site, reviewer: User, manager: User
) -> None:
    exams = [ExamFactory(patient__site=site, is_submitted=True) for _ in range(2)]
    for exam in exams:
        take_exam(exam=exam, by=reviewer)
    page = reverse("screening:site-staff-member", args=[site.pk, reviewer.pk])
    base = as_manager.get(page).context["form"]["base"].value()
    form = {"roles": ["reviewer", "trainee"], "base": base, "action": "save"}
    assert as_manager.post(page, form).status_code == 302
    assert ExamLock.objects.count() == 2, "who may still read keeps the exams"
    form |= {"base": as_manager.get(page).context["form"]["base"].value(), "action": "deactivate"}
    assert as_manager.post(page, form).status_code == 302
    assert not ExamLock.objects.exists()
    events = AuditEvent.objects.filter(verb="exam.released", actor=manager)
    assert [event.data for event in events] == [{"from_user": str(reviewer.pk)}] * 2
    (row,) = [one for one in list_staff(user=manager, site=site) if one == reviewer]
    assert row.last_seen_at == AuditEvent.objects.filter(actor=reviewer).latest("at").at  # type: ignore[attr-defined]
    assert "Last seen" in as_manager.get(reverse("screening:site-staff", args=[site.pk])).text


def test_a_closed_account_holds_no_exam(client: Client, site: Site, reviewer: User) -> None:
    take_exam(exam=ExamFactory(patient__site=site, is_submitted=True), by=reviewer)
    client.force_login(User.objects.create_superuser("chief"))
    values = {"username": "reviewer", "date_joined_0": "2026-01-01", "date_joined_1": "00:00"}
    assert client.post(reverse("admin:screening_user_change", args=[reviewer.pk]), values).status_code == 302
    assert not ExamLock.objects.exists()


def test_a_change_in_the_panel_is_in_the_history(client: Client, site: Site, photographer: User) -> None:
    chief = User.objects.create_superuser("chief")
    client.force_login(chief)
    added = {"user": photographer.pk, "site": site.pk, "role": "manager"}
    assert client.post(reverse("admin:screening_membership_add"), added).status_code == 302
    for membership in photographer.memberships.all():
        client.post(reverse("admin:screening_membership_delete", args=[membership.pk]), {"post": "yes"})
    changes = StaffChange.objects.filter(user=photographer, created_by=chief).order_by("number")
    assert [(one.kind, len(one.roles)) for one in changes] == [("roles", 2), ("roles", 1), ("deactivated", 1)]
