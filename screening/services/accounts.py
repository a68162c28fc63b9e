"""User accounts: the first administrator, changing a password, counting failed log-ins."""

import logging
import uuid
from functools import partial

from celery import current_app
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from kombu.exceptions import OperationalError

from screening.labels.dates import moment_text
from screening.models import AuditEvent, User
from screening.services.audit import record_event

logger = logging.getLogger(__name__)
LOCKOUT_NOTICE_TASK = "screening.tasks.send_lockout_notice"


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


def choose_language(*, language: str, by: User) -> None:
    """Show pages to ``by`` in this language; empty: in that of the browser. No patient data, so no audit event."""
    by.language = language
    by.save(update_fields=["language"])


def record_failed_login(*, username: str) -> None:
    """Count a wrong password, for the notice after the next log-in. An unknown user name is not stored."""
    User.objects.filter(username=username).update(n_failed_logins=F("n_failed_logins") + 1)


def queue_lockout_notice(*, username: str) -> None:
    """Let a worker send a notice to the person whose account is guessed: one in each lock-out, if it has an address."""
    now = timezone.now()
    is_due = Q(lockout_notice_at__isnull=True) | Q(lockout_notice_at__lte=now - settings.AXES_COOLOFF_TIME)
    accounts = User.objects.filter(is_due, username=username, is_active=True).exclude(email="")
    for user_id in accounts.values_list("pk", flat=True):
        if User.objects.filter(is_due, pk=user_id).update(lockout_notice_at=now):
            transaction.on_commit(partial(_publish_lockout_notice, user_id))


def _publish_lockout_notice(user_id: uuid.UUID) -> None:
    try:
        current_app.send_task(LOCKOUT_NOTICE_TASK, args=[str(user_id)], retry=False)
    except OperationalError:
        logger.warning("The broker is unavailable: user %s is not sent the notice of wrong passwords", user_id)


def send_lockout_notice(*, user_id: uuid.UUID) -> None:
    """Send the notice of wrong passwords. It has the user name and the time, and nothing about patients."""
    user = User.objects.get(pk=user_id)
    with translation.override(user.language or settings.LANGUAGE_CODE):
        subject, text = _lockout_notice(user)
    try:
        user.email_user(subject, text)
    except OSError as error:  # smtplib.SMTPException is an OSError
        logger.warning("The notice of wrong passwords was not sent to user %s (%s)", user_id, type(error).__name__)
        return
    record_event(verb=AuditEvent.Verb.LOCKOUT_NOTICE_SENT, subject=user, site=None, by=None)


def _lockout_notice(user: User) -> tuple[str, str]:
    at = timezone.localtime(user.lockout_notice_at)
    minutes = int(settings.AXES_COOLOFF_TIME.total_seconds() // 60)
    text = ngettext(
        "At %(at)s (%(zone)s), too many wrong passwords had been entered for your account %(username)s. It is locked "
        "for %(minutes)d minute at the addresses from which they came.\n\n"
        "If that was not you, tell your administrator, and change your password after your next log-in.",
        "At %(at)s (%(zone)s), too many wrong passwords had been entered for your account %(username)s. It is locked "
        "for %(minutes)d minutes at the addresses from which they came.\n\n"
        "If that was not you, tell your administrator, and change your password after your next log-in.",
        minutes,
    )
    facts = {"at": moment_text(at), "zone": at.tzname(), "username": user.get_username(), "minutes": minutes}
    return _("Too many wrong passwords for your account"), text % facts


def clear_failed_logins(*, by: User) -> int:
    """Wrong passwords entered for the account of ``by`` since the last call."""
    n_failed = by.n_failed_logins
    if n_failed:
        User.objects.filter(pk=by.pk).update(n_failed_logins=F("n_failed_logins") - n_failed)
    return n_failed
