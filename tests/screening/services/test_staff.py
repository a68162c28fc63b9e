"""Roles of the staff of a site, and invitations: the services."""

import datetime
from typing import Any

import pytest
from django.utils import timezone

from screening.access import AccessDenied
from screening.models import AuditEvent, Invitation, Membership, Site, StaffChange, User
from screening.selectors.staff import staff_state
from screening.services.invitations import (
    MAX_INVITATIONS,
    InvitationRefused,
    UnusableInvitation,
    accept_invitation,
    cancel_invitation,
    create_account,
    find_invitation,
    invite,
)
from screening.services.staff import StaffChangeRefused, StaffConflict, change_staff
from tests.screening.factories import MembershipFactory, UserFactory

NEW = {"username": "ada", "first_name": "Ada", "last_name": "Byron", "password": "brisk-lantern-otter"}


def change(site: Site, person: User, by: User, roles: list[str], **values: Any) -> StaffChange:
    defaults: dict[str, Any] = {"is_active": True, "reason": "", "base": staff_state(site, person).version}
    return change_staff(site=site, person=person, roles=roles, by=by, **defaults | values)


def roles_of(person: User, site: Site) -> set[str]:
    return set(Membership.objects.filter(user=person, site=site).values_list("role", flat=True))


def test_roles_are_changed_in_versions_and_the_later_manager_sees_the_conflict(
    site: Site, other_site: Site, manager: User, photographer: User
) -> None:
    MembershipFactory(user=photographer, site=other_site, role="reviewer")
    opened = staff_state(site, photographer).version
    first = change(site, photographer, manager, ["photographer", "reviewer"], reason="Trained", base=opened)
    assert change(site, photographer, manager, ["reviewer", "photographer"], reason="Trained", base=opened) == first
    second_manager = MembershipFactory(site=site, role="manager").user
    with pytest.raises(StaffConflict):
        change(site, photographer, second_manager, ["trainee"], base=opened)
    assert roles_of(photographer, site) == {"photographer", "reviewer"}
    change(site, photographer, second_manager, [], is_active=False)
    assert roles_of(photographer, site) == set()
    assert roles_of(photographer, other_site) == {"reviewer"}, "other sites are kept"
    back = change(site, photographer, manager, ["reviewer"])
    kinds = StaffChange.objects.filter(user=photographer).order_by("number").values_list("kind", flat=True)
    assert list(kinds) == ["roles", "deactivated", "reactivated"]
    assert (back.number, back.created_by, roles_of(photographer, site)) == (3, manager, {"reviewer"})
    event = AuditEvent.objects.filter(verb="site.roles_changed").latest("id")
    assert (event.actor, event.site, event.object_id) == (manager, site, str(photographer.pk))
    assert event.data == {"change": "reactivated", "version": 3, "roles": "reviewer"}


def test_what_a_manager_cannot_change(site: Site, manager: User, photographer: User, outsider: User) -> None:
    for roles, is_active in ((["reviewer"], True), ([], False)):
        with pytest.raises(StaffChangeRefused, match="no manager"):
            change(site, manager, manager, roles, is_active=is_active)
    for refused in ([], ["photographer"], ["surgeon"]):
        with pytest.raises(StaffChangeRefused):
            change(site, photographer, manager, refused)
    chief = MembershipFactory(site=site, role="manager", user=UserFactory(is_superuser=True)).user
    with pytest.raises(StaffChangeRefused, match="an administrator"):
        change(site, chief, manager, ["photographer"])
    for stranger in (photographer, outsider):
        with pytest.raises(AccessDenied):
            change(site, photographer, stranger, ["manager"])
        with pytest.raises(AccessDenied):
            invite(site=site, email="ada@example.org", roles=["manager"], by=stranger)
    assert not StaffChange.objects.exists()
    assert roles_of(manager, site) == {"manager"}


