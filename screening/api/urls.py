"""Addresses of the API: nouns and random ids, nothing of a patient."""

from django.urls import path, re_path

from screening.api.views import exams, gradings, images, models, patients, predictions, reviews
from screening.api.views.base import Nowhere

app_name = "api"

urlpatterns = [
    path("predict", predictions.PredictDoor.as_view(), name="predict"),
    path("model", models.ModelDoor.as_view(), name="model"),
    path("sites", patients.SitesDoor.as_view(), name="sites"),
    path("patients", patients.PatientsDoor.as_view(), name="patients"),
    path("patients/search", patients.PatientSearchDoor.as_view(), name="patient-search"),
    path("patients/<uuid:patient_id>", patients.PatientDoor.as_view(), name="patient"),
    path("exams", exams.ExamsDoor.as_view(), name="exams"),
    path("exams/<uuid:exam_id>", exams.ExamDoor.as_view(), name="exam"),
    path("exams/<uuid:exam_id>/images", images.ExamImagesDoor.as_view(), name="exam-images"),
    path("exams/<uuid:exam_id>/absent-eye", exams.AbsentEyeDoor.as_view(), name="exam-absent-eye"),
    path("exams/<uuid:exam_id>/submit", exams.ExamSubmitDoor.as_view(), name="exam-submit"),
    path("images", images.ImagesDoor.as_view(), name="images"),
    path("images/<uuid:image_id>", images.ImageDoor.as_view(), name="image"),
    path("gradings", gradings.GradingsDoor.as_view(), name="gradings"),
    path("gradings/<uuid:grading_id>", gradings.GradingDoor.as_view(), name="grading"),
    path("gradings/<uuid:grading_id>/retry", gradings.GradingRetryDoor.as_view(), name="grading-retry"),
    path("reviews/<uuid:review_id>", reviews.ReviewDoor.as_view(), name="review"),
    re_path(r"^.*$", Nowhere.as_view(), name="nowhere"),
]
