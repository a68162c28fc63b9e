"""The audit trail: one event for each action and each view of a record."""

from collections.abc import Iterable, Mapping

from django.db.models import Model

from screening.access import Action, allows_any, require_allowed
from screening.held_roles import HeldRole, held_roles, roles_at_authentication
from screening.models import AuditEvent, Site, User
from screening.request_facts import RequestFacts, current_facts

SUPERUSER, PROGRAMME_MANAGER = "superuser", "programme_manager"
_PLAIN = (str, int, float, bool, type(None))


def record_event(
    *,
    verb: AuditEvent.Verb,
    subject: Model | None,
    site: Site | None,
    data: Mapping[str, str | float | bool | None] | None = None,
    by: User | None,
) -> AuditEvent:
    """Add an audit event in the caller's transaction: no action is stored without its event.

    ``data`` holds ids and codes only. ``by`` is None for actions of the system.
    Raises TypeError for other data: a model or a form would hold a patient's data.
    """
    event = new_event(verb=verb, subject=subject, site=site, data=data, by=by)
    event.save(force_insert=True)
    return event


def new_event(
    *,
    verb: AuditEvent.Verb,
    subject: Model | None,
    site: Site | None,
    data: Mapping[str, str | float | bool | None] | None = None,
    by: User | None,
) -> AuditEvent:
    """As ``record_event``, for ``AuditEvent.objects.bulk_create``: the caller stores it, with others of its action."""
    stored = dict(data or {})
    if not all(isinstance(value, _PLAIN) for value in stored.values()):
        raise TypeError("Audit data holds plain ids and codes only.")
    facts = current_facts()
    if facts is not None:
        facts.n_events += 1
    return AuditEvent(
        **_request_fields(facts, site=site, by=by),
        verb=verb,
        actor=by,
        object_type="" if subject is None else subject._meta.model_name or "",
        object_id="" if subject is None else str(subject.pk),
        site=site,
        data=stored,
    )


def _request_fields(facts: RequestFacts | None, *, site: Site | None, by: User | None) -> dict[str, str | None]:
    if facts is None:
        return {"purpose": AuditEvent.Purpose.SYSTEM if by is None else ""}
    return {
        "address": facts.address,
        "request_id": facts.request_id,
        "key_id": facts.key_id,
        "purpose": facts.purpose,
        "role": "" if by is None else _role(facts, site, by),
    }


def require_role(user: User, action: Action) -> None:
    """As ``access.require`` at any site. The same roles are those of the events of the request."""
    facts, held = current_facts(), roles_at_authentication(user.pk)
    if facts is not None:
        _store_roles(facts, user, held)
    require_allowed(user.is_active and allows_any(held, action))


def _role(facts: RequestFacts, site: Site | None, by: User) -> str:
    """The roles of the user at the site, at any site if None; one query for each request."""
    if by.is_superuser and facts.is_panel:
        return SUPERUSER
    if by.pk not in facts.roles:
        _store_roles(facts, by, held_roles(by.pk))
    return facts.roles[by.pk].get(None if site is None else site.pk, "")


def _store_roles(facts: RequestFacts, user: User, held: Iterable[HeldRole]) -> None:
    """Set the roles of the user at each site."""
    of_site: dict[object, set[str]] = {}
    for one in held:
        role = one.role or PROGRAMME_MANAGER
        of_site.setdefault(one.site_id, set()).add(role)
        of_site.setdefault(None, set()).add(role)
    facts.roles[user.pk] = {key: ",".join(sorted(roles)) for key, roles in of_site.items()}
