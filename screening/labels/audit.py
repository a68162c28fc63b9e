"""Sentences of the audit page, one for each code of an audit event, by group."""

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from screening.policy.audit import AuditGroup

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

GROUP_LABELS: dict[AuditGroup, "_StrPromise"] = {
    AuditGroup.VIEWS: _("Looks"),
    AuditGroup.PATIENTS: _("Patients"),
    AuditGroup.EXAMS: _("Exams and photographs"),
    AuditGroup.GRADINGS: _("Gradings by the model"),
    AuditGroup.READINGS: _("Readings and results"),
    AuditGroup.REFERRALS: _("Referrals"),
    AuditGroup.DOCUMENTS: _("Documents and letters"),
    AuditGroup.MESSAGES: _("Messages"),
    AuditGroup.FILES: _("Imports and exports"),
    AuditGroup.SETTINGS: _("Settings of the site"),
    AuditGroup.TEACHING: _("Teaching"),
    AuditGroup.ACCOUNTS: _("Accounts"),
}
SENTENCES: dict[AuditGroup, dict[str, "_StrPromise"]] = {
    AuditGroup.VIEWS: {
        "import.viewed": _("%(who)s viewed an import."),
        "patient.viewed": _("%(who)s viewed a patient."),
        "patients.searched": _("%(who)s searched patients."),
        "exam.viewed": _("%(who)s viewed an exam."),
        "exam.prefetched": _("%(who)s loaded an exam in advance, without showing it."),
        "image.viewed": _("%(who)s viewed a photograph."),
        "image.prefetched": _("%(who)s loaded a photograph in advance, without showing it."),
        "referral.viewed": _("%(who)s viewed a referral."),
        "request.repeated": _("%(who)s sent a request again and got its record."),
        "list.viewed": _("%(who)s viewed a list."),
        "record.viewed": _("%(who)s viewed a record."),
        "audit.viewed": _("%(who)s viewed the audit trail."),
        "access.refused": _("%(who)s was refused access."),
        "page.printed": _("%(who)s printed a page."),
    },
    AuditGroup.PATIENTS: {
        "patient.registered": _("%(who)s registered a patient."),
        "patient.updated": _("%(who)s changed a patient's details."),
        "patient.register_changed": _("%(who)s changed a person's status in the register."),
        "booking.changed": _("%(who)s recorded a booking."),
        "patient.contact_recorded": _("%(who)s recorded a contact with a person."),
        "patient.merged": _("%(who)s merged two patients."),
        "patient.unmerged": _("%(who)s parted merged patients."),
    },
    AuditGroup.EXAMS: {
        "exam.opened": _("%(who)s opened an exam."),
        "exam.submitted": _("%(who)s submitted an exam."),
        "exam.cancelled": _("%(who)s cancelled an exam."),
        "exam.eye_absent": _("%(who)s recorded an absent eye."),
        "exam.eye_not_photographed": _("%(who)s recorded an eye that was not photographed."),
        "exam.eye_unobtainable": _("%(who)s recorded an eye whose photograph cannot be obtained."),
        "exam.facts_recorded": _("%(who)s recorded facts of a visit."),
        "exam.returned": _("%(who)s returned an exam to the photographer."),
        "exam.taken_back": _("%(who)s took back a submitted exam."),
        "exam.moved": _("%(who)s moved an exam to another patient."),
        "upload.begun": _("%(who)s began to upload a file."),
        "upload.discarded": _("%(who)s deleted an upload."),
        "upload.unpacked": _("%(who)s unpacked an archive of photographs."),
        "image.attached": _("%(who)s added a photograph."),
        "image.withdrawn": _("%(who)s withdrew a photograph."),
        "image.moved": _("%(who)s moved a photograph to another patient."),
        "image.laterality_changed": _("%(who)s changed the eye of a photograph."),
        "acuity.recorded": _("%(who)s recorded a visual acuity."),
    },
    AuditGroup.GRADINGS: {
        "grading.queued": _("%(who)s queued a grading."),
        "grading.done": _("%(who)s graded a photograph."),
        "grading.failed": _("%(who)s failed to grade a photograph."),
        "grading.retried": _("%(who)s retried a grading."),
        "grading.requeued": _("%(who)s requeued a stale grading."),
        "photo.predicted": _("%(who)s graded a photograph without storing it."),
        "photo.eye_suggested": _("%(who)s recognised the eye of a photograph without storing it."),
    },
    AuditGroup.READINGS: {
        "exam.locked": _("%(who)s took an exam to read it."),
        "exam.taken_over": _("%(who)s took over an exam that a colleague was reading."),
        "exam.released": _("%(who)s released an exam without signing it."),
        "first_reading.recorded": _("%(who)s recorded a first reading."),
        "draft.saved": _("%(who)s began a draft of a reading."),
        "draft.discarded": _("%(who)s discarded a draft of a reading."),
        "reading.signed": _("%(who)s signed a reading that is not the result yet."),
        "repeat.dropped": _("%(who)s dropped a repeat of a signed exam."),
        "exam.arbitration": _("%(who)s disagreed with the first reader."),
        "exam.arbitrated": _("%(who)s decided between two readers."),
        "review.signed": _("%(who)s signed a review."),
        "review.amended": _("%(who)s amended a review."),
        "review.in_error": _("%(who)s marked a result as entered in error."),
        "exam.prioritised": _("%(who)s moved an exam to the priority band."),
    },
    AuditGroup.REFERRALS: {
        "referral.changed": _("%(who)s changed the state of a referral."),
        "referral.late": _("%(who)s found a referral late."),
    },
    AuditGroup.DOCUMENTS: {
        "document.requested": _("%(who)s requested a document."),
        "document.made": _("%(who)s made a document."),
        "document.failed": _("%(who)s failed to make a document."),
        "document.requeued": _("%(who)s requeued a stale document."),
        "document.downloaded": _("%(who)s downloaded a document."),
        "document.compared": _("%(who)s compared a file with a document."),
        "letters.requested": _("%(who)s requested letters to the people of a list."),
        "letters.made": _("%(who)s made letters to the people of a list."),
        "letters.cancelled": _("%(who)s cancelled letters to the people of a list."),
        "letters.downloaded": _("%(who)s downloaded letters to the people of a list."),
    },
    AuditGroup.MESSAGES: {
        "patient.message_queued": _("%(who)s queued a message to a person."),
        "patient.message_sent": _("%(who)s sent a message to a person."),
        "patient.message_failed": _("%(who)s did not send a message to a person."),
        "patient.message_cancelled": _("%(who)s cancelled a message to a person."),
        "site.messages_previewed": _("%(who)s previewed messages to the people of a due list."),
        "site.messages_queued": _("%(who)s queued messages to the people of a due list."),
    },
    AuditGroup.FILES: {
        "site.due_list_exported": _("%(who)s exported the due list of a site."),
        "list.exported": _("%(who)s exported a list."),
        "site.population_imported": _("%(who)s checked or imported a file of people."),
        "import.begun": _("%(who)s sent a file to import."),
        "import.answered": _("%(who)s answered questions of an import."),
        "import.applied": _("%(who)s imported a file."),
        "import.cancelled": _("%(who)s cancelled an import."),
        "import.ended": _("%(who)s deleted the data of an import."),
        "referrals.exported": _("%(who)s exported a list of referrals."),
        "marks.exported": _("%(who)s exported marks for training."),
    },
    AuditGroup.SETTINGS: {
        "site.message_text_changed": _("%(who)s changed a text of messages of a site."),
        "site.message_settings_changed": _("%(who)s changed the settings of messages of a site."),
        "site.referral_targets_changed": _("%(who)s changed the target days of referrals of a site."),
        "site.letterhead_changed": _("%(who)s changed the letterhead of a site."),
        "site.reading_targets_changed": _("%(who)s changed the reading targets of a site."),
        "site.threshold_changed": _("%(who)s changed the threshold of a site."),
        "site.outcomes_previewed": _("%(who)s previewed whom another outcome table would affect."),
        "site.protocol_changed": _("%(who)s changed the reading protocol of a site."),
        "site.outcomes_changed": _("%(who)s changed the outcome table of a site."),
        "site.reading_mode_changed": _("%(who)s changed the reading mode of a site."),
        "site.identity_changed": _("%(who)s changed whether outside readers of a site see names."),
    },
    AuditGroup.TEACHING: {
        "teaching.set_changed": _("%(who)s changed a teaching set."),
        "teaching.case_read": _("%(who)s read an exam of a teaching set."),
        "teaching.certificate_issued": _("%(who)s issued a certificate of a reader."),
    },
    AuditGroup.ACCOUNTS: {
        "api_key.issued": _("%(who)s issued an API key."),
        "api_key.revoked": _("%(who)s revoked an API key."),
        "user.password_changed": _("%(who)s changed the password."),
        "user.logged_in": _("%(who)s logged in."),
        "user.logged_out": _("%(who)s logged out."),
        "user.login_failed": _("%(who)s entered a wrong password."),
        "user.locked_out": _("%(who)s was locked out."),
        "user.lockout_notice_sent": _("%(who)s was sent a notice of wrong passwords."),
        "user.lockout_removed": _("%(who)s removed a lock-out."),
        "row.added": _("%(who)s added a row in the admin panel."),
        "row.changed": _("%(who)s changed a row in the admin panel."),
        "row.removed": _("%(who)s removed a row in the admin panel."),
    },
}
"""Of codes that are not used any more too: their events stay."""
_OF_CODE = {code: sentence for sentences in SENTENCES.values() for code, sentence in sentences.items()}


def event_sentence(code: str, who: str) -> str:
    """What ``who`` did, as a sentence. Raises KeyError for a code without one."""
    return str(_OF_CODE[code]) % {"who": who}
