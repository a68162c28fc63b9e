"""Invitations to a site, or to manage a programme: sending, cancelling, accepting with any account."""

import hashlib
import logging
import secrets
import uuid
from collections.abc import Collection

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.mail import send_mail
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from screening.access import Action, can, programmes_for, require, require_programme
from screening.labels.dates import moment_text
from screening.models import AuditEvent, Invitation, Membership, Programme, Site, StaffChange, User
from screening.models.staff import INVITATION_VALID_FOR
from screening.policy.messages import MessageChannel
from screening.selectors.programmes import open_manager_invitations
from screening.selectors.staff import open_invitations, staff_state
from screening.services.audit import record_event
from screening.services.message_channels import available_channels
from screening.services.programmes import add_manager
from screening.services.staff import StaffChangeRefused, cancel, set_roles, store_change

logger = logging.getLogger(__name__)
_N_BYTES = 32
"""256 random bits: too many to guess, so that an unsalted SHA-256 is safe."""
MAX_INVITATIONS = 100
"""Of a site within their validity, so that no account can send mail without end."""


class UnusableInvitation(ValueError):
    """The code is unknown, used, cancelled or expired. The message is the same for all of them."""

    def __init__(self) -> None:
        super().__init__(
            _(
                "This link does not work. A link works once, for 7 days, and until a newer one is sent. "
                "Ask the person who invited you for a new one."
            )
        )


class InvitationRefused(StaffChangeRefused):
    """The invitation cannot be sent or accepted. The message is for the user."""


@transaction.atomic
def invite(*, site: Site, email: str, roles: Collection[str], reason: str = "", by: User) -> tuple[Invitation, str]:
    """Create an invitation; returns it with its code, which is not stored. An open one to the address is cancelled.

    Nothing depends on whether there is an account with the address. Raises InvitationRefused, AccessDenied.
    """
    locked = Site.objects.select_for_update().get(pk=site.pk)
    require(by, Action.MANAGE_SITE, locked)
    if not roles or set(roles) - set(Membership.Role.values):
        raise InvitationRefused(_("Choose at least one role."))
    _cancel_earlier(open_invitations(locked), email, by)
    return _store(Invitation(site=locked, email=email, roles=sorted(set(roles)), created_by=by), reason)


@transaction.atomic
def invite_manager(*, programme: Programme, email: str, reason: str = "", by: User) -> tuple[Invitation, str]:
    """Create an invitation to manage a programme; as ``invite``. Raises InvitationRefused, AccessDenied."""
    locked = Programme.objects.select_for_update().get(pk=programme.pk)
    require_programme(by, locked)
    _cancel_earlier(open_manager_invitations(locked), email, by)
    return _store(Invitation(programme=locked, email=email, created_by=by), reason)


def _cancel_earlier(invitations: QuerySet[Invitation], email: str, by: User) -> None:
    for earlier in invitations.filter(email__iexact=email):
        cancel(earlier, by=by)


def _store(invitation: Invitation, reason: str) -> tuple[Invitation, str]:
    """Store an invitation with its change and audit event; returns it with its code. Raises InvitationRefused."""
    now = timezone.now()
    recent = Invitation.objects.filter(created_at__gt=now - INVITATION_VALID_FOR)
    recent = recent.filter(site=invitation.site, programme=invitation.programme)
    if recent.count() >= MAX_INVITATIONS:
        raise InvitationRefused(_("Very many invitations were sent in a week. Try again in a few days."))
    code = secrets.token_urlsafe(_N_BYTES)
    invitation.code_hash, invitation.expires_at = _hash(code), now + INVITATION_VALID_FOR
    invitation.save(force_insert=True)
    StaffChange.objects.create(
        site=invitation.site,
        programme=invitation.programme,
        kind=StaffChange.Kind.INVITED,
        invitation=invitation,
        roles=invitation.roles,
        reason=reason.strip(),
        created_by=invitation.created_by,
    )
    is_of_site = invitation.site is not None
    verb = AuditEvent.Verb.STAFF_INVITED if is_of_site else AuditEvent.Verb.PROGRAMME_MANAGER_INVITED
    data = {"roles": ",".join(invitation.roles)}
    record_event(verb=verb, subject=invitation, site=invitation.site, data=data, by=invitation.created_by)
    return invitation, code


def can_send_mail() -> bool:
    """Whether this installation has a mail server."""
    return MessageChannel.EMAIL in available_channels()


