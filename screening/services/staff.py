"""Staff of a site: giving and taking roles, deactivation. Each change is stored as a version."""

from collections.abc import Collection

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from screening.access import Action, can, require, users_for
from screening.labels.limits import too_long
from screening.models import AuditEvent, Invitation, Membership, Site, StaffChange, User
from screening.models.base import max_length
from screening.selectors.staff import StaffState, open_invitations, staff_state
from screening.services.audit import record_event
from screening.services.exam_locks import release_exams_of

Kind = StaffChange.Kind


class StaffChangeRefused(ValueError):
    """The change cannot be stored. The message is for the user."""


class StaffConflict(StaffChangeRefused):
    """Another manager changed the person after the page was opened."""


@transaction.atomic
def change_staff(
    *, site: Site, person: User, roles: Collection[str], is_active: bool, reason: str, base: str, by: User
) -> StaffChange:
    """Give a person these roles at the site, or take all of them; other sites are not affected.

    Exams that the person is reading and may not read any more are released.

    ``base``: ``StaffState.version`` when the page was opened. The same form sent twice is stored once.
    Raises StaffConflict, StaffChangeRefused, AccessDenied.
    """
    locked = Site.objects.select_for_update().get(pk=site.pk)
    require(by, Action.MANAGE_SITE, locked)
    if person.is_superuser and not by.is_superuser:
        raise StaffChangeRefused(_("Only an administrator of the installation changes what an administrator may do."))
    before, reason = staff_state(locked, person), _checked_reason(reason)
    after = tuple(sorted(set(roles))) if is_active else before.roles
    newest = StaffChange.objects.filter(site=locked, user=person).order_by("-number").first()
    if newest is not None and _is_repeated(newest, after, is_active, reason, before, by):
        return newest
    if base != before.version:
        raise StaffConflict(
            _("This person was changed meanwhile. Compare what is stored now, then enter your change again.")
        )
    _require_change(before, after, is_active=is_active)
    set_roles(locked, person, after if is_active else ())
    if not users_for(locked, Action.MANAGE_SITE).exists():
        raise StaffChangeRefused(_("This site would have no manager. Give another person that role first."))
    if not can(person, Action.REVIEW_EXAM, locked):
        release_exams_of(person=person, site=locked, by=by)
    if not is_active:
        _cancel_invitations_of(locked, person, by)
    kind = Kind.ROLES_CHANGED if before.is_active else Kind.REACTIVATED
    return store_change(
        site=locked, person=person, kind=kind if is_active else Kind.DEACTIVATED, roles=after, reason=reason, by=by
    )


@transaction.atomic
def record_added_membership(*, membership: Membership, by: User) -> None:
    """Store the version that follows from a membership that was added in the administration panel."""
    roles = staff_state(membership.site, membership.user).roles
    store_change(site=membership.site, person=membership.user, kind=Kind.ROLES_CHANGED, roles=roles, by=by)


@transaction.atomic
def remove_memberships(*, memberships: Collection[Membership], by: User) -> None:
    """Remove memberships for the administration panel, and store the versions that follow; one for each membership."""
    for membership in memberships:
        before = staff_state(membership.site, membership.user)
        membership.delete()
        after = staff_state(membership.site, membership.user)
        kind, roles = (Kind.ROLES_CHANGED, after.roles) if after.is_active else (Kind.DEACTIVATED, before.roles)
        store_change(site=membership.site, person=membership.user, kind=kind, roles=roles, by=by)


def set_roles(site: Site, person: User, roles: Collection[str]) -> None:
    """Add and remove memberships; one that stays keeps its date. The caller stores the change."""
    present = set(Membership.objects.filter(site=site, user=person).values_list("role", flat=True))
    Membership.objects.filter(site=site, user=person, role__in=present - set(roles)).delete()
    for role in sorted(set(roles) - present):
        Membership.objects.create(site=site, user=person, role=role)


def store_change(
    *,
    site: Site,
    person: User,
    kind: StaffChange.Kind,
    roles: Collection[str],
    reason: str = "",
    invitation: Invitation | None = None,
    by: User,
) -> StaffChange:
    """Add the next version of a person at a site and its audit event, in the transaction of the caller.

    Raises StaffConflict if another one was stored at the same time.
    """
    number = staff_state(site, person).number + 1
    try:
        with transaction.atomic():
            row = StaffChange.objects.create(
                site=site,
                user=person,
                number=number,
                kind=kind,
                roles=sorted(roles),
                is_active=kind != Kind.DEACTIVATED,
                reason=reason,
                invitation=invitation,
                created_by=by,
            )
    except IntegrityError:
        raise StaffConflict(_("This person was changed a moment ago. Reload the page.")) from None
    data: dict[str, str | float | bool | None] = {"change": kind.value, "version": number, "roles": ",".join(row.roles)}
    is_join = kind == Kind.JOINED
    verb = AuditEvent.Verb.INVITATION_ACCEPTED if is_join else AuditEvent.Verb.ROLES_CHANGED
    record_event(verb=verb, subject=person, site=site, data=data, by=by)
    return row


def cancel(invitation: Invitation, *, by: User) -> None:
    """Cancel an open invitation, with its change and audit event, in the transaction of the caller."""
    invitation.cancelled_at = timezone.now()
    invitation.save(update_fields=["cancelled_at"])
    StaffChange.objects.create(
        site=invitation.site,
        programme=invitation.programme,
        kind=Kind.INVITATION_CANCELLED,
        invitation=invitation,
        roles=invitation.roles,
        created_by=by,
    )
    is_of_site = invitation.site is not None
    verb = AuditEvent.Verb.INVITATION_CANCELLED if is_of_site else AuditEvent.Verb.PROGRAMME_MANAGERS_CHANGED
    data = {"change": Kind.INVITATION_CANCELLED.value}
    record_event(verb=verb, subject=invitation, site=invitation.site, data=data, by=by)


def _cancel_invitations_of(site: Site, person: User, by: User) -> None:
    """With an older link a person who was deactivated could come back."""
    if person.email:
        for invitation in open_invitations(site).filter(email__iexact=person.email).select_related("site"):
            cancel(invitation, by=by)


def _is_repeated(
    newest: StaffChange, after: tuple[str, ...], is_active: bool, reason: str, present: StaffState, by: User
) -> bool:
    is_in_force = (present.roles, present.is_active) == (tuple(newest.roles), newest.is_active)
    stored = (tuple(newest.roles), newest.is_active, newest.reason, newest.created_by_id)
    return is_in_force and stored == (after, is_active, reason, by.pk)


def _require_change(before: StaffState, after: tuple[str, ...], *, is_active: bool) -> None:
    if is_active and not after:
        raise StaffChangeRefused(_("Choose at least one role, or deactivate the person."))
    if set(after) - set(Membership.Role.values):
        raise StaffChangeRefused(_("Choose roles of the list."))
    if (before.is_active, before.roles) == (is_active, after):
        raise StaffChangeRefused(_("Nothing differs from what is stored."))


def _checked_reason(reason: str) -> str:
    limit = max_length(StaffChange, "reason")
    if len(reason.strip()) > limit:
        raise StaffChangeRefused(too_long(limit))
    return reason.strip()
