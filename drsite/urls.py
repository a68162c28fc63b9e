"""Addresses of the whole site. Those of the pages are in ``screening/urls.py``."""

from django.contrib import admin
from django.urls import include, path

from drsite.metrics import metrics
from screening.api.views.docs import DocsView, SchemaView
from screening.health import views

handler500 = "screening.views.errors.server_error"

urlpatterns = [
    path("health/live", views.live, name="health-live"),
    path("health/ready", views.ready, name="health-ready"),
    path("metrics", metrics, name="metrics"),
    path("admin/", admin.site.urls),
    path("api/v1/", include("screening.api.urls")),
    path("api/schema/", SchemaView.as_view(), name="api-schema"),
    path("api/docs/", DocsView.as_view(), name="api-docs"),
    path("", include("screening.urls")),
]
