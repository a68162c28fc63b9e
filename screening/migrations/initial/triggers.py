"""Triggers that keep the rows of append-only tables as they were written."""

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from screening.append_only import AppendOnlyTriggers

AUDIT = AppendOnlyTriggers(("screening_auditevent", "screening_firstreading"), "screening_refuse_change")
CORRECTIONS = AppendOnlyTriggers(("screening_correction",), "screening_refuse_correction_change")
OUTCOME_TABLES = AppendOnlyTriggers(("screening_siteoutcometable",), "screening_refuse_outcome_table_change")
REGISTER = AppendOnlyTriggers(("screening_registerentry",), "screening_refuse_register_change")
REFERRALS = AppendOnlyTriggers(
    ("screening_referralevent", "screening_referralfeedback"), "screening_refuse_referral_history_change"
)
CONTACTS = AppendOnlyTriggers(("screening_contactattempt",), "screening_refuse_contact_change")
PROTOCOLS = AppendOnlyTriggers(("screening_siteprotocol",), "screening_refuse_protocol_change")
MESSAGES = AppendOnlyTriggers(
    ("screening_messageevent", "screening_messagetemplate"), "screening_refuse_message_change"
)
LETTERHEADS = AppendOnlyTriggers(("screening_letterhead",), "screening_refuse_letterhead_change")
DOCUMENTS = AppendOnlyTriggers(("screening_document",), "screening_refuse_document_change", when="OLD.status = 'done'")
READINGS = AppendOnlyTriggers(("screening_reading", "screening_readingeye"), "screening_refuse_reading_change")
TEACHING = AppendOnlyTriggers(
    ("screening_teachingreading", "screening_teachingcertificate"), "screening_refuse_teaching_change"
)
STAFF = AppendOnlyTriggers(("screening_staffchange",), "screening_refuse_staff_change")
_TRIGGERS = (
    AUDIT,
    CORRECTIONS,
    OUTCOME_TABLES,
    REGISTER,
    REFERRALS,
    CONTACTS,
    PROTOCOLS,
    MESSAGES,
    LETTERHEADS,
    DOCUMENTS,
    READINGS,
    TEACHING,
    STAFF,
)


def create_all(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """In one operation: for each one Django makes the classes of all models again, which takes 0.1 s."""
    for triggers in _TRIGGERS:
        triggers.create(apps, schema_editor)


def drop_all(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    for triggers in _TRIGGERS:
        triggers.drop(apps, schema_editor)
