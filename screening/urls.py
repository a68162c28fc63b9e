"""Addresses of the pages. An address contains random ids and no other patient data."""

from django.urls import path, register_converter
from django.urls.converters import StringConverter

from screening.policy.site_settings import SettingsGroup
from screening.views import (
    accounts,
    audit,
    bookings,
    bundles,
    consensus,
    contacts,
    corrections,
    dashboards,
    document_checks,
    documents,
    drafts,
    due_list,
    exam_locks,
    exams,
    exports,
    first_run,
    gradings,
    images,
    imports,
    invitations,
    jobs,
    letter_batches,
    letterheads,
    letters,
    message_log,
    message_texts,
    operating_points,
    outcome_tables,
    patient_messages,
    patients,
    predictions,
    prefetches,
    prints,
    programmes,
    protocols,
    reading_layouts,
    referrals,
    register,
    repeat_agreement,
    results,
    reviews,
    sessions,
    shadows,
    site_settings,
    sites,
    staff,
    teaching,
    teaching_cases,
    teaching_certificates,
    uploads,
    visit_facts,
    worklist,
    worklist_layouts,
)


class EyeConverter(StringConverter):
    """An eye: OD or OS."""

    regex = "OD|OS"


class ExportConverter(StringConverter):
    """An export of the people of the due list."""

    regex = "due-list|register|contacts"


class SettingsGroupConverter(StringConverter):
    """A group of settings of a site."""

    regex = "|".join(SettingsGroup)


class DashboardPageConverter(StringConverter):
    """A page of the dashboard beside the first one."""

    regex = "agreement|staff"


class ImportKindConverter(StringConverter):
    """What the rows of a file are."""

    regex = "people|bookings"


register_converter(EyeConverter, "eye")
register_converter(SettingsGroupConverter, "settings_group")
register_converter(DashboardPageConverter, "dashboard_page")
register_converter(ImportKindConverter, "import_kind")
register_converter(ExportConverter, "export")

app_name = "screening"