def mail_invitation(*, invitation: Invitation, link: str) -> bool:
    """Send the link; False if the mail server did not take it. NB: not in a task, whose arguments are stored."""
    text = _(
        "%(who)s invites you to work at %(site)s, in the eye screening software.\n"
        "Your roles: %(roles)s.\n\n"
        "Open this link and follow the page. It works once, until %(at)s:\n%(link)s\n\n"
        "If you did not expect this message, delete it."
    )
    values = {
        "who": invitation.created_by,
        "site": invitation.workplace,
        "roles": ", ".join(invitation.role_labels),
        "at": moment_text(invitation.expires_at, invitation.zone),
        "link": link,
    }
    subject = _("Invitation to %(site)s") % {"site": invitation.workplace}
    try:
        send_mail(subject, text % values, None, [invitation.email])
    except OSError as error:  # smtplib.SMTPException is an OSError
        logger.warning("The invitation %s was not sent (%s)", invitation.pk, type(error).__name__)
        return False
    Invitation.objects.filter(pk=invitation.pk).update(is_mailed=True)
    return True


@transaction.atomic
def cancel_invitation(*, invitation: Invitation, by: User) -> None:
    """Cancel an invitation; one that is not open stays as it is. Raises AccessDenied."""
    if invitation.programme is not None:
        require_programme(by, invitation.programme)
    else:
        require(by, Action.MANAGE_SITE, invitation.site)
    locked = Invitation.objects.select_for_update().filter(pk=invitation.pk, used_at=None, cancelled_at=None).first()
    if locked is not None:
        cancel(locked, by=by)


def find_invitation(code: str) -> Invitation:
    """The invitation with this code. Raises UnusableInvitation."""
    return _usable(_invitations().filter(code_hash=_hash(code)).first())


def get_invitation(invitation_id: uuid.UUID) -> Invitation:
    """An invitation that was found by its code. Raises UnusableInvitation if its link does not work any more."""
    return _usable(_invitations().filter(pk=invitation_id).first())


@transaction.atomic
def create_account(*, invitation_id: uuid.UUID, username: str, first_name: str, last_name: str, password: str) -> User:
    """Accept an invitation with a new account. One person has one account: its address must be new.

    Raises UnusableInvitation, InvitationRefused, ValidationError.
    """
    invitation = _locked(invitation_id)
    if User.objects.filter(email__iexact=invitation.email).exists():
        raise InvitationRefused(
            _("There is an account with the address of this invitation. Log in with it, then accept the invitation.")
        )
    user = User(username=username, first_name=first_name, last_name=last_name, email=invitation.email)
    validate_password(password, user)
    user.set_password(password)
    user.full_clean()
    try:
        with transaction.atomic():
            user.save(force_insert=True)
    except IntegrityError:  # another person chose the same user name in the same moment
        raise ValidationError({"username": user.unique_error_message(User, ("username",))}) from None
    _join(invitation, user)
    return user


@transaction.atomic
def accept_invitation(*, invitation_id: uuid.UUID, by: User) -> Invitation:
    """Accept an invitation with the account of ``by``, whose roles at the site stay.

    Raises UnusableInvitation; InvitationRefused if the person was deactivated there after it was sent.
    """
    invitation = _locked(invitation_id)
    changes = StaffChange.objects.filter(site=invitation.site, programme=invitation.programme, user=by)
    newest = changes.order_by("-number").first()
    if newest is not None and not newest.is_active and newest.created_at > invitation.created_at:
        raise InvitationRefused(_("Your access was ended after this invitation. Ask a manager."))
    _join(invitation, by)
    return invitation


def _invitations() -> QuerySet[Invitation]:
    return Invitation.objects.select_related("site", "programme", "created_by")


def _locked(invitation_id: uuid.UUID) -> Invitation:
    rows = Invitation.objects.select_for_update(of=("self",)).select_related("site", "programme", "created_by")
    return _usable(rows.filter(pk=invitation_id).first())


def _usable(invitation: Invitation | None) -> Invitation:
    """Raises UnusableInvitation unless the link works and its sender still manages the site."""
    is_open = (
        invitation is not None
        and invitation.used_at is None
        and invitation.cancelled_at is None
        and invitation.expires_at > timezone.now()
        and _may_invite(invitation)
    )
    if invitation is None or not is_open:
        raise UnusableInvitation
    return invitation


def _may_invite(invitation: Invitation) -> bool:
    """Whether its sender still manages the site or the programme."""
    if invitation.programme is not None:
        return programmes_for(invitation.created_by).filter(pk=invitation.programme.pk).exists()
    return can(invitation.created_by, Action.MANAGE_SITE, invitation.site)


def _join(invitation: Invitation, user: User) -> None:
    invitation.used_at = timezone.now()
    invitation.save(update_fields=["used_at"])
    kind = StaffChange.Kind.JOINED
    if invitation.programme is not None:
        add_manager(programme=invitation.programme, person=user, invitation=invitation)
    elif invitation.site is not None:
        present = staff_state(invitation.site, user)
        roles = {*invitation.roles, *(present.roles if present.is_active else ())}
        set_roles(invitation.site, user, roles)
        store_change(site=invitation.site, person=user, kind=kind, roles=roles, invitation=invitation, by=user)


def _hash(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
