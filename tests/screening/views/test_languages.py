"""The language of pages: of the browser, of the cookie before the log-in, of the account after it."""

from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core import mail
from django.test import Client
from django.utils import timezone, translation

from screening.labels.dates import moment_text
from screening.models import User
from screening.services.accounts import choose_language, send_lockout_notice
from tests.screening.views.pages import page_text, url

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def languages(settings: Any) -> None:
    """English, French and one that is written from right to left."""
    settings.LANGUAGES = [("en", "English"), ("fr", "Français"), ("ar", "العربيّة")]


def choose(client: Client, language: str, back: str = "/login/") -> str:
    return client.post(url("language"), {"language": language, "next": back}).headers["Location"]


def test_the_browser_chooses_among_the_languages_that_are_offered(client: Client) -> None:
    for accepted, language in (("fr-CH, en;q=0.5", "fr"), ("it, ar;q=0.9", "ar"), ("tlh", "en")):
        answer = client.get("/login/", headers={"Accept-Language": accepted})
        assert f'<html lang="{language}"' in answer.text
        assert answer.headers["Content-Language"] == language


@pytest.mark.parametrize(("language", "direction"), [("ar", "rtl"), ("fr", "ltr")])
def test_a_page_states_its_language_and_direction(client: Client, language: str, direction: str) -> None:
    for address in ("/login/", "/no-such-page/", "/api/docs/", "/admin/login/"):
        text = " ".join(client.get(address, headers={"Accept-Language": language}, follow=True).text.split())
        assert f'<html lang="{language}" dir="{direction}"' in text, address


def test_a_choice_before_the_log_in_is_kept_in_a_cookie(client: Client) -> None:
    assert choose(client, "ar") == "/login/"
    cookie = client.cookies[django_settings.LANGUAGE_COOKIE_NAME]
    assert (cookie.value, cookie["httponly"], cookie["samesite"]) == ("ar", True, "Lax")
    assert '<html lang="ar"' in client.get("/login/").text


def test_a_choice_is_kept_with_the_account(client: Client, reviewer: User) -> None:
    client.force_login(reviewer)
    assert choose(client, "fr", "/password/") == "/password/"
    reviewer.refresh_from_db()
    assert reviewer.language == "fr"
    other_computer = Client(headers={"Accept-Language": "ar"})
    other_computer.force_login(reviewer)
    assert '<html lang="fr"' in page_text(other_computer, "worklist")
    choose(other_computer, "")
    assert '<html lang="ar"' in page_text(other_computer, "worklist")


def test_a_language_that_is_not_offered_is_not_stored(client: Client, reviewer: User, settings: Any) -> None:
    client.force_login(reviewer)
    assert choose(client, "tlh") == "/login/"
    reviewer.refresh_from_db()
    assert reviewer.language == ""
    choose_language(language="fr", by=reviewer)
    settings.LANGUAGES = [("en", "English")]
    text = page_text(client, "worklist")
    assert '<html lang="en"' in text
    assert url("language") not in text, "one language needs no menu"


def test_the_choice_leads_back_to_a_page_of_this_site_only(client: Client) -> None:
    assert choose(client, "fr", "https://example.org/") == "/"
    assert choose(client, "fr", "//example.org/") == "/"
    assert choose(client, "fr", "no address") == "/"
    assert client.get(url("language")).status_code == 405


def test_the_menu_names_each_language_in_itself(client: Client) -> None:
    text = client.get("/login/", headers={"Accept-Language": "fr"}).text
    for name in ("English", "Français", "العربيّة"):
        assert f">{name}</button>" in text


@pytest.mark.usefixtures("mail_is_sent")
def test_a_notice_by_e_mail_is_in_the_language_of_the_account(reviewer: User) -> None:
    reviewer.email, reviewer.language, reviewer.lockout_notice_at = "ada@example.org", "fr", timezone.now()
    reviewer.save()
    send_lockout_notice(user_id=reviewer.pk)
    with translation.override("fr"):
        at = moment_text(reviewer.lockout_notice_at)
    assert at in mail.outbox[0].body
    assert at != moment_text(reviewer.lockout_notice_at)


@pytest.mark.parametrize("language", ["de", "fr"])
def test_messages_of_the_api_are_translated_and_codes_are_not(client: Client, settings: Any, language: str) -> None:
    settings.LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("fr", "Français")]
    in_english, translated = (
        client.get("/api/v1/patients", headers={"Accept-Language": one}).json() for one in ("en", language)
    )
    assert translated["code"] == in_english["code"]
    assert translated["message"] != in_english["message"]
