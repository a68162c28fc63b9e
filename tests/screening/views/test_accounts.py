"""The first log-in of a new installation: another password, then the first site."""

from typing import Any

import pytest
from axes.models import AccessAttempt
from django.core import mail
from django.test import Client

from screening.access import AccessDenied
from screening.models import AuditEvent, Membership, Site, User
from screening.services.accounts import change_password, create_first_administrator
from screening.services.sites import create_first_site
from tests.screening.factories import UserFactory
from tests.screening.views.pages import text_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("mail_is_sent")]
FIRST, NEXT = "quiet-walnut-ferry", "brisk-lantern-otter"


@pytest.fixture
def administrator(client: Client) -> User:
    """A new administrator, logged in."""
    user = create_first_administrator(username="admin", password=FIRST)
    assert user is not None
    client.force_login(user)
    return user


@pytest.mark.usefixtures("administrator")
def test_the_first_log_in_leads_to_the_page_for_another_password(client: Client) -> None:
    for address in ("/", "/patients/", "/admin/", "/sites/first/"):
        assert client.get(address).headers["Location"] == "/password/"
    assert client.get("/api/v1/sites").json()["code"] == "new_password"
    assert client.post("/logout/").status_code == 302


def test_another_password_opens_the_pages(client: Client, administrator: User) -> None:
    answer = client.post("/password/", {"old_password": FIRST, "new_password1": NEXT, "new_password2": NEXT})
    assert answer.headers["Location"] == "/"
    assert client.get("/admin/").status_code == 200
    administrator.refresh_from_db()
    assert administrator.check_password(NEXT)
    assert AuditEvent.objects.get(verb="user.password_changed").actor == administrator


@pytest.mark.parametrize(
    ("old", "new", "again"),
    [(FIRST, FIRST, FIRST), ("wrong", NEXT, NEXT), (FIRST, NEXT, "other"), (FIRST, "short", "short")]
    + [
        (FIRST, weak, weak)
        for weak in ("aaaaaaaaaaaa", "abcabcabcabc", "qwertyuiop12", "Passw0rd2026!", "photographer1")
    ],
)
def test_a_bad_new_password_is_refused(client: Client, administrator: User, old: str, new: str, again: str) -> None:
    answer = client.post("/password/", {"old_password": old, "new_password1": new, "new_password2": again})
    assert answer.status_code == 422
    administrator.refresh_from_db()
    assert administrator.must_change_password
    assert administrator.check_password(FIRST)


def test_an_administrator_without_a_site_creates_one(client: Client, administrator: User) -> None:
    change_password(password=NEXT, by=administrator)
    client.force_login(administrator)
    assert client.get("/").headers["Location"] == "/sites/first/"
    assert client.get("/sites/first/").status_code == 200
    answer = client.post("/sites/first/", {"name": "Harbour clinic", "timezone": "Europe/Atlantis"})
    assert answer.status_code == 422
    assert "is not a time zone" in answer.text
    assert not Site.objects.exists()
    answer = client.post("/sites/first/", {"name": "Harbour clinic", "timezone": "Europe/Paris"})
    site = Site.objects.get()
    assert answer.headers["Location"] == f"/sites/{site.pk}/"
    assert (site.name, site.code, site.timezone) == ("Harbour clinic", "harbour-clinic", "Europe/Paris")
    assert Membership.objects.get().role == Membership.Role.MANAGER
    assert client.get("/").status_code == 200


def test_a_name_without_latin_letters_gets_a_code(administrator: User) -> None:
    assert create_first_site(name="診療所", timezone="Asia/Tokyo", by=administrator).code == "site"


def test_only_a_superuser_creates_the_first_site_and_only_one(client: Client, administrator: User) -> None:
    stranger = UserFactory()
    client.force_login(stranger)
    assert client.get("/sites/first/").status_code == 403
    with pytest.raises(AccessDenied):
        create_first_site(name="Harbour clinic", timezone="UTC", by=stranger)
    create_first_site(name="Harbour clinic", timezone="UTC", by=administrator)
    with pytest.raises(AccessDenied):
        create_first_site(name="Hill clinic", timezone="UTC", by=administrator)
    assert Site.objects.count() == 1


def change(client: Client, old: str) -> int:
    return client.post("/password/", {"old_password": old, "new_password1": NEXT, "new_password2": NEXT}).status_code


def test_guesses_of_the_present_password_are_limited_and_audited(client: Client, settings: Any) -> None:
    user = UserFactory(email="ada@example.org")
    client.force_login(user)
    assert [change(client, f"guess {n}") for n in range(settings.AXES_FAILURE_LIMIT + 1)][-2:] == [429, 429]
    assert change(client, "correct horse battery") == 429, "the right one is not accepted either"
    user.refresh_from_db()
    assert user.check_password("correct horse battery")
    assert user.n_failed_logins >= settings.AXES_FAILURE_LIMIT
    failed = AuditEvent.objects.filter(verb=AuditEvent.Verb.LOGIN_FAILED)
    assert {(event.actor, event.object_id) for event in failed} == {(user, str(user.pk))}
    assert AuditEvent.objects.filter(verb=AuditEvent.Verb.LOCKED_OUT, actor=user).exists()
    assert len(mail.outbox) == 1
    stored = str(AccessAttempt.objects.values())
    assert "guess" not in stored
    assert NEXT not in stored


def test_the_page_of_the_panel_leads_to_that_of_the_account(client: Client, administrator: User) -> None:
    change_password(password=NEXT, by=administrator)
    client.force_login(administrator)
    assert client.get("/admin/password_change/").headers["Location"] == "/password/"
    answer = client.post("/admin/password_change/", {"old_password": "guess"})
    assert answer.headers["Location"] == "/password/"


def test_five_wrong_passwords_lock_the_account(photographer: User, client: Client) -> None:
    responses = [client.post("/login/", {"username": "photographer", "password": "wrong"}) for _ in range(5)]
    assert "The user name or the password is wrong" in text_of(responses[0])
    assert 'value="photographer"' in text_of(responses[0])
    assert responses[4].status_code == 429
    assert "Too many attempts" in text_of(responses[4])


def test_a_login_leads_to_the_worklist(photographer: User, client: Client) -> None:
    response = client.post("/login/", {"username": "photographer", "password": "correct horse battery"}, follow=True)
    assert "Log out" in text_of(response)