def test_an_invitation_works_once_and_is_stored_as_a_hash(site: Site, manager: User) -> None:
    invitation, code = invite(site=site, email="ada@example.org", roles=["reviewer"], reason="New", by=manager)
    assert code not in str(Invitation.objects.values()) + str(AuditEvent.objects.values())
    assert "ada@example.org" not in str(AuditEvent.objects.values())
    user = create_account(invitation_id=find_invitation(code).pk, **NEW)
    assert (user.email, user.check_password(NEW["password"])) == ("ada@example.org", True)
    assert roles_of(user, site) == {"reviewer"}
    with pytest.raises(UnusableInvitation) as used:
        find_invitation(code)
    with pytest.raises(UnusableInvitation) as unknown:
        find_invitation("x" * 43)
    assert str(used.value) == str(unknown.value)
    with pytest.raises(UnusableInvitation):
        create_account(invitation_id=invitation.pk, **NEW | {"username": "other"})
    again, _ = invite(site=site, email="ADA@example.org", roles=["reviewer"], by=manager)
    with pytest.raises(InvitationRefused, match="There is an account"):
        create_account(invitation_id=again.pk, **NEW | {"username": "other"})
    kinds = StaffChange.objects.order_by("created_at").values_list("kind", flat=True)
    assert list(kinds) == ["invited", "joined", "invited"]


def test_when_the_link_of_an_invitation_stops_working(site: Site, manager: User) -> None:
    def code() -> str:
        return invite(site=site, email="ada@example.org", roles=["reviewer"], by=manager)[1]

    first, second = code(), code()
    for unusable in (first, "", "\x00"):
        with pytest.raises(UnusableInvitation):
            find_invitation(unusable)
    cancel_invitation(invitation=find_invitation(second), by=manager)
    third = code()
    Invitation.objects.filter(cancelled_at=None).update(expires_at=timezone.now() - datetime.timedelta(seconds=1))
    fourth = code()
    sender = Membership.objects.filter(user=manager)
    sender.update(role="photographer")
    for unusable in (second, third, fourth):
        with pytest.raises(UnusableInvitation):
            find_invitation(unusable)
    sender.update(role="manager")
    assert find_invitation(fourth).expires_at > timezone.now() + datetime.timedelta(days=6)
    now = timezone.now()
    Invitation.objects.bulk_create(
        Invitation(site=site, email="x@example.org", code_hash=str(n), expires_at=now, created_by=manager)
        for n in range(MAX_INVITATIONS)
    )
    with pytest.raises(InvitationRefused, match="Very many"):
        code()


def test_an_existing_account_accepts_and_keeps_its_roles(site: Site, manager: User, outsider: User) -> None:
    invitation, _ = invite(site=site, email="o@example.org", roles=["reviewer"], by=manager)
    accept_invitation(invitation_id=invitation.pk, by=outsider)
    more, _ = invite(site=site, email="o@example.org", roles=["trainee"], by=manager)
    accept_invitation(invitation_id=more.pk, by=outsider)
    assert roles_of(outsider, site) == {"reviewer", "trainee"}
    assert Membership.objects.filter(user=outsider).exclude(site=site).count() == 3
    older, _ = invite(site=site, email="o@example.org", roles=["manager"], by=manager)
    change(site, outsider, manager, [], is_active=False)
    with pytest.raises(InvitationRefused, match="access was ended"):
        accept_invitation(invitation_id=older.pk, by=outsider)
    User.objects.filter(pk=outsider.pk).update(email="O@example.org")
    outsider.refresh_from_db()
    newer, _ = invite(site=site, email="o@example.org", roles=["trainee"], by=manager)
    accept_invitation(invitation_id=newer.pk, by=outsider)
    open_one, code = invite(site=site, email="o@example.org", roles=["manager"], by=manager)
    change(site, outsider, manager, [], is_active=False)
    open_one.refresh_from_db()
    assert open_one.cancelled_at is not None, f"{code} would let the person come back"
