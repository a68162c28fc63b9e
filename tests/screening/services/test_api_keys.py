"""API keys act as their user; only their hash is stored."""

import hashlib
import re
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from screening.models import ApiKey, AuditEvent, User
from screening.services.api_keys import find_key, issue_key, revoke_key


def test_a_key_is_found_by_its_text_and_stored_as_a_hash(photographer: User) -> None:
    key, text = issue_key(user=photographer, name="Camera", by=photographer)
    assert re.fullmatch(r"drk_[A-Za-z0-9_-]{43}", text)
    assert find_key(text) == key
    stored = str([*ApiKey.objects.values(), *AuditEvent.objects.values()])
    assert text not in stored
    assert key.key_hash == hashlib.sha256(text.encode()).hexdigest()
    assert key.prefix == text[:12]
    assert AuditEvent.objects.get().data == {"user": str(photographer.pk)}


@pytest.mark.django_db
def test_another_text_is_no_key() -> None:
    assert not any(find_key(text) for text in ("", "drk_", "drk_" + "x" * 43, "Bearer drk_x"))


def test_a_revoked_or_expired_key_or_one_of_an_inactive_user_is_not_found(photographer: User) -> None:
    key, text = issue_key(user=photographer, name="Camera", by=photographer)
    now = timezone.now()
    ApiKey.objects.update(expires_at=now + timedelta(hours=1))
    assert find_key(text) is not None
    ApiKey.objects.update(expires_at=now - timedelta(seconds=1))
    assert find_key(text) is None
    ApiKey.objects.update(expires_at=None)
    User.objects.update(is_active=False)
    assert find_key(text) is None
    User.objects.update(is_active=True)
    revoke_key(key=key, by=photographer)
    assert find_key(text) is None


def test_a_key_is_revoked_once(photographer: User) -> None:
    key, _text = issue_key(user=photographer, name="Camera", by=photographer)
    first = revoke_key(key=key, by=photographer).revoked_at
    assert revoke_key(key=key, by=photographer).revoked_at == first
    assert AuditEvent.objects.filter(verb="api_key.revoked").count() == 1


def test_the_last_use_is_stored_once_a_minute(photographer: User) -> None:
    _key, text = issue_key(user=photographer, name="Camera", by=photographer)
    find_key(text)
    first_use = ApiKey.objects.get().last_used_at
    assert first_use is not None
    find_key(text)
    assert ApiKey.objects.get().last_used_at == first_use
    ApiKey.objects.update(last_used_at=first_use - timedelta(seconds=61))
    find_key(text)
    again = ApiKey.objects.get().last_used_at
    assert again is not None
    assert again >= first_use


@pytest.mark.parametrize("text", ["secret7", "has a space in it", "line\nbreak-in-it"])
def test_a_chosen_key_that_is_short_or_has_spaces_is_refused(photographer: User, text: str) -> None:
    with pytest.raises(ValidationError, match="at least 8 characters"):
        issue_key(user=photographer, name="Demo", text=text, by=None)
    assert not ApiKey.objects.exists()


@pytest.mark.parametrize("chosen", ["12345678", "drk_demo_key_of_this_clinic"])
def test_a_chosen_key_works_and_at_most_half_of_it_is_stored(photographer: User, chosen: str) -> None:
    key, text = issue_key(user=photographer, name="Demo", text=chosen, by=None)
    assert (text, find_key(chosen)) == (chosen, key)
    assert len(key.prefix) <= len(chosen) / 2
