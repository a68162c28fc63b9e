"""URLs of the API: nouns and random ids, no patient data."""

from django.urls import path, re_path

from screening.api.views import (
    bookings,
    corrections,
    documents,
    due_list,
    exam_locks,
    exams,
    gradings,
    hand_overs,
    images,
    letter_batches,
    letters,
    models,
    outcome_tables,
    patients,
    predictions,
    referrals,
    register,
    reviews,
    teaching,
    uploads,
    visit_facts,
)
from screening.api.views.base import NotFoundView

app_name = "api"

urlpatterns = [
    path("predict", predictions.PredictView.as_view(), name="predict"),
    path("model", models.ModelDetailView.as_view(), name="model"),
    path("sites", patients.SiteListView.as_view(), name="sites"),
    path(
        "sites/<uuid:site_id>/outcome-tables", outcome_tables.OutcomeTableListView.as_view(), name="site-outcome-tables"
    ),
    path(
        "sites/<uuid:site_id>/outcome-tables/in-force",
        outcome_tables.OutcomeTableInForceView.as_view(),
        name="site-outcome-table-in-force",
    ),
    path("sites/<uuid:site_id>/due-list", due_list.DueListView.as_view(), name="site-due-list"),
    path("patients", patients.PatientListView.as_view(), name="patients"),
    path("patients/search", patients.PatientSearchView.as_view(), name="patient-search"),
    path("patients/<uuid:patient_id>", patients.PatientDetailView.as_view(), name="patient"),
    path(
        "patients/<uuid:patient_id>/register-entries",
        register.RegisterEntryListView.as_view(),
        name="patient-register-entries",
    ),
    path("patients/<uuid:patient_id>/contacts", due_list.ContactListView.as_view(), name="patient-contacts"),
    path("patients/<uuid:patient_id>/merge", corrections.PatientMergeView.as_view(), name="patient-merge"),
    path("patients/<uuid:patient_id>/unmerge", corrections.PatientUnmergeView.as_view(), name="patient-unmerge"),
    path("patients/<uuid:patient_id>/bookings", bookings.PatientBookingListView.as_view(), name="patient-bookings"),
    path("sites/<uuid:site_id>/bookings", bookings.SiteBookingListView.as_view(), name="site-bookings"),
    path("bookings/<uuid:booking_id>/status", bookings.BookingStatusView.as_view(), name="booking-status"),
    path("exams", exams.ExamListView.as_view(), name="exams"),
    path("exams/<uuid:exam_id>", exams.ExamDetailView.as_view(), name="exam"),
    path("exams/next", exam_locks.NextExamView.as_view(), name="exam-next"),
    path("exams/<uuid:exam_id>/lock", exam_locks.ExamLockView.as_view(), name="exam-lock"),
    path("exams/<uuid:exam_id>/images", images.ExamImageUploadView.as_view(), name="exam-images"),
    path("exams/<uuid:exam_id>/suggest-eye", predictions.EyeSuggestionView.as_view(), name="exam-suggest-eye"),
    path("exams/<uuid:exam_id>/absent-eye", exams.AbsentEyeView.as_view(), name="exam-absent-eye"),
    path(
        "exams/<uuid:exam_id>/not-photographed", hand_overs.NotPhotographedView.as_view(), name="exam-not-photographed"
    ),
    path("exams/<uuid:exam_id>/unobtainable", hand_overs.UnobtainableView.as_view(), name="exam-unobtainable"),
    path("exams/<uuid:exam_id>/cancel", corrections.ExamCancelView.as_view(), name="exam-cancel"),
    path("exams/<uuid:exam_id>/move", corrections.ExamMoveView.as_view(), name="exam-move"),
    path("exams/<uuid:exam_id>/take-back", hand_overs.ExamTakeBackView.as_view(), name="exam-take-back"),
    path("exams/<uuid:exam_id>/return", hand_overs.ExamReturnView.as_view(), name="exam-return"),
    path("exams/<uuid:exam_id>/submit", exams.ExamSubmitView.as_view(), name="exam-submit"),
    path("exams/<uuid:exam_id>/visit-facts", visit_facts.VisitFactsView.as_view(), name="exam-visit-facts"),
    path("exams/<uuid:exam_id>/uploads", uploads.ExamUploadView.as_view(), name="exam-uploads"),
    path("uploads/<uuid:upload_id>", uploads.UploadDetailView.as_view(), name="upload"),
    path("uploads/<uuid:upload_id>/unpack", uploads.UploadUnpackView.as_view(), name="upload-unpack"),
    path("images", images.ImageListView.as_view(), name="images"),
    path("images/<uuid:image_id>", images.ImageDetailView.as_view(), name="image"),
    path("images/<uuid:image_id>/move", corrections.ImageMoveView.as_view(), name="image-move"),
    path("images/<uuid:image_id>/withdraw", corrections.ImageWithdrawView.as_view(), name="image-withdraw"),
    path("images/<uuid:image_id>/gradings", gradings.ImageGradingView.as_view(), name="image-gradings"),
    path("gradings", gradings.GradingListView.as_view(), name="gradings"),
    path("gradings/<uuid:grading_id>", gradings.GradingDetailView.as_view(), name="grading"),
    path("gradings/<uuid:grading_id>/retry", gradings.GradingRetryView.as_view(), name="grading-retry"),
    path("referrals", referrals.ReferralListView.as_view(), name="referrals"),
    path("referrals/<uuid:referral_id>", referrals.ReferralDetailView.as_view(), name="referral"),
    path("referrals/<uuid:referral_id>/steps", referrals.ReferralStepView.as_view(), name="referral-steps"),
    path("referrals/<uuid:referral_id>/results", referrals.ReferralFeedbackView.as_view(), name="referral-results"),
    path("exams/<uuid:exam_id>/reports", documents.ExamReportView.as_view(), name="exam-reports"),
    path("exams/<uuid:exam_id>/letters", letters.ExamLetterView.as_view(), name="exam-letters"),
    path("patients/<uuid:patient_id>/documents", letters.PatientDocumentListView.as_view(), name="patient-documents"),
    path("documents/<uuid:document_id>", documents.DocumentDetailView.as_view(), name="document"),
    path("documents/<uuid:document_id>/file", documents.DocumentFileView.as_view(), name="document-file"),
    path(
        "sites/<uuid:site_id>/letter-batches", letter_batches.LetterBatchListView.as_view(), name="site-letter-batches"
    ),
    path("letter-batches/<uuid:batch_id>", letter_batches.LetterBatchDetailView.as_view(), name="letter-batch"),
    path(
        "letter-batches/<uuid:batch_id>/cancel",
        letter_batches.LetterBatchCancelView.as_view(),
        name="letter-batch-cancel",
    ),
    path(
        "letter-batches/<uuid:batch_id>/files", letter_batches.LetterBatchFilesView.as_view(), name="letter-batch-files"
    ),
    path("letter-batches/<uuid:batch_id>/file", letter_batches.LetterBatchFileView.as_view(), name="letter-batch-file"),
    path("teaching-sets", teaching.TeachingSetListView.as_view(), name="teaching-sets"),
    path("teaching-certificates", teaching.TeachingCertificateListView.as_view(), name="teaching-certificates"),
    path("reviews/<uuid:review_id>", reviews.ReviewDetailView.as_view(), name="review"),
    path("reviews/<uuid:review_id>/entered-in-error", corrections.ReviewInErrorView.as_view(), name="review-in-error"),
    re_path("", NotFoundView.as_view(), name="not-found"),  # NB: "." of a pattern is not a line break
]
