"""User accounts: the first administrator, and changing a password."""

from django.contrib.auth.password_validation import validate_password
from django.db import transaction

from screening.models import AuditEvent, User
from screening.services.audit import record_event


@transaction.atomic
def create_first_administrator(*, username: str, password: str) -> User | None:
    """Create a superuser who must change the password at the first log-in. None if there is an active superuser.

    Raises ValidationError for a weak password.
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
    """Change the password of ``by``. The form has checked the old password and the strength of the new one."""
    locked = User.objects.select_for_update().get(pk=by.pk)
    locked.set_password(password)
    locked.must_change_password = False
    locked.save(update_fields=["password", "must_change_password"])
    record_event(verb=AuditEvent.Verb.PASSWORD_CHANGED, subject=locked, site=None, by=by)
    by.password, by.must_change_password = locked.password, False
