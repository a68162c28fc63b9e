"""Addresses of the whole site. Those of the pages are in ``screening/urls.py``."""

from django.contrib import admin
from django.urls import include, path

from screening.api.views.docs import DocsView, SchemaView
from screening.views import health

urlpatterns = [
    path("health/live", health.live, name="health-live"),
    path("health/ready", health.ready, name="health-ready"),
    path("admin/", admin.site.urls),
    path("api/v1/", include("screening.api.urls")),
    path("api/schema/", SchemaView.as_view(), name="api-schema"),
    path("api/docs/", DocsView.as_view(), name="api-docs"),
    path("", include("screening.urls")),
]
