"""The OpenAPI schema and its page."""

from typing import Any

from django.views.generic import TemplateView
from drf_spectacular.views import SpectacularAPIView


class SchemaView(SpectacularAPIView):
    """``GET /api/schema/``: YAML, or JSON with ``?format=json``. Public: it has no patient data."""

    throttle_classes = ()


class DocsView(TemplateView):
    """``GET /api/docs/``: Swagger UI from local files, without inline script or style.

    Users who are logged in on the pages can send requests without a key.
    """

    template_name = "screening/api/docs.html"
    extra_context: dict[str, Any] = {"section": "api"}
