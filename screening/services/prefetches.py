"""Pages and photographs that a browser loads in advance: the views are recorded when they are shown."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from screening.models import AuditEvent, Exam, FundusImage, User
from screening.services.audit import record_event
from screening.services.exam_locks import take_exam

Verb = AuditEvent.Verb
CACHE_S = 600
"""How long a browser keeps a photograph. It never changes, but a shared desk should not keep it long."""


@transaction.atomic
def open_exam_in_advance(*, exam: Exam, by: User) -> None:
    """Take the exam whose page ``by`` loaded in advance, and record the view of the page and its photographs.

    The page is displayed afterwards. Raises ExamLocked, NotWaiting, AccessDenied.
    """
    take_exam(exam=exam, by=by)
    record_event(verb=Verb.EXAM_VIEWED, subject=exam, site=exam.site, by=by)
    record_shown_photos(exam=exam, by=by)


def record_shown_photos(*, exam: Exam, by: User) -> None:
    """Record a view of each photograph that ``by`` loaded in advance and that the page of the exam shows now.

    The page shows photographs of earlier exams of the patient too. The browser shows them from its cache and sends no
    request. Other photographs record their view when they are sent.
    """
    images = FundusImage.objects.filter(exam__patient=exam.patient_id, withdrawn_at__isnull=True)
    of_id = {str(image.pk): image for image in images.select_related("exam__site")}
    since = timezone.now() - timedelta(seconds=CACHE_S)
    events = AuditEvent.objects.filter(
        object_type="fundusimage",
        object_id__in=of_id,
        actor=by,
        at__gte=since,
        verb__in=[Verb.IMAGE_PREFETCHED, Verb.IMAGE_VIEWED],
    )
    newest = dict(events.order_by("id").values_list("object_id", "verb"))
    for image_id, verb in newest.items():
        if verb == Verb.IMAGE_PREFETCHED:
            image = of_id[image_id]
            record_event(verb=Verb.IMAGE_VIEWED, subject=image, site=image.exam.site, by=by)
