"""Programmes: creating and renaming them, their sites, and their managers."""

from collections.abc import Collection

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from screening.access import require_programme, require_superuser
from screening.models import AuditEvent, Invitation, Programme, ProgrammeMembership, Site, StaffChange, User
from screening.services.audit import record_event

Verb, Kind = AuditEvent.Verb, StaffChange.Kind


class NotAManager(ValueError):
    """The person manages the programme no more. The message is for the user."""

    def __init__(self) -> None:
        super().__init__(_("This person does not manage the programme any more."))


@transaction.atomic
def save_programme(*, programme: Programme, by: User) -> Programme:
    """Create or rename a programme. Raises AccessDenied, ValidationError."""
    require_superuser(by)
    programme.full_clean()
    programme.save()
    record_event(verb=Verb.PROGRAMME_CHANGED, subject=programme, site=None, by=by)
    return programme


@transaction.atomic
def change_sites(*, programme: Programme, added: Collection[Site], removed: Collection[Site], by: User) -> None:
    """Add sites to a programme, which leave another one, and remove sites from it. Raises AccessDenied."""
    require_superuser(by)
    for site in Site.objects.select_for_update().filter(pk__in=[one.pk for one in added]):
        _set_programme(site, programme, by)
    for site in Site.objects.select_for_update().filter(pk__in=[one.pk for one in removed], programme=programme):
        _set_programme(site, None, by)


def _set_programme(site: Site, programme: Programme | None, by: User) -> None:
    if site.programme_id == (None if programme is None else programme.pk):
        return
    data = {"from_programme": str(site.programme_id or ""), "programme": "" if programme is None else str(programme.pk)}
    site.programme = programme
    site.save(update_fields=["programme"])
    record_event(verb=Verb.SITE_PROGRAMME_CHANGED, subject=site, site=site, data=data, by=by)


def add_manager(*, programme: Programme, person: User, invitation: Invitation) -> None:
    """Make a person who accepts an invitation a manager of a programme, in the transaction of the caller."""
    ProgrammeMembership.objects.get_or_create(user=person, programme=programme)
    _store_change(programme, person, Kind.JOINED, invitation=invitation, by=person)


@transaction.atomic
def remove_manager(*, programme: Programme, person: User, by: User) -> None:
    """End the access of a manager to the sites of a programme; roles at sites stay.

    Raises NotAManager, AccessDenied.
    """
    locked = Programme.objects.select_for_update().get(pk=programme.pk)
    require_programme(by, locked)
    n_removed, _by_model = ProgrammeMembership.objects.filter(programme=locked, user=person).delete()
    if not n_removed:
        raise NotAManager
    _store_change(locked, person, Kind.DEACTIVATED, by=by)


def _store_change(
    programme: Programme, person: User, kind: StaffChange.Kind, *, invitation: Invitation | None = None, by: User
) -> None:
    number = StaffChange.objects.filter(programme=programme, user=person).count() + 1
    try:
        with transaction.atomic():
            StaffChange.objects.create(
                programme=programme,
                user=person,
                number=number,
                kind=kind,
                is_active=kind != Kind.DEACTIVATED,
                invitation=invitation,
                created_by=by,
            )
    except IntegrityError:  # SQLite has no lock on the programme
        raise NotAManager from None
    data: dict[str, str | float | bool | None] = {"change": kind.value, "programme": str(programme.pk)}
    record_event(verb=Verb.PROGRAMME_MANAGERS_CHANGED, subject=person, site=None, data=data, by=by)
