"""URLs of the API: nouns and random ids, no patient data."""

from django.urls import path, re_path

from screening.api.views import (
    corrections,
    exams,
    gradings,
    hand_overs,
    images,
    models,
    patients,
    predictions,
    reviews,
    uploads,
    visit_facts,
)
from screening.api.views.base import NotFoundView

app_name = "api"

urlpatterns = [
    path("predict", predictions.PredictView.as_view(), name="predict"),
    path("model", models.ModelDetailView.as_view(), name="model"),
    path("sites", patients.SiteListView.as_view(), name="sites"),
    path("patients", patients.PatientListView.as_view(), name="patients"),
    path("patients/search", patients.PatientSearchView.as_view(), name="patient-search"),
    path("patients/<uuid:patient_id>", patients.PatientDetailView.as_view(), name="patient"),
    path("patients/<uuid:patient_id>/merge", corrections.PatientMergeView.as_view(), name="patient-merge"),
    path("patients/<uuid:patient_id>/unmerge", corrections.PatientUnmergeView.as_view(), name="patient-unmerge"),
    path("exams", exams.ExamListView.as_view(), name="exams"),
    path("exams/<uuid:exam_id>", exams.ExamDetailView.as_view(), name="exam"),
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
    path("reviews/<uuid:review_id>", reviews.ReviewDetailView.as_view(), name="review"),
    path("reviews/<uuid:review_id>/entered-in-error", corrections.ReviewInErrorView.as_view(), name="review-in-error"),
    re_path("", NotFoundView.as_view(), name="not-found"),  # NB: "." of a pattern is not a line break
]
