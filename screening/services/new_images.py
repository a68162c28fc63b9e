"""Storing a new photograph: file, row, perceptual hash, grading and audit events, all of them or nothing."""

from collections.abc import Collection

from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from ml.vocabulary import Laterality
from screening.access import Action
from screening.models import AuditEvent, Exam, FundusImage, Grading, User
from screening.photos.validation import ValidPhoto
from screening.services import duplicates, gradings
from screening.services.active_bundles import active_version, version_by
from screening.services.audit import new_event
from screening.services.duplicates import Content
from screening.services.exams import ExamError, forget_not_photographed, lock_open_exam
from screening.services.stored_files import delete_unless_committed
from screening.services.upload_checks import Answers, require_answers


def store_image(
    *, image: FundusImage, photo: ValidPhoto, content: Content, answers: Answers, notes: Collection[str] = (), by: User
) -> tuple[FundusImage, Grading | None]:
    """Store ``image`` with its file, and queue its grading; or return the same photograph, which has None.

    The file is written before the exam is locked: no other upload waits for the storage. Without the row it is deleted.
    ``notes``: codes of confirmed questions, kept in the audit event.
    Exceptions as ``images.get_or_attach_image``.
    """
    image.file.save(f"photo.{photo.extension}", ContentFile(photo.cleaned), save=False)
    try:
        stored, grading = _store_rows(image, content, answers, notes, by)
    except IntegrityError:
        delete_unless_committed(image)
        duplicate = _find_duplicate(image)  # two requests sent the same file at the same moment
        if duplicate is None:
            raise
        return duplicate, None
    except BaseException:
        delete_unless_committed(image)
        raise
    if grading is None:
        delete_unless_committed(image)
    return stored, grading


# durable: if an outer transaction rolled back after this one, the file would stay without a row.
@transaction.atomic(durable=True)
def _store_rows(
    image: FundusImage, content: Content, answers: Answers, notes: Collection[str], by: User
) -> tuple[FundusImage, Grading | None]:
    # The site is locked too: of one picture for two patients at once, the second finds the first.
    columns = {"active_version": active_version(site="site"), "now": Now()}
    exam = lock_open_exam(image.exam, Action.UPLOAD_IMAGE, by, with_site=True, **columns)
    image.exam = exam
    stored = duplicates.find_stored(image=image, content=content)
    if stored.same is not None:
        return stored.same, None
    _require_present(exam, image.laterality)
    copy_of = require_answers(image, content, stored, answers)
    if copy_of is not None:
        image.copy_reason = answers.reason.strip()
    image.save(force_insert=True)
    forget_not_photographed(exam, Laterality(image.laterality))
    duplicates.store_hash(image, content)
    version = version_by(exam.site, exam.active_version)  # type: ignore[attr-defined]  # annotated
    grading, queued = gradings.queue_first_grading(
        image=image,
        version=version,
        at=exam.now,  # type: ignore[attr-defined]  # annotated
        is_bulk=answers.is_bulk,
        by=by,
    )
    AuditEvent.objects.bulk_create([_attached(image, copy_of, notes, by), queued])
    return image, grading


def _find_duplicate(image: FundusImage) -> FundusImage | None:
    """The same file in use for the same eye of the exam."""
    return FundusImage.objects.filter(
        exam=image.exam_id, sha256=image.sha256, laterality=image.laterality, withdrawn_at__isnull=True
    ).first()


def _attached(image: FundusImage, copy_of: FundusImage | None, notes: Collection[str], by: User) -> AuditEvent:
    data: dict[str, str | bool] = {"exam": str(image.exam_id), "laterality": image.laterality, "sha256": image.sha256}
    if image.writing != FundusImage.Writing.NONE:
        data["writing"] = image.writing
    data |= dict.fromkeys(notes, True)
    if copy_of is not None:
        data["copy_of"] = str(copy_of.pk)
    return new_event(verb=AuditEvent.Verb.IMAGE_ATTACHED, subject=image, site=image.exam.site, data=data, by=by)


def _require_present(exam: Exam, laterality: str) -> None:
    if exam.absent_reason(laterality):
        raise ExamError(_("This eye is recorded as absent. Delete that record before you add a photograph."))
