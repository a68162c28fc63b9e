"""URLs of the FHIR interface: types of resources and random ids, no patient data."""

from django.urls import URLPattern, path, re_path

from screening.fhir import views
from screening.fhir.view_bases import SearchView

app_name = "fhir"


def _searches(name: str, view: type[SearchView]) -> list[URLPattern]:
    """A search by GET, and by POST as FHIR demands."""
    return [
        path(view.resource_type, view.as_view(http_method_names=["get", "head"]), name=name),
        path(f"{view.resource_type}/_search", view.as_view(http_method_names=["post"]), name=f"{name}-by-post"),
    ]


urlpatterns = [
    path("metadata", views.CapabilityView.as_view(), name="metadata"),
    *_searches("patients", views.PatientSearchView),
    path("Patient/<uuid:patient_id>", views.PatientView.as_view(), name="patient"),
    *_searches("studies", views.StudySearchView),
    path("ImagingStudy/<uuid:exam_id>", views.StudyView.as_view(), name="study"),
    *_searches("observations", views.ObservationSearchView),
    path("Observation/<uuid:exam_id>-<slug:name>", views.ObservationView.as_view(), name="observation"),
    *_searches("reports", views.ReportSearchView),
    path("DiagnosticReport/<uuid:exam_id>", views.ReportView.as_view(), name="report"),
    re_path("", views.NotFoundView.as_view(), name="not-found"),
]
