"""A new installation: somebody can log in, chooses another password, and opens the first site."""

import threading
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from screening.access import AccessDenied
from screening.management.commands.bootstrap import exclusive_lock
from screening.models import AuditEvent, Membership, Site, User
from screening.services.accounts import change_password, create_first_administrator
from screening.services.sites import create_first_site
from tests.screening.factories import UserFactory

pytestmark = pytest.mark.django_db
FIRST, NEXT = "quiet-walnut-ferry", "brisk-lantern-otter"


@pytest.fixture
def administrator() -> User:
    user = create_first_administrator(username="admin", password=FIRST)
    assert user is not None
    return user


def bootstrap(settings: Any, password: str) -> str:
    settings.ADMIN_USERNAME, settings.ADMIN_PASSWORD = "admin", password
    out = StringIO()
    call_command("bootstrap", stdout=out, verbosity=0)
    return out.getvalue()


def test_bootstrap_makes_the_first_administrator_once(settings: Any) -> None:
    assert "was created" in bootstrap(settings, FIRST)
    assert bootstrap(settings, NEXT) == ""
    user = User.objects.get()
    assert user.is_superuser
    assert user.must_change_password
    assert user.check_password(FIRST)
    assert AuditEvent.objects.filter(verb="row.added", object_id=str(user.pk)).count() == 1


def test_bootstrap_without_a_password_makes_nobody(settings: Any) -> None:
    bootstrap(settings, "")
    assert not User.objects.exists()


def test_bootstrap_refuses_a_password_that_people_may_not_have(settings: Any) -> None:
    with pytest.raises(CommandError, match="too short"):
        bootstrap(settings, "short")
    assert not User.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_second_container_waits_until_the_first_has_prepared() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("the lock is PostgreSQL's")
    got_in = threading.Event()

    def second() -> None:
        with exclusive_lock():
            got_in.set()
        connection.close()

    with exclusive_lock():
        other = threading.Thread(target=second)
        other.start()
        assert not got_in.wait(0.5)
    other.join(10)
    assert got_in.is_set()


def test_the_first_log_in_leads_to_the_page_for_another_password(client: Client, administrator: User) -> None:
    client.force_login(administrator)
    for address in ("/", "/patients/", "/admin/", "/sites/first/"):
        assert client.get(address).headers["Location"] == "/password/"
    assert client.get("/api/v1/sites").json()["code"] == "new_password"
    assert client.post("/logout/").status_code == 302


def test_another_password_opens_the_pages(client: Client, administrator: User) -> None:
    client.force_login(administrator)
    answer = client.post("/password/", {"old_password": FIRST, "new_password1": NEXT, "new_password2": NEXT})
    assert answer.headers["Location"] == "/"
    assert client.get("/admin/").status_code == 200
    administrator.refresh_from_db()
    assert administrator.check_password(NEXT)
    assert AuditEvent.objects.get(verb="user.password_changed").actor == administrator


@pytest.mark.parametrize(
    ("old", "new", "again"),
    [(FIRST, FIRST, FIRST), ("wrong", NEXT, NEXT), (FIRST, NEXT, "other"), (FIRST, "short", "short")],
)
def test_a_bad_new_password_is_refused(client: Client, administrator: User, old: str, new: str, again: str) -> None:
    client.force_login(administrator)
    answer = client.post("/password/", {"old_password": old, "new_password1": new, "new_password2": again})
    assert answer.status_code == 422
    administrator.refresh_from_db()
    assert administrator.must_change_password
    assert administrator.check_password(FIRST)


def test_an_administrator_without_a_site_is_asked_for_one(client: Client, administrator: User) -> None:
    change_password(password=NEXT, by=administrator)
    client.force_login(administrator)
    assert client.get("/").headers["Location"] == "/sites/first/"
    assert client.get("/sites/first/").status_code == 200
    answer = client.post("/sites/first/", {"name": "Harbour clinic", "timezone": "Europe/Paris"})
    assert answer.headers["Location"] == "/admin/"
    site = Site.objects.get()
    assert (site.name, site.code, site.timezone) == ("Harbour clinic", "harbour-clinic", "Europe/Paris")
    assert Membership.objects.get().role == Membership.Role.MANAGER
    assert client.get("/").status_code == 200


def test_a_time_zone_that_nobody_knows_is_refused(client: Client, administrator: User) -> None:
    change_password(password=NEXT, by=administrator)
    client.force_login(administrator)
    answer = client.post("/sites/first/", {"name": "Harbour clinic", "timezone": "Europe/Atlantis"})
    assert answer.status_code == 422
    assert "is not a time zone" in answer.text
    assert not Site.objects.exists()


def test_a_name_without_latin_letters_gets_a_code(administrator: User) -> None:
    assert create_first_site(name="診療所", timezone="Asia/Tokyo", by=administrator).code == "site"


def test_nobody_else_opens_a_site_and_no_second_is_opened_so(client: Client, administrator: User) -> None:
    stranger = UserFactory()
    with pytest.raises(AccessDenied):
        create_first_site(name="Harbour clinic", timezone="UTC", by=stranger)
    client.force_login(stranger)
    assert client.get("/sites/first/").status_code == 403
    create_first_site(name="Harbour clinic", timezone="UTC", by=administrator)
    with pytest.raises(AccessDenied):
        create_first_site(name="Hill clinic", timezone="UTC", by=administrator)
    assert Site.objects.count() == 1
