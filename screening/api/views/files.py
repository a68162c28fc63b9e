"""Responses with a file in place of JSON."""

from typing import Any

from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from screening.api.views.base import ApiView


class PdfRenderer(BaseRenderer):
    """Accepts ``Accept: application/pdf``; the file itself is streamed and errors are JSON."""

    media_type = "application/pdf"
    format = JSONRenderer.format  # no parameter of the address chooses it


class ZipRenderer(PdfRenderer):
    """Accepts ``Accept: application/zip``."""

    media_type = "application/zip"


class FileView(ApiView):
    """Base of views whose response is a file."""

    renderer_classes: Any = (JSONRenderer, PdfRenderer, ZipRenderer)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Errors are JSON, also for a client that accepts PDF only."""
        if isinstance(response, Response):
            request.accepted_renderer, request.accepted_media_type = JSONRenderer(), JSONRenderer.media_type
        return super().finalize_response(request, response, *args, **kwargs)
