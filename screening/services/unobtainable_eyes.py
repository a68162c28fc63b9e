"""Eyes of which no gradable photograph can be obtained by camera."""

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ml.vocabulary import Laterality
from screening import policy
from screening.access import Action
from screening.models import AuditEvent, Exam, Grading, User
from screening.models.gradings import current_first
from screening.selectors.attempts import count_attempts
from screening.services.audit import record_event
from screening.services.exams import ExamError, check_length, lock_open_exam


@transaction.atomic
def mark_eye_unobtainable(*, exam: Exam, laterality: str, code: str, reason: str = "", by: User) -> Exam:
    """Record why no gradable photograph of a present eye can be obtained; an empty ``code`` deletes the record.

    ``code`` is an ``Exam.Unobtainable``; OTHER needs a ``reason`` in words. It takes ``policy.MAX_ATTEMPTS`` ungradable
    photographs; the eye is then referred for slit-lamp examination (``policy``) unless the reviewer can grade it.
    Raises ExamError if it is too early, a photograph is gradable or being graded, or the eye is absent; AccessDenied,
    ExamNotOpen.
    """
    locked = lock_open_exam(exam, Action.UPLOAD_IMAGE, by)
    eye = Laterality(laterality)
    field = Exam.UNOBTAINABLE_FIELDS[eye]
    chosen = Exam.Unobtainable(code) if code else None
    text = reason.strip() if chosen is Exam.Unobtainable.OTHER else ""
    if chosen is not None:
        _require_unobtainable(locked, eye)
        check_length(text, Exam, f"{field}_reason")
        if chosen is Exam.Unobtainable.OTHER and not text:
            raise ExamError(_("Enter in words why no photograph can be obtained."))
    setattr(locked, field, chosen or "")
    setattr(locked, f"{field}_reason", text)
    locked.save(update_fields=[field, f"{field}_reason"])
    data = {"laterality": eye, "code": chosen or ""}
    record_event(verb=AuditEvent.Verb.EYE_UNOBTAINABLE, subject=locked, site=locked.site, data=data, by=by)
    return locked


def _require_unobtainable(exam: Exam, eye: Laterality) -> None:
    if exam.absent_reason(eye):
        raise ExamError(_("This eye is recorded as absent. Delete that record first."))
    n_missing = policy.MAX_ATTEMPTS - count_attempts(exam)[eye]
    if n_missing > 0:
        text = ngettext(
            "Take %(n)d more photograph of this eye before you record that none can be obtained.",
            "Take %(n)d more photographs of this eye before you record that none can be obtained.",
            n_missing,
        )
        raise ExamError(text % {"n": n_missing})
    if _has_hope(exam, eye):
        raise ExamError(_("A photograph of this eye is gradable or still being checked. Submit the exam with it."))


def _has_hope(exam: Exam, eye: Laterality) -> bool:
    in_use = Grading.objects.filter(image__exam=exam, image__laterality=eye, image__withdrawn_at__isnull=True)
    current: dict[object, Grading] = {}
    for grading in current_first(in_use.only("image", "status", "is_gradable", "model", "created_at")):
        current.setdefault(grading.image_id, grading)
    return any(grading.is_gradable or grading.is_pending for grading in current.values())
