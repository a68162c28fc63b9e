"""Audit events: who did what, and when. Rows are added and never changed."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models.fields.json import KT
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from screening.models.sites import Site

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


def verb_choices() -> "list[tuple[str, _StrPromise]]":
    """Verbs with their labels: a callable, so that a new verb needs no migration."""
    return AuditEvent.Verb.choices


class AuditEvent(models.Model):
    """One audited action. Append-only: database triggers refuse UPDATE, DELETE and TRUNCATE.

    Type and id name the object, not a foreign key: deleting the object leaves the event. ``data`` holds ids and codes
    only, never a patient's name, number or date. ``role``, ``purpose``, ``address``, ``request_id`` and ``key_id`` are
    those of the request; a task has a purpose only.
    """

    class Verb(models.TextChoices):
        PATIENT_REGISTERED = "patient.registered", _("registered a patient")
        PATIENT_UPDATED = "patient.updated", _("changed a patient's details")
        REGISTER_CHANGED = "patient.register_changed", _("changed a person's status in the register")
        BOOKING_CHANGED = "booking.changed", _("recorded a booking")
        CONTACT_RECORDED = "patient.contact_recorded", _("recorded a contact with a person")
        MESSAGE_QUEUED = "patient.message_queued", _("queued a message to a person")
        MESSAGE_SENT = "patient.message_sent", _("sent a message to a person")
        MESSAGE_FAILED = "patient.message_failed", _("did not send a message to a person")
        MESSAGE_CANCELLED = "patient.message_cancelled", _("cancelled a message to a person")
        MESSAGES_PREVIEWED = "site.messages_previewed", _("previewed messages to the people of a due list")
        MESSAGES_QUEUED = "site.messages_queued", _("queued messages to the people of a due list")
        MESSAGE_TEXT_CHANGED = "site.message_text_changed", _("changed a text of messages of a site")
        MESSAGE_SETTINGS_CHANGED = "site.message_settings_changed", _("changed the settings of messages of a site")
        DUE_LIST_EXPORTED = "site.due_list_exported", _("exported the due list of a site")  # until 0.2
        LIST_EXPORTED = "list.exported", _("exported a list")
        POPULATION_IMPORTED = "site.population_imported", _("checked or imported a file of people")  # until 0.2
        IMPORT_BEGUN = "import.begun", _("sent a file to import")
        IMPORT_ANSWERED = "import.answered", _("answered questions of an import")
        IMPORT_APPLIED = "import.applied", _("imported a file")
        IMPORT_CANCELLED = "import.cancelled", _("cancelled an import")
        IMPORT_ENDED = "import.ended", _("deleted the data of an import")
        IMPORT_VIEWED = "import.viewed", _("viewed an import")
        PATIENT_VIEWED = "patient.viewed", _("viewed a patient")
        PATIENTS_SEARCHED = "patients.searched", _("searched patients")
        PATIENTS_MERGED = "patient.merged", _("merged two patients")
        PATIENTS_UNMERGED = "patient.unmerged", _("parted merged patients")
        EXAM_OPENED = "exam.opened", _("opened an exam")
        EXAM_VIEWED = "exam.viewed", _("viewed an exam")
        EXAM_SUBMITTED = "exam.submitted", _("submitted an exam")
        EXAM_CANCELLED = "exam.cancelled", _("cancelled an exam")
        EYE_ABSENT = "exam.eye_absent", _("recorded an absent eye")
        EYE_NOT_PHOTOGRAPHED = "exam.eye_not_photographed", _("recorded an eye that was not photographed")
        EYE_UNOBTAINABLE = "exam.eye_unobtainable", _("recorded an eye whose photograph cannot be obtained")
        FACTS_RECORDED = "exam.facts_recorded", _("recorded facts of a visit")
        EXAM_RETURNED = "exam.returned", _("returned an exam to the photographer")
        EXAM_TAKEN_BACK = "exam.taken_back", _("took back a submitted exam")
        EXAM_LOCKED = "exam.locked", _("took an exam to read it")
        EXAM_TAKEN_OVER = "exam.taken_over", _("took over an exam that a colleague was reading")
        EXAM_RELEASED = "exam.released", _("released an exam without signing it")
        EXAM_PREFETCHED = "exam.prefetched", _("loaded an exam in advance, without showing it")
        EXAM_MOVED = "exam.moved", _("moved an exam to another patient")
        UPLOAD_BEGUN = "upload.begun", _("began to upload a file")
        UPLOAD_DISCARDED = "upload.discarded", _("deleted an upload")
        ARCHIVE_UNPACKED = "upload.unpacked", _("unpacked an archive of photographs")
        IMAGE_ATTACHED = "image.attached", _("added a photograph")
        IMAGE_VIEWED = "image.viewed", _("viewed a photograph")
        IMAGE_PREFETCHED = "image.prefetched", _("loaded a photograph in advance, without showing it")
        IMAGE_WITHDRAWN = "image.withdrawn", _("withdrew a photograph")
        IMAGE_MOVED = "image.moved", _("moved a photograph to another patient")
        LATERALITY_CHANGED = "image.laterality_changed", _("changed the eye of a photograph")
        GRADING_QUEUED = "grading.queued", _("queued a grading")
        GRADING_DONE = "grading.done", _("graded a photograph")
        GRADING_FAILED = "grading.failed", _("failed to grade a photograph")
        GRADING_RETRIED = "grading.retried", _("retried a grading")
        GRADING_REQUEUED = "grading.requeued", _("requeued a stale grading")
        REGRADING_BEGUN = "regrading.begun", _("began to grade photographs again")
        REGRADING_CHANGED = "regrading.changed", _("paused, resumed or cancelled a re-grading")
        PHOTO_PREDICTED = "photo.predicted", _("graded a photograph without storing it")
        EYE_SUGGESTED = "photo.eye_suggested", _("recognised the eye of a photograph without storing it")
        ACUITY_RECORDED = "acuity.recorded", _("recorded a visual acuity")
        FIRST_READING_RECORDED = "first_reading.recorded", _("recorded a first reading")
        DRAFT_SAVED = "draft.saved", _("began a draft of a reading")
        DRAFT_DISCARDED = "draft.discarded", _("discarded a draft of a reading")
        READING_SIGNED = "reading.signed", _("signed a reading that is not the result yet")
        REPEAT_DROPPED = "repeat.dropped", _("dropped a repeat of a signed exam")
        ARBITRATION_DEMANDED = "exam.arbitration", _("disagreed with the first reader")
        EXAM_ARBITRATED = "exam.arbitrated", _("decided between two readers")
        REVIEW_SIGNED = "review.signed", _("signed a review")
        REVIEW_AMENDED = "review.amended", _("amended a review")
        REVIEW_IN_ERROR = "review.in_error", _("marked a result as entered in error")
        REFERRAL_CHANGED = "referral.changed", _("changed the state of a referral")
        REFERRAL_VIEWED = "referral.viewed", _("viewed a referral")
        REFERRAL_TARGETS_CHANGED = "site.referral_targets_changed", _("changed the target days of referrals of a site")
        REFERRAL_LATE = "referral.late", _("found a referral late")
        REFERRALS_EXPORTED = "referrals.exported", _("exported a list of referrals")  # until 0.2
        DOCUMENT_REQUESTED = "document.requested", _("requested a document")
        DOCUMENT_MADE = "document.made", _("made a document")
        DOCUMENT_FAILED = "document.failed", _("failed to make a document")
        DOCUMENT_REQUEUED = "document.requeued", _("requeued a stale document")
        DOCUMENT_DOWNLOADED = "document.downloaded", _("downloaded a document")
        DOCUMENT_COMPARED = "document.compared", _("compared a file with a document")
        LETTERS_REQUESTED = "letters.requested", _("requested letters to the people of a list")
        LETTERS_MADE = "letters.made", _("made letters to the people of a list")
        LETTERS_CANCELLED = "letters.cancelled", _("cancelled letters to the people of a list")
        LETTERS_DOWNLOADED = "letters.downloaded", _("downloaded letters to the people of a list")
        LETTERS_FILES_DELETED = "letters.files_deleted", _("deleted files of letters to the people of a list")
        LETTERHEAD_CHANGED = "site.letterhead_changed", _("changed the letterhead of a site")
        MARKS_EXPORTED = "marks.exported", _("exported marks for training")
        API_KEY_ISSUED = "api_key.issued", _("issued an API key")
        API_KEY_REVOKED = "api_key.revoked", _("revoked an API key")
        REQUEST_REPEATED = "request.repeated", _("sent a request again and got its record")
        STAFF_INVITED = "site.staff_invited", _("invited a person to a site")
        INVITATION_CANCELLED = "site.invitation_cancelled", _("cancelled an invitation to a site")
        INVITATION_ACCEPTED = "site.invitation_accepted", _("accepted an invitation to a site")
        PROGRAMME_CHANGED = "programme.changed", _("created or renamed a programme")
        PROGRAMME_MANAGER_INVITED = "programme.manager_invited", _("invited a person to manage a programme")
        PROGRAMME_MANAGERS_CHANGED = "programme.managers_changed", _("changed who manages a programme")
        SITE_PROGRAMME_CHANGED = "site.programme_changed", _("changed the programme of a site")
        ROLES_CHANGED = "site.roles_changed", _("changed what a person may do at a site")
        PASSWORD_CHANGED = "user.password_changed", _("changed the password")
        READING_TARGETS_CHANGED = "site.reading_targets_changed", _("changed the reading targets of a site")
        EXAM_PRIORITISED = "exam.prioritised", _("moved an exam to the priority band")
        THRESHOLD_CHANGED = "site.threshold_changed", _("changed the threshold of a site")
        OUTCOMES_PREVIEWED = "site.outcomes_previewed", _("previewed whom another outcome table would affect")
        BUNDLE_REGISTERED = "bundle.registered", _("registered a model")
        ACTIVATION_CHANGED = "site.activation_changed", _("changed the bundle that grades at a site")
        SHADOW_CHANGED = "site.shadow_changed", _("changed the shadow mode of a site")
        PROTOCOL_CHANGED = "site.protocol_changed", _("changed the reading protocol of a site")
        OUTCOMES_CHANGED = "site.outcomes_changed", _("changed the outcome table of a site")
        READING_MODE_CHANGED = "site.reading_mode_changed", _("changed the reading mode of a site")
        FIRST_RUN_CLOSED = "site.first_run_closed", _("closed the first steps of a site")
        GENERAL_CHANGED = "site.general_changed", _("changed the name, time zone or languages of a site")
        CAPTURE_CHANGED = "site.capture_changed", _("changed which photographs and facts a site requires")
        RECALL_DAYS_CHANGED = "site.recall_days_changed", _("changed the days of call and recall of a site")
        IDENTITY_CHANGED = "site.identity_changed", _("changed whether outside readers of a site see names")
        TEACHING_SET_CHANGED = "teaching.set_changed", _("changed a teaching set")
        TEACHING_CASE_READ = "teaching.case_read", _("read an exam of a teaching set")
        CERTIFICATE_ISSUED = "teaching.certificate_issued", _("issued a certificate of a reader")
        LIST_VIEWED = "list.viewed", _("viewed a list")
        RECORD_VIEWED = "record.viewed", _("viewed a record")
        AUDIT_VIEWED = "audit.viewed", _("viewed the audit trail")
        ACCESS_REFUSED = "access.refused", _("was refused access")
        PAGE_PRINTED = "page.printed", _("printed a page")
        LOGGED_IN = "user.logged_in", _("logged in")
        LOGGED_OUT = "user.logged_out", _("logged out")
        LOGIN_FAILED = "user.login_failed", _("entered a wrong password")
        LOCKED_OUT = "user.locked_out", _("was locked out")
        LOCKOUT_NOTICE_SENT = "user.lockout_notice_sent", _("was sent a notice of wrong passwords")
        LOCKOUT_REMOVED = "user.lockout_removed", _("removed a lock-out")
        ROW_ADDED = "row.added", _("added a row in the admin panel")
        ROW_CHANGED = "row.changed", _("changed a row in the admin panel")
        ROW_REMOVED = "row.removed", _("removed a row in the admin panel")

    class Purpose(models.TextChoices):
        """Why data are processed: codes of HL7's PurposeOfUse, and one for tasks."""

        TREATMENT = "TREAT", _("Treatment")
        EMERGENCY = "ETREAT", _("Treatment in an emergency")
        OPERATIONS = "HOPERAT", _("Operation of the clinic")
        QUALITY = "HQUALIMP", _("Improvement of quality")
        RESEARCH = "HRESCH", _("Research")
        PATIENT_REQUEST = "PATRQT", _("Request of the patient")
        SYSTEM = "SYSTEM", _("Task of the system")

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(_("at"), default=timezone.now, editable=False, db_index=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True)
    verb = models.CharField(_("verb"), max_length=40, choices=verb_choices)
    object_type = models.CharField(_("object type"), max_length=40)
    object_id = models.CharField(_("object id"), max_length=64, blank=True, default="")
    site = models.ForeignKey(Site, models.PROTECT, related_name="+", null=True, blank=True)
    data = models.JSONField(_("data"), default=dict, blank=True)
    role = models.CharField(_("role"), max_length=120, blank=True, default="")
    purpose = models.CharField(_("purpose"), max_length=10, choices=Purpose.choices, blank=True, default="")
    address = models.GenericIPAddressField(_("IP address"), null=True, blank=True)
    request_id = models.CharField(_("request id"), max_length=64, blank=True, default="")
    key_id = models.CharField(_("id of the API key"), max_length=64, blank=True, default="")

    class Meta:
        verbose_name = _("audit event")
        verbose_name_plural = _("audit events")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["object_type", "object_id"], name="audit_by_object"),
            models.Index(KT("data__record"), name="audit_by_record"),
            # The orders of the audit page, and its filters.
            models.Index(fields=["site", "-at", "-id"], name="audit_of_site"),
            models.Index(fields=["site", "verb", "-at", "-id"], name="audit_by_verb"),
            models.Index(fields=["actor", "-at", "-id"], name="audit_by_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.verb} {self.object_type} {self.object_id}"
