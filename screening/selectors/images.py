"""Photographs with their gradings."""

import datetime
import uuid
from collections.abc import Iterable

from django.db.models import Prefetch, QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone

from screening.access import restrict
from screening.models import Exam, FundusImage, Grading, User
from screening.models.gradings import current_first
from screening.selectors.gradings import list_gradings


def list_images(*, user: User) -> QuerySet[FundusImage]:
    """Photographs of the user's sites, newest first, with ``gradings`` loaded. Two queries."""
    images = restrict(FundusImage.objects.all(), user).prefetch_related(prefetched_gradings(user))
    return images.order_by("-created_at", "pk")


def get_image_record(*, user: User, image_id: uuid.UUID) -> FundusImage:
    """A photograph of the user's sites with its gradings, exam and site. Raises Http404."""
    return get_object_or_404(list_images(user=user).select_related("exam__site"), pk=image_id)


def can_see_image(*, user: User, image: FundusImage) -> bool:
    """Whether the record of a photograph is one of the user's sites."""
    return restrict(FundusImage.objects.filter(pk=image.pk), user).exists()


def prefetched_gradings(user: User) -> "Prefetch[str, QuerySet[Grading], str]":
    """The ``gradings`` of each photograph, the current one first; each has the photograph, which is loaded already."""
    rows = list_gradings(user=user).select_related(None).select_related("threshold")
    return Prefetch("gradings", current_first(rows))


def list_photos_in_use(exam: Exam) -> list[tuple[str, uuid.UUID]]:
    """Eye and id of each photograph that is not withdrawn: the right eye first, then the oldest first."""
    images = FundusImage.objects.filter(exam=exam, withdrawn_at__isnull=True).order_by("laterality", "created_at", "pk")
    return list(images.values_list("laterality", "pk"))


def photographed_days(exams: Iterable[Exam]) -> dict[uuid.UUID, datetime.date]:
    """The day of the photographs in use of each exam, at the site: the first one if there are several, the exam's if
    there are none. The day of a photograph without a date is that of its upload. One query.
    """
    by_id = {exam.pk: exam for exam in exams}
    found: dict[uuid.UUID, datetime.date] = {}
    images = FundusImage.objects.filter(exam__in=by_id, withdrawn_at__isnull=True).order_by()
    for exam_id, captured_on, uploaded_at in images.values_list("exam", "captured_on", "created_at"):
        day = captured_on or timezone.localdate(uploaded_at, timezone=by_id[exam_id].site.zone)
        found[exam_id] = min(day, found.get(exam_id, day))
    return {
        pk: found.get(pk) or timezone.localdate(exam.created_at, timezone=exam.site.zone) for pk, exam in by_id.items()
    }
