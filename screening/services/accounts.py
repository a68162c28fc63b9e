"""Accounts of people: the first administrator, and a person's own new password."""

from django.contrib.auth.password_validation import validate_password
from django.db import transaction

from screening.models import AuditEvent, User
from screening.services.audit import record_event


@transaction.atomic
def create_first_administrator(*, username: str, password: str) -> User | None:
    """Make the account that opens the administration panel, where nobody can yet; else None, and nothing changes.

    Whoever put the password into the environment knows it, so the first log-in asks for another.
    Raises ValidationError for a password that people would not be allowed either.
    """
    if User.objects.filter(is_superuser=True, is_active=True).exists():
        return None
    user = User(username=username, is_staff=True, is_superuser=True, must_change_password=True)
    validate_password(password, user)
    user.set_password(password)
    user.full_clean()
    user.save(force_insert=True)
    record_event(verb=AuditEvent.Verb.ROW_ADDED, subject=user, site=None, by=None)
    return user


@transaction.atomic
def change_password(*, password: str, by: User) -> None:
    """Give ``by`` a password of their own. A form has checked the old one, and that the new one is strong."""
    locked = User.objects.select_for_update().get(pk=by.pk)
    locked.set_password(password)
    locked.must_change_password = False
    locked.save(update_fields=["password", "must_change_password"])
    record_event(verb=AuditEvent.Verb.PASSWORD_CHANGED, subject=locked, site=None, by=by)
    by.password, by.must_change_password = locked.password, False
