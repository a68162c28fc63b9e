"""Uploads that wait until a person confirms the eye."""

import uuid

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone

from screening.access import restrict
from screening.models import Exam, PhotoUpload, User


def list_uploads(*, user: User) -> QuerySet[PhotoUpload]:
    """The user's own uploads that are not expired, oldest first, with exam and site."""
    uploads = restrict(PhotoUpload.objects.select_related("exam__site"), user)
    return uploads.filter(owner=user, expires_at__gt=timezone.now()).order_by("created_at", "pk")


def get_upload(*, user: User, upload_id: uuid.UUID | str) -> PhotoUpload:
    """One of ``list_uploads``. Raises Http404, also for the upload of another account."""
    return get_object_or_404(list_uploads(user=user), pk=upload_id)


def get_upload_of_exam(*, user: User, exam: Exam, upload_id: uuid.UUID) -> PhotoUpload:
    """One of ``list_uploads`` to ``exam``. Raises Http404."""
    return get_object_or_404(list_uploads(user=user), pk=upload_id, exam=exam)


def list_complete_uploads(*, user: User, exam: Exam) -> list[PhotoUpload]:
    """The user's complete uploads to an exam; at most ``services.uploads.MAX_WAITING``."""
    return [upload for upload in list_uploads(user=user).filter(exam=exam) if upload.is_complete]
