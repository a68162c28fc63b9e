"""Photographs: adding, showing, withdrawing. They have no public address; each request asks ``access``."""

from io import BytesIO
from urllib.parse import quote
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.files.storage import FileSystemStorage
from django.db.models.fields.files import FieldFile
from django.http import FileResponse, Http404, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from screening.access import AccessDenied
from screening.forms import LateralityForm, PhotoForm, ReasonForm, error_text
from screening.models import AuditEvent, FundusImage, User
from screening.photos import thumbnails
from screening.selectors import get_exam, get_image
from screening.services.audit import record_event
from screening.services.exams import ExamError
from screening.services.images import InvalidPhoto, attach_image, change_laterality, withdraw_image
from screening.views.decorators import AuthenticatedRequest, login_required, wants_json

CACHE_S = 600
"""A photograph never changes, but a shared desk should forget it soon."""
_SHOWN_AS_IS = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}


@login_required
@require_POST
def attach(request: AuthenticatedRequest, exam_id: UUID) -> HttpResponseBase:
    """Add one photograph; a script gets JSON, a plain form comes back to the exam."""
    exam = get_exam(user=request.user, exam_id=exam_id).exam
    form = PhotoForm(request.POST, request.FILES)
    if not form.is_valid():
        return _refuse(request, exam_id, "invalid", error_text(form))
    try:
        image = attach_image(
            exam=exam,
            upload=form.cleaned_data["photo"],
            laterality=form.cleaned_data["laterality"],
            field=form.cleaned_data["field"],
            by=request.user,
        )
    except InvalidPhoto as error:
        return _refuse(request, exam_id, error.code, str(error))
    except ExamError as error:
        return _refuse(request, exam_id, "exam", str(error))
    except AccessDenied as error:
        if not wants_json(request):
            raise
        return _refuse(request, exam_id, "forbidden", str(error), status=403)
    return _accept(request, image, form.cleaned_data["laterality"])


def _accept(request: AuthenticatedRequest, image: FundusImage, asked_for: str) -> HttpResponseBase:
    message = _("Photograph of the %(eye)s received.") % {"eye": image.get_laterality_display()}
    if any(grading.is_delayed for grading in image.gradings.all()):
        message += " " + _("It is stored, but grading is delayed. It will be graded by itself: do not send it again.")
    if image.laterality != asked_for:
        message = _("This file is already in the exam, as %(eye)s. If that is wrong, move it there.") % {
            "eye": image.get_laterality_display()
        }
    if wants_json(request):
        return JsonResponse({"image": str(image.pk), "laterality": image.laterality, "message": message}, status=201)
    messages.success(request, message)
    return redirect("screening:exam-detail", image.exam_id)


def _refuse(
    request: AuthenticatedRequest, exam_id: UUID, code: str, message: str, *, status: int = 400
) -> HttpResponseBase:
    if wants_json(request):
        return JsonResponse({"code": code, "message": message}, status=status)
    messages.error(request, message)
    return redirect("screening:exam-detail", exam_id)


@login_required
@require_safe
def photo(request: AuthenticatedRequest, image_id: UUID) -> HttpResponseBase:
    """The whole photograph, as stored; a TIFF as PNG, because browsers do not show TIFF."""
    image = get_image(user=request.user, image_id=image_id)
    shown_as = _SHOWN_AS_IS.get(image.format)
    if shown_as is not None and settings.X_ACCEL_REDIRECT_PREFIX and isinstance(image.file.storage, FileSystemStorage):
        return _handed_to_proxy(image, shown_as, by=request.user)
    try:
        file = image.file.open("rb")
    except FileNotFoundError as error:
        raise Http404 from error
    if shown_as is None:
        with file:
            content: BytesIO | FieldFile = BytesIO(thumbnails.as_png(file))
    else:
        content = file
    record_event(verb=AuditEvent.Verb.IMAGE_VIEWED, subject=image, site=image.exam.site, by=request.user)
    response = FileResponse(content, content_type=shown_as or "image/png")
    return _with_photo_headers(response)


def _handed_to_proxy(image: FundusImage, shown_as: str, *, by: User) -> HttpResponseBase:
    """Let nginx send the file, so that a slow line holds no thread here. Nobody reaches that address without this."""
    name = image.file.name or ""
    if not image.file.storage.exists(name):
        raise Http404
    record_event(verb=AuditEvent.Verb.IMAGE_VIEWED, subject=image, site=image.exam.site, by=by)
    response = HttpResponse(content_type=shown_as)
    response["X-Accel-Redirect"] = f"{settings.X_ACCEL_REDIRECT_PREFIX.rstrip('/')}/{quote(name)}"
    return _with_photo_headers(response)


@login_required
@require_safe
def thumbnail(request: AuthenticatedRequest, image_id: UUID) -> HttpResponseBase:
    """A small JPEG for lists."""
    image = get_image(user=request.user, image_id=image_id)
    try:
        with image.file.open("rb") as file:
            small = thumbnails.thumbnail(file)
    except FileNotFoundError as error:
        raise Http404 from error
    return _with_photo_headers(HttpResponse(small, content_type="image/jpeg"))


def _with_photo_headers(response: HttpResponse | FileResponse) -> HttpResponseBase:
    response["Cache-Control"] = f"private, max-age={CACHE_S}"
    response["Content-Disposition"] = "inline"  # NB: without a name: names of stored files stay inside
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    return response


@login_required
@require_POST
def withdraw(request: AuthenticatedRequest, image_id: UUID) -> HttpResponseBase:
    """Take a photograph out of its exam, with a reason."""
    image = get_image(user=request.user, image_id=image_id)
    form = ReasonForm(request.POST)
    reason = form.cleaned_data["reason"] if form.is_valid() else ""  # the service says what is wrong with none
    try:
        withdraw_image(image=image, reason=reason, by=request.user)
    except ExamError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("The photograph was withdrawn. It is kept with your reason."))
    return redirect("screening:exam-detail", image.exam_id)


@login_required
@require_POST
def move(request: AuthenticatedRequest, image_id: UUID) -> HttpResponseBase:
    """Move a photograph to the other eye."""
    image = get_image(user=request.user, image_id=image_id)
    form = LateralityForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Say which eye this is: right (OD) or left (OS)."))
        return redirect("screening:exam-detail", image.exam_id)
    try:
        moved = change_laterality(image=image, laterality=form.cleaned_data["laterality"], by=request.user)
    except ExamError as error:
        messages.error(request, str(error))
    else:
        eye = moved.get_laterality_display()
        messages.success(request, _("The photograph now belongs to: %(eye)s.") % {"eye": eye})
    return redirect("screening:exam-detail", image.exam_id)
