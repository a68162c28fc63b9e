"""Groups of audit events, by which the audit page filters."""

from enum import StrEnum


class AuditGroup(StrEnum):
    """What an audit event is about."""

    VIEWS = "views"
    """Records and lists that were looked at, and refused looks."""
    PATIENTS = "patients"
    EXAMS = "exams"
    """Visits and their photographs."""
    GRADINGS = "gradings"
    """By the model."""
    READINGS = "readings"
    REFERRALS = "referrals"
    DOCUMENTS = "documents"
    MESSAGES = "messages"
    FILES = "files"
    """Imported and exported."""
    SETTINGS = "settings"
    TEACHING = "teaching"
    ACCOUNTS = "accounts"
