"""The audit trail: one event for each action and each view of a record."""

from collections.abc import Mapping

from django.db.models import Model, Value

from screening.access import Action, is_allowed, require, require_allowed
from screening.models import AuditEvent, Membership, ProgrammeMembership, Site, User
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
    """As ``access.require`` at any site. The same query reads the roles for the events of the request."""
    facts = current_facts()
    if facts is None:
        require(user, action)
    else:
        require_allowed(_read_roles(facts, user, action))


def _role(facts: RequestFacts, site: Site | None, by: User) -> str:
    """The roles of the user at the site, at any site if None; one query for each request."""
    if by.is_superuser and facts.is_panel:
        return SUPERUSER
    if by.pk not in facts.roles:
        _read_roles(facts, by, Action.VIEW_PATIENT)
    return facts.roles[by.pk].get(None if site is None else site.pk, "")


def _read_roles(facts: RequestFacts, user: User, action: Action) -> bool:
    """Set the roles of the user at each site. Returns whether one of them allows ``action``."""
    members = Membership.objects.filter(user=user.pk).order_by()
    programmes = ProgrammeMembership.objects.filter(user=user.pk, programme__sites__isnull=False).order_by()
    rows = members.values_list("site", "role", is_allowed(user, action, site="site")).union(
        programmes.values_list(
            "programme__sites", Value(PROGRAMME_MANAGER), is_allowed(user, action, site="programme__sites")
        )
    )
    of_site: dict[object, set[str]] = {}
    is_any_allowed = False
    for site_id, role, allows in rows:
        of_site.setdefault(site_id, set()).add(role)
        of_site.setdefault(None, set()).add(role)
        is_any_allowed |= bool(allows)
    facts.roles[user.pk] = {key: ",".join(sorted(roles)) for key, roles in of_site.items()}
    return is_any_allowed
