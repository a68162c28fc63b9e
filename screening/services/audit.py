"""The audit trail: one event for each action and each view of a record."""

from collections.abc import Mapping

from django.db.models import Model

from screening.models import AuditEvent, Site, User

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
    return AuditEvent.objects.create(
        verb=verb,
        actor=by,
        object_type="" if subject is None else subject._meta.model_name or "",
        object_id="" if subject is None else str(subject.pk),
        site=site,
        data=stored,
    )
