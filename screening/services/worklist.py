"""Order of the worklist, stored on the exam: ranks, worst grade, P(referable), suspicion of macular oedema."""

from functools import partial
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Exists, OuterRef

from ml.vocabulary import Laterality
from screening import policy
from screening.models import Exam, FundusImage, Grading, Site
from screening.models.gradings import current_first, limited_negatives

_ORDER_FIELDS = ("worst_grade", "max_p_referable", "worklist_rank", "grade_rank", "is_oedema_suspected")


def update_worklist_order(exam: Exam) -> None:
    """Store the order of ``exam``, from the current grading of each photograph in use.

    Call it in the transaction that changes a grading, a photograph or an absent eye. It locks the exam until that
    transaction ends: of two gradings that finish at once, the second counts the first.
    """
    locked = Exam.objects.select_for_update(of=("self",)).get(pk=exam.pk)
    gradings = _current_gradings(locked)
    grades = [grading.grade for grading in gradings if grading.grade is not None]
    graded_or_pending = {grading.image.laterality for grading in gradings if grading.is_gradable or grading.is_pending}
    exam.worst_grade = max(grades, default=None)
    exam.max_p_referable = max(
        (grading.p_referable for grading in gradings if grading.p_referable is not None), default=None
    )
    exam.is_oedema_suspected = any(grading.suspects_oedema for grading in gradings)
    rank = partial(
        policy.worklist_rank,
        grades=grades,
        is_any_referable=any(grading.is_referable for grading in gradings),
        is_any_eye_ungraded=any(not locked.absent_reason(eye) and eye not in graded_or_pending for eye in Laterality),
        is_any_pending=any(grading.is_pending for grading in gradings),
        is_any_negative_limited=bool(limited_negatives(gradings)),
    )
    exam.worklist_rank = rank(is_any_oedema_suspected=exam.is_oedema_suspected)
    exam.grade_rank = rank(is_any_oedema_suspected=False)
    exam.save(update_fields=[*_ORDER_FIELDS])


def update_order_of_image(image: FundusImage) -> None:
    """As ``update_worklist_order``, for the exam of a photograph that may be moved to another exam meanwhile."""
    exam_before = image.exam
    update_worklist_order(exam_before)
    # A move locks the exam that it leaves: with that lock here, the photograph stays where it is now.
    image.refresh_from_db(fields=["exam"])
    if image.exam_id != exam_before.pk:
        update_worklist_order(image.exam)


def update_orders_of_site(site: Site) -> None:
    """Store the order of the exams that wait and have photographs with several gradings: the model of the site changed.

    One transaction for each exam.
    """
    waiting = Exam.objects.filter(site=site, status__in=[Exam.Status.OPEN, Exam.Status.SUBMITTED])
    graded_again = FundusImage.objects.annotate(n=Count("gradings")).filter(exam=OuterRef("pk"), n__gt=1)
    for exam in waiting.filter(Exists(graded_again)).iterator():
        with transaction.atomic():
            update_worklist_order(exam)


def _current_gradings(exam: Exam) -> list[Grading]:
    gradings = Grading.objects.filter(image__exam=exam, image__withdrawn_at__isnull=True).select_related("image")
    current: dict[UUID, Grading] = {}
    for grading in current_first(gradings.defer("heatmap", "oedema_heatmap")):
        current.setdefault(grading.image_id, grading)
    return list(current.values())
