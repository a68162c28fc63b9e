"""Photographs: upload, display, withdrawal. They have no public address; every request is checked by ``access``."""

import hashlib
from io import BytesIO
from urllib.parse import quote
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.files.storage import FileSystemStorage
from django.http import FileResponse, Http404, HttpResponse, HttpResponseBase, JsonResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from ml.vocabulary import Laterality
from screening.access import AccessDenied, Action, require
from screening.forms import LateralityForm, PhotoForm, WithdrawForm, error_text
from screening.labels.eyes import LATERALITY_LABELS
from screening.models import AuditEvent, FundusImage, Grading
from screening.photos import renditions
from screening.selectors import can_see_image, get_exam, get_exam_to_photograph, get_image, get_photo
from screening.selectors.uploads import get_upload_of_exam
from screening.services.audit import record_event
from screening.services.exams import ExamError
from screening.services.images import (
    Answers,
    DoubtfulCaptureDate,
    InvalidPhoto,
    PictureOfOtherEye,
    PictureOfOtherPatient,
    UploadQuestion,
    change_laterality,
    get_or_attach_image,
    withdraw_image,
)
from screening.services.upload_checks import ANSWERABLE
from screening.services.uploads import attach_upload
from screening.views.decorators import AuthenticatedRequest, limit_photos, login_required, require_form, wants_json
from screening.views.exams import exam_page
from screening.views.messages import report_exam_errors, undo_by
from screening.views.photo_responses import rendition_response, with_photo_headers
from screening.views.prefetches import is_prefetch

_ANSWERS = ("confirm", "reason", "writing")
_BROWSER_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}


@login_required
@require_form("screening:exam-detail")
@limit_photos
def image_upload(request: AuthenticatedRequest, exam_id: UUID) -> HttpResponseBase:
    """Attach one photograph; the response is JSON for a script and a redirect to the exam for a form."""
    try:
        exam = get_exam_to_photograph(user=request.user, exam_id=exam_id)
    except AccessDenied as error:
        return _refuse(request, exam_id, error)
    form = PhotoForm(_entries(request), request.FILES)
    if not form.is_valid():
        return _upload_error(request, exam_id, "invalid", error_text(form))
    values = form.cleaned_data
    values["on_writing"] = values.pop("writing")
    values["answers"] = Answers(confirmed=values.pop("confirm"), reason=values.pop("reason"))
    photo, upload_id = values.pop("photo"), values.pop("upload")
    try:
        if upload_id is None:
            image, grading = get_or_attach_image(exam=exam, upload=photo, **values, by=request.user)
        else:
            upload = get_upload_of_exam(user=request.user, exam=exam, upload_id=upload_id)
            image, grading = attach_upload(upload=upload, **values, by=request.user)
    except UploadQuestion as question:
        return _question(request, exam_id, form, question)
    except (InvalidPhoto, ExamError, AccessDenied) as error:
        return _refuse(request, exam_id, error)
    message = _upload_message(image, grading)
    if wants_json(request):
        return JsonResponse({"image": str(image.pk), "laterality": image.laterality, "message": message}, status=201)
    messages.success(request, message)
    return redirect("screening:exam-detail", exam_id)


def _entries(request: AuthenticatedRequest) -> QueryDict:
    """What was sent, without answers about another file: who answers in the plain form chooses the file again."""
    entries, photo = request.POST.copy(), request.FILES.get("photo")
    if photo is not None:
        digest = hashlib.sha256()
        for chunk in photo.chunks():
            digest.update(chunk)
        photo.seek(0)
        if entries.get("of_file", digest.hexdigest()) != digest.hexdigest():
            for name in _ANSWERS:
                entries.pop(name, None)
        entries["of_file"] = digest.hexdigest()
    return entries


def _refuse(
    request: AuthenticatedRequest, exam_id: UUID, error: InvalidPhoto | ExamError | AccessDenied
) -> HttpResponseBase:
    if isinstance(error, InvalidPhoto):
        return _upload_error(request, exam_id, error.code, str(error))
    if isinstance(error, PictureOfOtherEye):
        return _upload_error(request, exam_id, "other_eye", str(error), status=409)
    if isinstance(error, ExamError):
        return _upload_error(request, exam_id, "exam", str(error))
    if not wants_json(request):
        raise error
    return _upload_error(request, exam_id, "forbidden", str(error), status=403)


def _question(
    request: AuthenticatedRequest, exam_id: UUID, form: PhotoForm, question: UploadQuestion
) -> HttpResponseBase:
    """Ask before the photograph is stored. Nothing is lost: the script keeps the file, the page the entries."""
    details = {"code": question.code, "message": str(question)}
    if question.code in ANSWERABLE:
        details["confirm"] = question.code
    if isinstance(question, DoubtfulCaptureDate):
        details["captured_on"] = question.day.isoformat()
    if isinstance(question, PictureOfOtherPatient) and can_see_image(user=request.user, image=question.image):
        details["url"] = reverse("screening:exam-detail", args=[question.image.exam_id])
    if wants_json(request):
        return JsonResponse(details, status=409)
    detail = get_exam(user=request.user, exam_id=exam_id)
    return exam_page(request, detail, photo_form=form, question=details, status=409)


