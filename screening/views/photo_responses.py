"""Responses with photographs: their headers, and an answer without a body if the browser has it already."""

from collections.abc import Callable

from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.utils.cache import get_conditional_response

from ml.serving.files.tiles import NoSuchTile
from screening.photos import renditions
from screening.photos.validation import InvalidPhoto
from screening.services.prefetches import CACHE_S


def rendition_response(request: HttpRequest, kind: str, make: Callable[[], bytes]) -> HttpResponseBase:
    """A JPEG, or 304 if the browser has this kind of rendition. NB: check the access before. Raises Http404."""
    etag = f'"{kind}-{renditions.VERSION}"'
    response = get_conditional_response(request, etag=etag)
    if response is None:
        try:
            response = HttpResponse(make(), content_type="image/jpeg")
        except (FileNotFoundError, InvalidPhoto, NoSuchTile) as error:
            raise Http404 from error
    response["ETag"] = etag
    return with_photo_headers(response)


def with_photo_headers(response: HttpResponseBase | FileResponse) -> HttpResponseBase:
    """The headers of every photograph."""
    response["Cache-Control"] = f"private, max-age={CACHE_S}"
    response["Content-Disposition"] = "inline"  # NB: without a file name: names of stored files are not published
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    return response
