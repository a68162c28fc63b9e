"""Audit events of gradings."""

from screening.models import AuditEvent, Grading, User
from screening.services.audit import new_event


def record_grading_event(verb: AuditEvent.Verb, grading: Grading, *, code: str = "", by: User | None) -> None:
    """Store ``new_grading_event``."""
    new_grading_event(verb, grading, code=code, by=by).save(force_insert=True)


def new_grading_event(verb: AuditEvent.Verb, grading: Grading, *, code: str = "", by: User | None) -> AuditEvent:
    """An audit event of a grading, which is not stored yet: its photograph, model version and attempt."""
    data: dict[str, str | float] = {"image": str(grading.image_id), "model_version": grading.model_version}
    data["attempt"] = grading.n_attempts
    if code:
        data["code"] = str(code)
    return new_event(verb=verb, subject=grading, site=grading.image.exam.site, data=data, by=by)
