"""The audit trail: one event for each action and each view of a record."""

from collections.abc import Mapping

from django.db.models import Model, Value

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
    stored = dict(data or {})
    if not all(isinstance(value, _PLAIN) for value in stored.values()):
        raise TypeError("Audit data holds plain ids and codes only.")
    facts = current_facts()
    if facts is not None:
        facts.n_events += 1
    return AuditEvent.objects.create(
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


def _role(facts: RequestFacts, site: Site | None, by: User) -> str:
    """The roles of the user at the site, at any site if None; one query for each request."""
    if by.is_superuser and facts.is_panel:
        return SUPERUSER
    if by.pk not in facts.roles:
        rows = (
            Membership.objects.filter(user=by.pk)
            .order_by()
            .values_list("site", "role")
            .union(
                ProgrammeMembership.objects.filter(user=by.pk, programme__sites__isnull=False)
                .order_by()
                .values_list("programme__sites", Value(PROGRAMME_MANAGER))
            )
        )
        of_site: dict[object, set[str]] = {}
        for site_id, role in rows:
            of_site.setdefault(site_id, set()).add(role)
            of_site.setdefault(None, set()).add(role)
        facts.roles[by.pk] = {key: ",".join(sorted(roles)) for key, roles in of_site.items()}
    return facts.roles[by.pk].get(None if site is None else site.pk, "")
