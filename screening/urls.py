"""Addresses of the pages. No address holds anything of a patient but random ids."""

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path, register_converter

from screening.views import accounts, exams, gradings, images, patients, predictions, reviews, sites, worklist


class EyeConverter:
    """An eye in an address: OD or OS."""

    regex = "OD|OS"

    def to_python(self, value: str) -> str:
        """Keep the word."""
        return value

    def to_url(self, value: str) -> str:
        """Write the word of ``ml.vocabulary.Laterality``."""
        return str(value)


register_converter(EyeConverter, "eye")

app_name = "screening"

urlpatterns = [
    path("login/", LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("password/", accounts.password, name="password"),
    path("sites/first/", sites.first_site, name="site-first"),
    path("", worklist.worklist_page, name="worklist"),
    path("patients/", patients.patient_list, name="patient-list"),
    path("patients/new/", patients.register, name="patient-new"),
    path("patients/<uuid:patient_id>/", patients.detail, name="patient-detail"),
    path("patients/<uuid:patient_id>/edit/", patients.edit, name="patient-edit"),
    path("patients/<uuid:patient_id>/exams/", exams.new_exam, name="patient-exams"),
    path("exams/<uuid:exam_id>/", exams.detail, name="exam-detail"),
    path("exams/<uuid:exam_id>/status/", exams.status, name="exam-status"),
    path("exams/<uuid:exam_id>/images/", images.attach, name="exam-images"),
    path("exams/<uuid:exam_id>/eyes/<eye:laterality>/absent/", exams.absent, name="exam-absent"),
    path("exams/<uuid:exam_id>/submit/", exams.submit, name="exam-submit"),
    path("exams/<uuid:exam_id>/cancel/", exams.cancel, name="exam-cancel"),
    path("exams/<uuid:exam_id>/review/", reviews.exam_review, name="exam-review"),
    path("exams/<uuid:exam_id>/first-reading/", reviews.first_reading, name="exam-first-reading"),
    path("exams/<uuid:exam_id>/preview/", reviews.preview, name="exam-preview"),
    path("exams/<uuid:exam_id>/sign/", reviews.sign, name="exam-sign"),
    path("images/<uuid:image_id>/photo/", images.photo, name="image-photo"),
    path("images/<uuid:image_id>/thumbnail/", images.thumbnail, name="image-thumbnail"),
    path("images/<uuid:image_id>/withdraw/", images.withdraw, name="image-withdraw"),
    path("images/<uuid:image_id>/laterality/", images.move, name="image-laterality"),
    path("gradings/<uuid:grading_id>/retry/", gradings.retry, name="grading-retry"),
    path("try/", predictions.predict, name="predict"),
]
