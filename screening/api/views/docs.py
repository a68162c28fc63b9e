"""The OpenAPI schema, and a page that explains it from local files alone."""

from typing import Any

from django.views.generic import TemplateView
from drf_spectacular.views import SpectacularAPIView


class SchemaView(SpectacularAPIView):
    """``GET /api/schema/``: YAML, or JSON with ``?format=json``. Open to all: it tells nothing of anybody."""

    throttle_classes = ()


class DocsView(TemplateView):
    """``GET /api/docs/``: Swagger UI under the site's own content policy, with no inline script or style.

    Whoever is logged in on the pages may try requests without a key.
    """

    template_name = "screening/api/docs.html"
    extra_context: dict[str, Any] = {"section": "api"}
