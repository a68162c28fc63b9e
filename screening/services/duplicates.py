"""Duplicates: the stored photograph with the same bytes as a file."""

import hashlib

from screening.access import restrict
from screening.models import FundusImage, User
from screening.photos.validation import ValidPhoto

_MAX_COMPARED = 5
"""Files of one size in pixels and bytes are almost always one photograph; the limit bounds the time."""


def find_duplicate(*, data: bytes, photo: ValidPhoto, of: User) -> FundusImage | None:
    """The newest photograph of the user's sites with these bytes, as uploaded or as stored."""
    known = restrict(FundusImage.objects.select_related("exam__site"), of).order_by("-created_at")
    duplicate = known.filter(sha256=hashlib.sha256(data).hexdigest()).first()
    if duplicate is not None:
        return duplicate
    candidates = known.filter(n_bytes=len(photo.cleaned), width_px=photo.width_px, height_px=photo.height_px)
    digest = hashlib.sha256(photo.cleaned).digest()
    return next((image for image in candidates[:_MAX_COMPARED] if _digest_of(image) == digest), None)


def _digest_of(image: FundusImage) -> bytes:
    digest = hashlib.sha256()
    try:
        with image.file.open("rb") as file:
            for chunk in file.chunks():
                digest.update(chunk)
    except FileNotFoundError:
        return b""
    return digest.digest()
