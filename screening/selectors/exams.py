"""Exams with their eyes, photographs and results of the model."""

import uuid
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Prefetch, QuerySet
from django.shortcuts import get_object_or_404

from ml.vocabulary import Laterality
from screening.access import restrict
from screening.models import Exam, EyeFinding, FirstReading, FundusImage, Grading, Review, User, VisualAcuity
from screening.models.gradings import current_first, limited_negatives
from screening.selectors.drafts import is_late_reader
from screening.selectors.gradings import with_is_revealed
from screening.selectors.images import prefetched_gradings
from screening.selectors.reviews import (
    IN_FORCE,
    replaced_reviews,
    reviews_with_findings,
    with_not_blind,
    without_unread,
)


@dataclass(frozen=True, slots=True)
class ImageWithGrading:
    """A photograph and its current grading."""

    image: FundusImage
    grading: Grading | None


@dataclass(frozen=True, slots=True)
class EyeDetail:
    """One eye: its photographs in use, oldest first, or the reason for its absence."""

    laterality: Laterality
    absent_reason: str
    not_photographed_reason: str
    images: tuple[ImageWithGrading, ...]
    acuity: VisualAcuity | None = None

    @property
    def is_pending(self) -> bool:
        return any(one.grading is not None and one.grading.is_pending for one in self.images)

    @property
    def limited_negatives(self) -> list[Grading]:
        """Negatives of this eye in which small lesions could be missed."""
        return limited_negatives(one.grading for one in self.images if one.grading is not None)

    @property
    def is_oedema_suspected(self) -> bool:
        return any(one.grading is not None and one.grading.suspects_oedema for one in self.images)

    @property
    def decisive_image(self) -> ImageWithGrading | None:
        """The gradable photograph with the largest P(referable), else the newest."""
        gradable = [
            (one.grading.p_referable or 0.0, index)
            for index, one in enumerate(self.images)
            if one.grading is not None and one.grading.is_gradable
        ]
        if gradable:
            return self.images[max(gradable)[1]]
        return self.images[-1] if self.images else None


@dataclass(frozen=True, slots=True)
class ExamDetail:
    """An exam with both eyes, its reviews (newest first) and its first readings.

    ``is_model_revealed``: whether the user it was loaded for may see the model's grade. ``is_late_reader``: whether
    a colleague signed while that user was reading; ``reviews`` is then empty.
    """

    exam: Exam
    right: EyeDetail
    left: EyeDetail
    reviews: tuple[Review, ...]
    first_readings: tuple[FirstReading, ...]
    is_model_revealed: bool
    is_late_reader: bool

    @property
    def eyes(self) -> tuple[EyeDetail, EyeDetail]:
        """Right, then left, as an examiner who faces the patient sees them."""
        return self.right, self.left

    @property
    def is_pending(self) -> bool:
        return self.right.is_pending or self.left.is_pending

    @property
    def review(self) -> Review | None:
        """The review in force: the newest of this reading round."""
        newest = next(iter(self.reviews), None)
        return newest if newest is not None and newest.reading_round == self.exam.reading_round else None

    @property
    def replaced_reviews(self) -> tuple[tuple[Review, Review], ...]:
        """Each amended review with its amendment, newest first."""
        return replaced_reviews(self.reviews)

    def first_reading(self, user: User, laterality: str) -> FirstReading | None:
        """What ``user`` recorded for this eye before seeing the model's grade."""
        own = (
            one
            for one in self.first_readings
            if (one.reviewer_id, one.laterality, one.reading_round) == (user.pk, laterality, self.exam.reading_round)
        )
        return next(own, None)


def get_exam(*, user: User, exam_id: uuid.UUID | str) -> ExamDetail:
    """The exam with everything a page shows, in a constant number of queries. Raises Http404."""
    return _exam_detail(get_object_or_404(_detailed_exams(user), pk=exam_id))


def get_exam_to_read(*, user: User, exam_id: uuid.UUID | str) -> Exam:
    """The exam alone, with its site; one query. Raises Http404."""
    return get_object_or_404(restrict(Exam.objects.select_related("site"), user), pk=exam_id)


