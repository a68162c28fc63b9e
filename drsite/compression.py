"""Compress pages and JSON for the network, except for requests that another site may have caused."""

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.utils.cache import patch_vary_headers

GetResponse = Callable[[HttpRequest], HttpResponseBase]

_COMPRESSED = frozenset({"text/html", "application/json"})
_OWN_REQUESTS = frozenset({"same-origin", "none"})
"""Values of Sec-Fetch-Site: a page of this site, or the person (address, bookmark), caused the request."""


def compress_pages(get_response: GetResponse) -> GetResponse:
    """Compress HTML and JSON with gzip.

    The length of a compressed response can reveal its secrets to a site that makes the browser request it again and
    again with guesses (BREACH, CVE-2013-3587): such a request is answered without compression. So is that of a browser
    that does not say who caused it. Another site cannot cause a request with an API key.
    """
    gzip = GZipMiddleware(get_response)  # only its process_response is used

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if response.get("Content-Type", "").partition(";")[0] not in _COMPRESSED:
            return response
        patch_vary_headers(response, ["Sec-Fetch-Site"])
        if request.headers.get("Sec-Fetch-Site") in _OWN_REQUESTS or "Authorization" in request.headers:
            return gzip.process_response(request, response)
        return response

    return middleware
