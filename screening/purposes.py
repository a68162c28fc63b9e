"""Purposes that a client of the API may give for its requests."""

from screening.models import AuditEvent

PURPOSE_HEADER = "X-Purpose-Of-Use"
CLIENT_PURPOSES = tuple(one.value for one in AuditEvent.Purpose if one is not AuditEvent.Purpose.SYSTEM)