urlpatterns = [
    path("login/", accounts.LogIn.as_view(), name="login"),
    path("logout/", accounts.LogOut.as_view(), name="logout"),
    path("language/", accounts.language_choice, name="language"),
    path("password/", accounts.password_change, name="password"),
    path("printed/", prints.page_printed, name="page-printed"),
    path("session/status/", sessions.session_status, name="session-status"),
    path("session/extend/", sessions.session_extend, name="session-extend"),
    path("reading-layout/", reading_layouts.reading_layout, name="reading-layout"),
    path("worklist-layout/", worklist_layouts.worklist_layout, name="worklist-layout"),
    path("session/intended-use/", sessions.intended_use_read, name="intended-use"),
    path("sites/first/", sites.site_create_first, name="site-first"),
    path("sites/", site_settings.site_list, name="sites"),
    path("sites/<uuid:site_id>/", site_settings.site_settings, name="site"),
    path(
        "sites/<uuid:site_id>/settings/<settings_group:group>/", site_settings.site_settings_group, name="site-settings"
    ),
    path("sites/<uuid:site_id>/practice/", first_run.site_practice, name="site-practice"),
    path("sites/<uuid:site_id>/first-steps/close/", first_run.site_first_run_close, name="site-first-run-close"),
    path("sites/<uuid:site_id>/staff/", staff.site_staff, name="site-staff"),
    path("sites/<uuid:site_id>/staff/history/", staff.site_staff_history, name="site-staff-history"),
    path("sites/<uuid:site_id>/staff/<uuid:user_id>/", staff.site_staff_member, name="site-staff-member"),
    path(
        "sites/<uuid:site_id>/invitations/<uuid:invitation_id>/cancel/",
        staff.site_invitation_cancel,
        name="site-invitation-cancel",
    ),
    path("programmes/", programmes.programme_list, name="programmes"),
    path("programmes/<uuid:programme_id>/", programmes.programme_detail, name="programme"),
    path("programmes/<uuid:programme_id>/name/", programmes.programme_name, name="programme-name"),
    path("programmes/<uuid:programme_id>/sites/", programmes.programme_sites, name="programme-sites"),
    path(
        "programmes/<uuid:programme_id>/managers/<uuid:user_id>/remove/",
        programmes.programme_manager_remove,
        name="programme-manager-remove",
    ),
    path(
        "programmes/<uuid:programme_id>/invitations/<uuid:invitation_id>/cancel/",
        programmes.programme_invitation_cancel,
        name="programme-invitation-cancel",
    ),
    path("invitation/", invitations.invitation, name="invitation"),
    path("invitation/account/", invitations.invitation_account, name="invitation-account"),
    path("invitation/accept/", invitations.invitation_accept, name="invitation-accept"),
    path("outcomes/", outcome_tables.site_list, name="outcomes"),
    path("sites/<uuid:site_id>/outcomes/", outcome_tables.site_outcomes, name="site-outcomes"),
    path("sites/<uuid:site_id>/outcomes/edit/", outcome_tables.site_outcomes_edit, name="site-outcomes-edit"),
    path(
        "sites/<uuid:site_id>/outcomes/<str:scale>/<int:number>/",
        outcome_tables.site_outcome_table,
        name="site-outcome-table",
    ),
    path("sites/<uuid:site_id>/protocol/", protocols.site_protocol, name="site-protocol"),
    path("sites/<uuid:site_id>/operating-point/", operating_points.site_operating_point, name="site-operating-point"),
    path("sites/<uuid:site_id>/letterhead/", letterheads.site_letterhead, name="site-letterhead"),
    path("due-list/", due_list.due_list_sites, name="due-list"),
    path("sites/<uuid:site_id>/due-list/", due_list.site_due_list, name="site-due-list"),
    path(
        "sites/<uuid:site_id>/due-list/export/<export:code>/", exports.site_due_list_export, name="site-due-list-export"
    ),
    path("sites/<uuid:site_id>/imports/<import_kind:kind>/", imports.site_imports, name="site-imports"),
    path("bookings/", bookings.booking_sites, name="bookings"),
    path("bookings/<uuid:booking_id>/status/", bookings.booking_status, name="booking-status"),
    path("sites/<uuid:site_id>/bookings/", bookings.site_bookings, name="site-bookings"),
    path("sites/<uuid:site_id>/bookings/export/", exports.site_booking_export, name="site-booking-export"),
    path("patients/<uuid:patient_id>/bookings/", bookings.patient_bookings, name="patient-bookings"),
    path("imports/<uuid:import_id>/", imports.import_detail, name="import"),
    path("imports/<uuid:import_id>/status/", imports.import_status, name="import-status"),
    path("imports/<uuid:import_id>/date-order/", imports.import_date_order, name="import-date-order"),
    path("imports/<uuid:import_id>/answers/", imports.import_answers, name="import-answers"),
    path("imports/<uuid:import_id>/apply/", imports.import_apply, name="import-apply"),
    path("imports/<uuid:import_id>/cancel/", imports.import_cancel, name="import-cancel"),
    path("imports/<uuid:import_id>/report/", imports.import_report, name="import-report"),
    path("sites/<uuid:site_id>/due-list/messages/", message_log.site_due_list_messages, name="site-due-list-messages"),
    path("sites/<uuid:site_id>/messages/", message_log.site_messages, name="site-messages"),
    path("sites/<uuid:site_id>/messages/texts/", message_texts.site_message_texts, name="site-message-texts"),
    path(
        "sites/<uuid:site_id>/messages/texts/<str:message_kind>/<str:channel>/<str:language>/",
        message_texts.site_message_text,
        name="site-message-text",
    ),
    path("messages/<uuid:message_id>/cancel/", message_log.message_cancel, name="message-cancel"),
    path("", worklist.exam_worklist, name="worklist"),
    path("sites/<uuid:site_id>/messages/export/", exports.site_message_export, name="site-message-export"),
    path("sites/<uuid:site_id>/repeats/", repeat_agreement.site_repeats, name="site-repeats"),
    path("sites/<uuid:site_id>/repeats/export/", exports.site_repeat_export, name="site-repeat-export"),
    path("models/", bundles.model_list, name="models"),
    path("models/register/", shadows.model_register, name="model-register"),
    path("sites/<uuid:site_id>/shadow/", shadows.site_shadow, name="site-shadow"),
    path("models/<str:version>/", bundles.model_detail, name="model"),
    path("dashboard/", dashboards.dashboard, name="dashboard"),
    path("dashboard/<dashboard_page:page_code>/", dashboards.dashboard, name="dashboard-page"),
    path("dashboard/export/<slug:table_code>/", exports.dashboard_export, name="dashboard-export"),
    path("sites/<uuid:site_id>/dashboard/", dashboards.dashboard, name="site-dashboard"),
    path(
        "sites/<uuid:site_id>/dashboard/<dashboard_page:page_code>/", dashboards.dashboard, name="site-dashboard-page"
    ),
    path(
        "sites/<uuid:site_id>/dashboard/export/<slug:table_code>/",
        exports.dashboard_export,
        name="site-dashboard-export",
    ),
    path("jobs/", jobs.job_list, name="jobs"),
    path("jobs/status/", jobs.job_list_status, name="jobs-status"),
    path("audit/", audit.audit_sites, name="audit"),
    path("sites/<uuid:site_id>/audit/", audit.site_audit, name="site-audit"),
    path("sites/<uuid:site_id>/audit/export/", exports.site_audit_export, name="site-audit-export"),
    path("worklist/export/", exports.worklist_export, name="worklist-export"),
    path("results/", results.result_list, name="results"),
    path("results/export/", exports.result_export, name="result-export"),
    path("patients/", patients.patient_list, name="patient-list"),
    path("patients/export/", exports.patient_export, name="patient-export"),
    path("patients/new/", patients.patient_create, name="patient-new"),
    path("patients/<uuid:patient_id>/", patients.patient_detail, name="patient-detail"),
    path("patients/<uuid:patient_id>/edit/", patients.patient_update, name="patient-edit"),
    path("patients/<uuid:patient_id>/register/", register.patient_register, name="patient-register"),
    path("patients/<uuid:patient_id>/contacts/", contacts.patient_contacts, name="patient-contacts"),
    path("patients/<uuid:patient_id>/messages/", patient_messages.patient_messages, name="patient-messages"),
    path("patients/<uuid:patient_id>/exams/", exams.exam_create, name="patient-exams"),
    path("patients/<uuid:patient_id>/merge/", corrections.patient_merge, name="patient-merge"),
    path("patients/<uuid:patient_id>/unmerge/", corrections.patient_unmerge, name="patient-unmerge"),
    path("exams/<uuid:exam_id>/", exams.exam_detail, name="exam-detail"),
    path("exams/<uuid:exam_id>/status/", exams.exam_status, name="exam-status"),
    path("exams/<uuid:exam_id>/images/", images.image_upload, name="exam-images"),
    path("exams/<uuid:exam_id>/eyes/<eye:laterality>/absent/", exams.exam_mark_absent, name="exam-absent"),
    path(
        "exams/<uuid:exam_id>/eyes/<eye:laterality>/not-photographed/",
        exams.exam_mark_not_photographed,
        name="exam-not-photographed",
    ),
    path(
        "exams/<uuid:exam_id>/eyes/<eye:laterality>/unobtainable/",
        exams.exam_mark_unobtainable,
        name="exam-unobtainable",
    ),
    path("exams/<uuid:exam_id>/facts/", visit_facts.exam_facts, name="exam-facts"),
    path("exams/<uuid:exam_id>/take-back/", exams.exam_take_back, name="exam-take-back"),
    path("exams/<uuid:exam_id>/return/", exams.exam_return, name="exam-return"),
    path("exams/<uuid:exam_id>/submit/", exams.exam_submit, name="exam-submit"),
    path("exams/<uuid:exam_id>/move/", corrections.exam_move, name="exam-move"),
    path("exams/<uuid:exam_id>/in-error/", corrections.exam_in_error, name="exam-in-error"),
    path("exams/<uuid:exam_id>/cancel/", exams.exam_cancel, name="exam-cancel"),
    path("exams/<uuid:exam_id>/reports/", documents.exam_reports, name="exam-reports"),
    path("exams/<uuid:exam_id>/reports/status/", documents.exam_reports_status, name="exam-reports-status"),
    path("sites/<uuid:site_id>/letters/", letter_batches.site_letter_batches, name="site-letter-batches"),
    path("sites/<uuid:site_id>/due-list/letters/", letter_batches.site_due_list_letters, name="site-due-list-letters"),
    path("results/letters/<slug:kind>/", letter_batches.result_letters, name="result-letters"),
    path("referrals/letters/", letter_batches.referral_letters, name="referral-letters"),
    path("letters/<uuid:batch_id>/", letter_batches.letter_batch, name="letter-batch"),
    path("letters/<uuid:batch_id>/status/", letter_batches.letter_batch_status, name="letter-batch-status"),
    path("letters/<uuid:batch_id>/cancel/", letter_batches.letter_batch_cancel, name="letter-batch-cancel"),
    path("letters/<uuid:batch_id>/again/", letter_batches.letter_batch_again, name="letter-batch-again"),
    path("letters/<uuid:batch_id>/file/", letter_batches.letter_batch_file, name="letter-batch-file"),
    path("exams/<uuid:exam_id>/letters/", letters.exam_letters, name="exam-letters"),
    path("patients/<uuid:patient_id>/letters/", letters.patient_letters, name="patient-letters"),
    path("documents/<uuid:document_id>/", document_checks.document_check, name="document-check"),
    path("documents/<uuid:document_id>/file/", documents.document_file, name="document-file"),
    path("exams/<uuid:exam_id>/review/", reviews.exam_review, name="exam-review"),
    path("exams/<uuid:exam_id>/consensus/", consensus.exam_consensus, name="exam-consensus"),
    path("exams/<uuid:exam_id>/first-reading/", reviews.exam_first_reading, name="exam-first-reading"),
    path("exams/<uuid:exam_id>/preview/", reviews.exam_preview, name="exam-preview"),
    path("exams/<uuid:exam_id>/sign/", reviews.exam_sign, name="exam-sign"),
    path("exams/<uuid:exam_id>/draft/", drafts.draft_save, name="exam-draft"),
    path("exams/<uuid:exam_id>/draft/discard/", drafts.draft_discard, name="exam-draft-discard"),
    path("exams/<uuid:exam_id>/review/status/", drafts.reading_status, name="exam-review-status"),
    path("exams/<uuid:exam_id>/lock/", exam_locks.exam_lock, name="exam-lock"),
    path("exams/<uuid:exam_id>/release/", exam_locks.exam_release, name="exam-release"),
    path("exams/<uuid:exam_id>/take-over/", exam_locks.exam_take_over, name="exam-take-over"),
    path("next-exam/", exam_locks.exam_next, name="exam-next"),
    path("next-exam/photographs/", prefetches.exam_prefetch, name="exam-prefetch"),
    path("referrals/", referrals.referral_list, name="referrals"),
    path("referrals/export/", exports.referral_export, name="referral-export"),
    path("referrals/metrics/", referrals.referral_metrics, name="referral-metrics"),
    path("referrals/<uuid:referral_id>/", referrals.referral_detail, name="referral"),
    path("referrals/<uuid:referral_id>/step/", referrals.referral_step, name="referral-step"),
    path("referrals/<uuid:referral_id>/result/", referrals.referral_feedback, name="referral-feedback"),
    path("images/<uuid:image_id>/photo/", images.image_photo, name="image-photo"),
    path("images/<uuid:image_id>/screen/", images.image_screen, name="image-screen"),
    path(
        "images/<uuid:image_id>/tiles/<int:level>/<int:row>/<int:column>/",
        images.image_tile,
        name="image-tile",
    ),
    path("images/<uuid:image_id>/thumbnail/", images.image_thumbnail, name="image-thumbnail"),
    path("images/<uuid:image_id>/withdraw/", images.image_withdraw, name="image-withdraw"),
    path("images/<uuid:image_id>/move/", corrections.image_move_patient, name="image-move"),
    path("images/<uuid:image_id>/laterality/", images.image_move, name="image-laterality"),
    path("gradings/<uuid:grading_id>/retry/", gradings.grading_retry, name="grading-retry"),
    path("uploads/<uuid:upload_id>/preview/", uploads.upload_preview, name="upload-preview"),
    path("teaching/", teaching.teaching_sets, name="teaching-sets"),
    path("teaching/export/", exports.teaching_sets_export, name="teaching-sets-export"),
    path("teaching/<uuid:set_id>/", teaching.teaching_set, name="teaching-set"),
    path("teaching/<uuid:set_id>/archive/", teaching.teaching_set_archive, name="teaching-set-archive"),
    path("teaching/<uuid:set_id>/next/", teaching_certificates.teaching_set_next, name="teaching-set-next"),
    path(
        "teaching/<uuid:set_id>/certificate/",
        teaching_certificates.teaching_set_certificate,
        name="teaching-set-certificate",
    ),
    path("teaching/<uuid:set_id>/export/", exports.teaching_set_export, name="teaching-set-export"),
    path("teaching/exams/<uuid:case_id>/", teaching_cases.teaching_case, name="teaching-case"),
    path("teaching/exams/<uuid:case_id>/remove/", teaching.teaching_case_remove, name="teaching-case-remove"),
    path(
        "teaching/certificates/<uuid:certificate_id>/",
        teaching_certificates.teaching_certificate,
        name="teaching-certificate",
    ),
    path("exams/<uuid:exam_id>/teaching/", teaching.exam_teaching, name="exam-teaching"),
    path("try/", predictions.predict, name="predict"),
]
