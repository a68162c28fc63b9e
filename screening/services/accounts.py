"""User accounts: the first administrator, changing a password, counting failed log-ins."""

from django.contrib.auth.password_validation import validate_password
from django.db import transaction
from django.db.models import F

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


def record_failed_login(*, username: str) -> None:
    """Count a wrong password, for the notice after the next log-in. An unknown user name is not stored."""
    User.objects.filter(username=username).update(n_failed_logins=F("n_failed_logins") + 1)


def clear_failed_logins(*, by: User) -> int:
    """Wrong passwords entered for the account of ``by`` since the last call."""
    n_failed = by.n_failed_logins
    if n_failed:
        User.objects.filter(pk=by.pk).update(n_failed_logins=F("n_failed_logins") - n_failed)
    return n_failed
