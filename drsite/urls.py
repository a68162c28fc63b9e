"""URLs of the project. Those of the pages are in ``screening/urls.py``.

``/health/live``, ``/health/ready`` and ``/metrics`` are served by the middleware ``drsite.health_endpoints``.
"""

from django.contrib import admin
from django.urls import include, path

from screening.api.views.docs import DocsView, SchemaView

handler400 = "screening.views.errors.bad_request"
handler500 = "screening.views.errors.server_error"

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/v1/", include("screening.api.urls")),
    path("fhir/", include("screening.fhir.urls")),
    path("api/schema/", SchemaView.as_view(), name="api-schema"),
    path("api/docs/", DocsView.as_view(), name="api-docs"),
    path("", include("screening.urls")),
]