def _upload_message(image: FundusImage, new: Grading | None) -> str:
    """``new``: the grading of a new photograph."""
    message = _("Photograph received: %(eye)s.") % {"eye": image.get_laterality_display()}
    if any(grading.is_delayed for grading in (image.gradings.all() if new is None else [new])):
        message += " " + _(
            "Grading is delayed. The photograph is stored and will be graded automatically: do not upload it again."
        )
    return message


def _upload_error(
    request: AuthenticatedRequest, exam_id: UUID, code: str, message: str, *, status: int = 400
) -> HttpResponseBase:
    if wants_json(request):
        return JsonResponse({"code": code, "message": message}, status=status)
    messages.error(request, message)
    return redirect("screening:exam-detail", exam_id)


@login_required
@require_safe
def image_photo(request: AuthenticatedRequest, image_id: UUID) -> HttpResponseBase:
    """The whole photograph as stored; a TIFF as PNG, because browsers do not display TIFF."""
    image = get_photo(user=request.user, image_id=image_id)
    content_type = _BROWSER_TYPES.get(image.format)
    is_local = isinstance(image.file.storage, FileSystemStorage)
    if content_type is not None and settings.X_ACCEL_REDIRECT_PREFIX and is_local:
        return _accel_response(request, image, content_type)
    try:
        content = image.file.open("rb") if content_type else BytesIO(renditions.whole(image.file))
    except (FileNotFoundError, InvalidPhoto) as error:
        raise Http404 from error
    _record_view(request, image)
    return with_photo_headers(FileResponse(content, content_type=content_type or "image/png"))


def _accel_response(request: AuthenticatedRequest, image: FundusImage, content_type: str) -> HttpResponseBase:
    """Let nginx send the file (X-Accel-Redirect), so that a slow connection does not occupy a thread here.

    NB: the address is ``internal`` in nginx: no client can request it.
    """
    name = image.file.name or ""
    if not image.file.storage.exists(name):
        raise Http404
    _record_view(request, image)
    response = HttpResponse(content_type=content_type)
    response["X-Accel-Redirect"] = f"{settings.X_ACCEL_REDIRECT_PREFIX.rstrip('/')}/{quote(name)}"
    return with_photo_headers(response)


def _record_view(request: AuthenticatedRequest, image: FundusImage) -> None:
    verb = AuditEvent.Verb.IMAGE_PREFETCHED if is_prefetch(request) else AuditEvent.Verb.IMAGE_VIEWED
    record_event(verb=verb, subject=image, site=image.exam.site, by=request.user)


@login_required
@require_safe
def image_thumbnail(request: AuthenticatedRequest, image_id: UUID) -> HttpResponseBase:
    """A small JPEG of the photograph."""
    image = get_photo(user=request.user, image_id=image_id)
    return rendition_response(request, "thumbnail", lambda: renditions.thumbnail(image.file))


@login_required
@require_safe
def image_screen(request: AuthenticatedRequest, image_id: UUID) -> HttpResponseBase:
    """A JPEG of the photograph, about as large as a screen, to be shown until it is enlarged."""
    image = get_photo(user=request.user, image_id=image_id)
    response = rendition_response(request, "screen", lambda: renditions.screen(image.file))
    _record_view(request, image)
    return response


@login_required
@require_safe
def image_tile(request: AuthenticatedRequest, image_id: UUID, level: int, row: int, column: int) -> HttpResponseBase:
    """A part of the photograph in its own or a lower resolution. The requests of five minutes are one audit event."""
    image = get_photo(user=request.user, image_id=image_id)
    return rendition_response(
        request,
        f"{level}-{row}-{column}",
        lambda: renditions.tile(image.file, level=level, row=row, column=column),
    )


@login_required
@require_POST
def image_withdraw(request: AuthenticatedRequest, image_id: UUID) -> HttpResponseBase:
    """Withdraw a photograph from its exam, with a reason."""
    image = get_image(user=request.user, image_id=image_id)
    require(request.user, Action.WITHDRAW_IMAGE, image.exam.site)
    form = WithdrawForm(request.POST)
    if form.is_valid():
        with report_exam_errors(request, success=_("The photograph is withdrawn. It is kept with your reason.")):
            withdraw_image(image=image, **form.cleaned_data, by=request.user)
    else:
        messages.error(request, error_text(form))
    return redirect("screening:exam-detail", image.exam_id)


@login_required
@require_POST
def image_move(request: AuthenticatedRequest, image_id: UUID) -> HttpResponseBase:
    """Move a photograph to the other eye."""
    image = get_image(user=request.user, image_id=image_id)
    form = LateralityForm(request.POST)
    if form.is_valid():
        eye = Laterality(form.cleaned_data["laterality"])
        success = _("The photograph now belongs to: %(eye)s.") % {"eye": LATERALITY_LABELS[eye]}
        undo = undo_by("screening:image-laterality", image_id, laterality=image.laterality)
        with report_exam_errors(request, success=success, undo=undo):
            change_laterality(image=image, laterality=eye, by=request.user)
    else:
        messages.error(request, error_text(form))
    return redirect("screening:exam-detail", image.exam_id)
