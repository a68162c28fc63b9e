"""Addresses of the pages. An address contains random ids and no other patient data."""

from django.contrib.auth.views import LogoutView
from django.urls import path, register_converter
from django.urls.converters import StringConverter

from screening.views import (
    accounts,
    corrections,
    drafts,
    exams,
    gradings,
    images,
    patients,
    predictions,
    prints,
    reading_layouts,
    reviews,
    sessions,
    sites,
    uploads,
    visit_facts,
    worklist,
)


class EyeConverter(StringConverter):
    """An eye: OD or OS."""

    regex = "OD|OS"


register_converter(EyeConverter, "eye")

app_name = "screening"

urlpatterns = [
    path("login/", accounts.LogIn.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("password/", accounts.password_change, name="password"),
    path("printed/", prints.page_printed, name="page-printed"),
    path("session/status/", sessions.session_status, name="session-status"),
    path("session/extend/", sessions.session_extend, name="session-extend"),
    path("reading-layout/", reading_layouts.reading_layout, name="reading-layout"),
    path("session/intended-use/", sessions.intended_use_read, name="intended-use"),
    path("sites/first/", sites.site_create_first, name="site-first"),
    path("", worklist.exam_worklist, name="worklist"),
    path("patients/", patients.patient_list, name="patient-list"),
    path("patients/new/", patients.patient_create, name="patient-new"),
    path("patients/<uuid:patient_id>/", patients.patient_detail, name="patient-detail"),
    path("patients/<uuid:patient_id>/edit/", patients.patient_update, name="patient-edit"),
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
    path("exams/<uuid:exam_id>/review/", reviews.exam_review, name="exam-review"),
    path("exams/<uuid:exam_id>/first-reading/", reviews.exam_first_reading, name="exam-first-reading"),
    path("exams/<uuid:exam_id>/preview/", reviews.exam_preview, name="exam-preview"),
    path("exams/<uuid:exam_id>/sign/", reviews.exam_sign, name="exam-sign"),
    path("exams/<uuid:exam_id>/draft/", drafts.draft_save, name="exam-draft"),
    path("exams/<uuid:exam_id>/draft/discard/", drafts.draft_discard, name="exam-draft-discard"),
    path("exams/<uuid:exam_id>/review/status/", drafts.reading_status, name="exam-review-status"),
    path("images/<uuid:image_id>/photo/", images.image_photo, name="image-photo"),
    path("images/<uuid:image_id>/screen/", images.image_screen, name="image-screen"),
    path("images/<uuid:image_id>/thumbnail/", images.image_thumbnail, name="image-thumbnail"),
    path("images/<uuid:image_id>/withdraw/", images.image_withdraw, name="image-withdraw"),
    path("images/<uuid:image_id>/move/", corrections.image_move_patient, name="image-move"),
    path("images/<uuid:image_id>/laterality/", images.image_move, name="image-laterality"),
    path("gradings/<uuid:grading_id>/retry/", gradings.grading_retry, name="grading-retry"),
    path("uploads/<uuid:upload_id>/preview/", uploads.upload_preview, name="upload-preview"),
    path("try/", predictions.predict, name="predict"),
]
