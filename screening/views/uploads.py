"""Previews of uploads that wait until a person confirms the eye."""

from uuid import UUID

from django.http import Http404, HttpResponse, HttpResponseBase
from django.views.decorators.http import require_safe

from ml.serving.decoders import decoders
from ml.serving.files.renditions import THUMBNAIL_PX
from screening.photos.validation import InvalidPhoto, invalid_photo_if_refused
from screening.selectors.uploads import get_upload
from screening.services.uploads import UploadIncomplete, read_upload
from screening.views.decorators import AuthenticatedRequest, login_required


@login_required
@require_safe
def upload_preview(request: AuthenticatedRequest, upload_id: UUID) -> HttpResponseBase:
    """A small JPEG of a complete upload of the user."""
    upload = get_upload(user=request.user, upload_id=upload_id)
    try:
        with invalid_photo_if_refused():
            small = decoders.reduced_jpeg(read_upload(upload), side_px=THUMBNAIL_PX)[0]
    except (UploadIncomplete, InvalidPhoto, FileNotFoundError) as error:
        raise Http404 from error
    response = HttpResponse(small, content_type="image/jpeg")
    response["Content-Disposition"] = "inline"
    response["X-Content-Type-Options"] = "nosniff"
    return response
