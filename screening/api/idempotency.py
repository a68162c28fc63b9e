"""The header ``Idempotency-Key``: what it may hold, and the content of the request that it belongs to."""

import hashlib
import json
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

HEADER = "Idempotency-Key"
REPEATED_HEADER = "Idempotent-Replayed"
"""``true`` in a response that was built again."""
MAX_KEY_LENGTH = 255
_HEADERS = ("Upload-Length", "Upload-Metadata")
"""Those that say what a request is about, beside its body."""


def key_of(request: Request) -> str | None:
    """The key of a request, None without one. Raises ValidationError for one that cannot be used."""
    key: str | None = request.headers.get(HEADER)
    if key is None:
        return None
    if not (0 < len(key) <= MAX_KEY_LENGTH and key.isascii() and key.isprintable() and " " not in key):
        message = _(
            "The Idempotency-Key must have 1 to %(limit)d letters, digits or signs of ASCII, without blanks. "
            "A random UUID is best."
        )
        raise ValidationError({HEADER: message % {"limit": MAX_KEY_LENGTH}})
    return key


def content_of(request: Request, kwargs: dict[str, Any]) -> str:
    """Ids in the URL, query, fields and hashes of files, in one order.

    Two tries of one request have the same content, although the boundaries of their multipart forms differ.
    """
    data: Any = request.data
    is_form = isinstance(data, QueryDict)
    fields = {name: [_plain(value) for value in values] for name, values in data.lists()} if is_form else data
    ids = {name: str(value) for name, value in kwargs.items()}
    headers = {name: request.headers[name] for name in _HEADERS if name in request.headers}
    return json.dumps([ids, dict(request.query_params.lists()), fields, headers], sort_keys=True)


def _plain(value: Any) -> Any:
    """A text as it is; of a file the hash of its content, without its name."""
    if not isinstance(value, UploadedFile):
        return value
    digest = hashlib.sha256()
    for chunk in value.chunks():
        digest.update(chunk)
    value.seek(0)
    return {"sha256": digest.hexdigest()}