def get_previous_exam(*, user: User, exam: Exam) -> ExamDetail | None:
    """The patient's last exam with photographs before ``exam``; None if there is none."""
    photographs = FundusImage.objects.filter(exam=OuterRef("pk"), withdrawn_at__isnull=True)
    earlier = _detailed_exams(user).filter(Exists(photographs), patient=exam.patient_id, created_at__lt=exam.created_at)
    previous = earlier.exclude(status=Exam.Status.CANCELLED).order_by("-created_at", "pk").first()
    return None if previous is None else _exam_detail(previous)


def list_exams(*, user: User) -> QuerySet[Exam]:
    """Exams of the user's sites, newest first, in six queries.

    Each has ``site``, ``images_in_use`` (with gradings) and ``current_reviews`` (at most one, with findings).
    """
    images = FundusImage.objects.filter(withdrawn_at__isnull=True).order_by("created_at", "pk")
    current = without_unread(reviews_with_findings(), user).filter(IN_FORCE)
    return (
        restrict(Exam.objects.select_related("site", "visit_facts"), user)
        .prefetch_related(
            Prefetch("images", images.prefetch_related(prefetched_gradings(user)), to_attr="images_in_use"),
            Prefetch("reviews", current, to_attr="current_reviews"),
        )
        .order_by("-created_at", "pk")
    )


def get_exam_record(*, user: User, exam_id: uuid.UUID) -> Exam:
    """An exam as ``list_exams`` loads it. Raises Http404."""
    return get_object_or_404(list_exams(user=user), pk=exam_id)


def get_image(*, user: User, image_id: uuid.UUID | str) -> FundusImage:
    """A photograph of the user's sites, with its exam, patient and site. Raises Http404."""
    images = FundusImage.objects.select_related("exam__site", "exam__patient")
    return get_object_or_404(restrict(images, user), pk=image_id)


def get_grading(*, user: User, grading_id: uuid.UUID | str) -> Grading:
    """A grading of the user's sites, with its photograph, exam and site. Raises Http404."""
    gradings = Grading.objects.select_related("image__exam__site", "threshold")
    return get_object_or_404(restrict(gradings, user), pk=grading_id)


def _detailed_exams(user: User) -> QuerySet[Exam]:
    exams = restrict(Exam.objects.select_related("patient", "site", "opened_by", "visit_facts"), user)
    images = FundusImage.objects.filter(withdrawn_at__isnull=True).order_by("created_at", "pk")
    gradings = current_first(Grading.objects.select_related("threshold"))
    findings = Prefetch("findings", EyeFinding.objects.order_by("laterality"))
    reviews = without_unread(with_not_blind(Review.objects.select_related("reviewer")), user).order_by("-signed_at")
    exams = exams.annotate(is_late_reader=is_late_reader(user))
    return with_is_revealed(exams, user).prefetch_related(
        Prefetch("images", images.prefetch_related(Prefetch("gradings", gradings))),
        Prefetch("reviews", reviews.prefetch_related(findings)),
        Prefetch("first_readings", FirstReading.objects.order_by("created_at")),
        Prefetch("acuities", VisualAcuity.objects.order_by("-created_at", "pk")),
    )


def _exam_detail(exam: Exam) -> ExamDetail:
    images = list(exam.images.all())
    right, left = (
        EyeDetail(
            laterality=eye,
            absent_reason=exam.absent_reason(eye),
            not_photographed_reason=exam.not_photographed_reason(eye),
            images=tuple(_with_current(image) for image in images if image.laterality == eye),
            acuity=next((one for one in exam.acuities.all() if one.laterality == eye), None),
        )
        for eye in Laterality
    )
    return ExamDetail(
        exam=exam,
        right=right,
        left=left,
        reviews=tuple(exam.reviews.all()),
        first_readings=tuple(exam.first_readings.all()),
        is_model_revealed=exam.is_revealed,  # type: ignore[attr-defined]  # annotated
        is_late_reader=exam.is_late_reader,  # type: ignore[attr-defined]  # annotated
    )


def _with_current(image: FundusImage) -> ImageWithGrading:
    return ImageWithGrading(image, next(iter(image.gradings.all()), None))
