"""Programmes: creating and renaming them, their sites, and their managers."""

from collections.abc import Collection, Mapping

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from screening.access import require_programme, require_superuser
from screening.labels.sentences import joined
from screening.models import AuditEvent, Invitation, Programme, ProgrammeMembership, Site, StaffChange, User
from screening.services.audit import record_event

Verb, Kind = AuditEvent.Verb, StaffChange.Kind


class NotAManager(ValueError):
    """The person manages the programme no more. The message is for the user."""

    def __init__(self) -> None:
        super().__init__(_("This person does not manage the programme any more."))


class SitesConflict(ValueError):
    """Another person moved sites that were to be added. The message is for the user."""

    def __init__(self, sites: list[Site]) -> None:
        names = joined(f"{site.name} ({site.programme})" if site.programme else site.name for site in sites)
        text = _("Another person changed the programme of these sites meanwhile: %(sites)s. Compare, then save again.")
        super().__init__(text % {"sites": names})


@transaction.atomic
def save_programme(*, programme: Programme, by: User) -> Programme:
    """Create or rename a programme. Raises AccessDenied, ValidationError."""
    require_superuser(by)
    programme.full_clean()
    programme.save()
    record_event(verb=Verb.PROGRAMME_CHANGED, subject=programme, site=None, by=by)
    return programme


@transaction.atomic
def change_sites(*, programme: Programme, chosen: Collection[Site], base: Mapping[str, str], by: User) -> list[Site]:
    """Make the sites of a programme those that are chosen, as far as ``by`` changed them.

    ``base``: the programme of each site that was in one when the page was opened, by ids. Sites that others moved
    meanwhile, and ``by`` did not, stay; they are returned. Raises SitesConflict, AccessDenied.
    """
    require_superuser(by)
    ours, wanted = str(programme.pk), {site.pk for site in chosen}
    sites = list(Site.objects.select_for_update().filter(is_active=True, practice_of=None).order_by("name", "pk"))
    before = {site.pk: base.get(str(site.pk), "") for site in sites}
    moved = [site for site in sites if str(site.programme_id or "") != before[site.pk]]
    added = [site for site in sites if site.pk in wanted and before[site.pk] != ours]
    conflicts = [site for site in added if site in moved and site.programme_id != programme.pk]
    if conflicts:
        raise SitesConflict(conflicts)
    for site in sites:
        if site in added:
            _set_programme(site, programme, by)
        elif before[site.pk] == ours and site.pk not in wanted and site.programme_id == programme.pk:
            _set_programme(site, None, by)
    return [site for site in moved if site not in added and ours in {before[site.pk], str(site.programme_id)}]


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
