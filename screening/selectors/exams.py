"""Exams with their eyes, photographs and results of the model."""

import uuid
from dataclasses import dataclass
from typing import cast

from django.db.models import Case, Exists, OuterRef, Prefetch, Q, QuerySet, Value, When, prefetch_related_objects
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from ml.vocabulary import Laterality
from screening.access import Action, is_allowed, require_allowed, restrict, sites_for
from screening.models import Exam, EyeFinding, FirstReading, FundusImage, Grading, Repeat, Review, User, VisualAcuity
from screening.models.gradings import current_first, limited_negatives
from screening.selectors.drafts import is_late_reader
from screening.selectors.earlier_results import without_earlier_unread
from screening.selectors.gradings import reads_blind, with_is_revealed
from screening.selectors.identities import hide_texts, may_view_case, with_sees_identity
from screening.selectors.images import prefetched_gradings
from screening.selectors.photos_in_teaching import exams_in_teaching
from screening.selectors.reviews import (
    current_with_findings,
    replaced_reviews,
    with_not_blind,
    without_unread,
)
from screening.selectors.visible_readings import visible_readings


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
    a colleague signed while that user was reading; ``reviews`` is then empty. ``sees_identity``: whether the user may
    see who the patient is; otherwise texts of colleagues are blank or replaced. ``repeat``: what the user has open of
    this exam, which then looks as if it were not read (``selectors.repeats.hide_result``).
    """

    exam: Exam
    right: EyeDetail
    left: EyeDetail
    reviews: tuple[Review, ...]
    first_readings: tuple[FirstReading, ...]
    is_model_revealed: bool
    is_late_reader: bool
    sees_identity: bool
    repeat: Repeat | None = None

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
    return _exam_detail(get_object_or_404(restrict(_detailed_exams(user), user), pk=exam_id), user)


def get_case(*, user: User, exam_id: uuid.UUID | str) -> ExamDetail:
    """As ``get_exam``, also for a user who may not see who the patient is. Raises Http404."""
    return _exam_detail(get_object_or_404(_detailed_exams(user).filter(may_view_case(user)), pk=exam_id), user)


def get_exam_to_read(*, user: User, exam_id: uuid.UUID | str) -> Exam:
    """The exam alone, with its site; one query. Raises Http404."""
    return get_object_or_404(restrict(Exam.objects.select_related("site"), user), pk=exam_id)


def get_exam_to_photograph(*, user: User, exam_id: uuid.UUID | str) -> Exam:
    """As ``get_exam_to_read``, if ``user`` may add photographs, with ``is_blind``: whether ``user`` reads it blind.

    While it is open, no one has read it in its round, so that a blind user may not see the model's grade. Raises
    Http404, AccessDenied.
    """
    is_blind = Case(When(reads_blind(user), then=Value(True)), default=Value(False))  # noqa: FBT003
    may_upload = is_allowed(user, Action.UPLOAD_IMAGE, site="site")
    exams = Exam.objects.select_related("site").annotate(is_blind=is_blind, may_upload=may_upload)
    exam = get_object_or_404(restrict(exams, user), pk=exam_id)
    require_allowed(exam.may_upload)  # type: ignore[attr-defined]  # annotated
    return exam


def get_exam_of_case(*, user: User, exam_id: uuid.UUID | str) -> Exam:
    """As ``get_exam_to_read``, also for a user who may not see who the patient is. Raises Http404."""
    return get_object_or_404(Exam.objects.select_related("site").filter(may_view_case(user)), pk=exam_id)


def get_previous_exam(*, user: User, exam: Exam) -> ExamDetail | None:
    """The patient's last exam with photographs before ``exam``; None if there is none."""
    photographs = FundusImage.objects.filter(exam=OuterRef("pk"), withdrawn_at__isnull=True)
    earlier = Exam.objects.filter(may_view_case(user), Exists(photographs), created_at__lt=exam.created_at)
    of_patient = earlier.filter(patient=exam.patient_id).exclude(pk=exam.pk).exclude(status=Exam.Status.CANCELLED)
    previous = of_patient.order_by("-created_at", "pk").values_list("pk", flat=True).first()
    return None if previous is None else get_case(user=user, exam_id=previous)


def list_exams(*, user: User) -> QuerySet[Exam]:
    """Exams of the user's sites, newest first, in eight queries, ten if an exam was read by several persons.

    Each has ``site``, ``acuities`` (newest first), ``visible_readings``, ``images_in_use`` (with gradings) and
    ``current_reviews`` (at most one, with findings).
    """
    images = FundusImage.objects.filter(withdrawn_at__isnull=True).order_by("created_at", "pk")
    current = without_unread(current_with_findings(), user)
    return (
        restrict(Exam.objects.select_related("site", "visit_facts", "lock__holder"), user)
        .prefetch_related(
            Prefetch("images", images.prefetch_related(prefetched_gradings(user)), to_attr="images_in_use"),
            Prefetch("reviews", current, to_attr="current_reviews"),
            Prefetch("readings", visible_readings(user), to_attr="visible_readings"),
            Prefetch("acuities", VisualAcuity.objects.order_by("-created_at", "pk")),
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


def get_photo(*, user: User, image_id: uuid.UUID | str) -> FundusImage:
    """As ``get_image``, to display it also to a user who may not see the patient, or reads it in a teaching set."""
    images = FundusImage.objects.select_related("exam__site").filter(*_may_see_photo(user))
    return get_object_or_404(images, pk=image_id)


def with_may_see_photo(images: QuerySet[FundusImage], user: User) -> QuerySet[FundusImage]:
    """Annotate ``may_see_photo``: whether ``get_photo`` finds the photograph."""
    may_view, is_in_use = _may_see_photo(user)
    may_see = Case(When(may_view & is_in_use, then=Value(True)), default=Value(False))  # noqa: FBT003
    return cast("QuerySet[FundusImage]", images.annotate(may_see_photo=may_see))


def _may_see_photo(user: User) -> tuple[Q, Q]:
    is_in_use = Q(withdrawn_at__isnull=True) | Q(exam__site__in=sites_for(user))
    return may_view_case(user, exam="exam") | Q(exam__in=exams_in_teaching(user)), is_in_use


def get_grading(*, user: User, grading_id: uuid.UUID | str) -> Grading:
    """A grading of the user's sites, with its photograph, exam and site. Raises Http404."""
    gradings = Grading.objects.select_related("image__exam__site", "threshold")
    return get_object_or_404(restrict(gradings, user), pk=grading_id)


def _detailed_exams(user: User) -> QuerySet[Exam]:
    exams = Exam.objects.select_related("patient", "site", "opened_by", "visit_facts", "lock__holder")
    exams = with_sees_identity(exams.annotate(is_late_reader=is_late_reader(user)), user)
    return with_is_revealed(exams, user)


def _load_rows(exam: Exam, user: User) -> None:
    """Photographs, reviews, first readings and acuities of an exam of ``_detailed_exams``.

    What hides a review from ``user`` is known from the exam: the general conditions (``without_unread``,
    ``without_earlier_unread``) take longer to build than all of these queries.
    """
    images = FundusImage.objects.filter(withdrawn_at__isnull=True).order_by("created_at", "pk")
    gradings = current_first(Grading.objects.select_related("threshold", "stored_heatmap"))
    findings = Prefetch("findings", EyeFinding.objects.order_by("laterality").prefetch_related("marks"))
    reviews = with_not_blind(Review.objects.select_related("reviewer", "outcome_table")).order_by("-signed_at")
    if exam.is_late_reader:  # type: ignore[attr-defined]  # annotated
        reviews = reviews.none()
    elif exam.reading_round > 0:
        reviews = without_earlier_unread(reviews, user)
    prefetch_related_objects(
        [exam],
        Prefetch("images", images.prefetch_related(Prefetch("gradings", gradings))),
        Prefetch("reviews", reviews.prefetch_related(findings)),
        Prefetch("first_readings", FirstReading.objects.order_by("created_at").prefetch_related("marks")),
        Prefetch("acuities", VisualAcuity.objects.order_by("-created_at", "pk")),
    )


def _exam_detail(exam: Exam, user: User) -> ExamDetail:
    _load_rows(exam, user)
    images = list(exam.images.all())
    sees_identity: bool = exam.sees_identity  # type: ignore[attr-defined]  # annotated
    if not sees_identity:
        hide_texts(exam.reviews.all(), user.pk)
    right, left = (
        EyeDetail(
            laterality=eye,
            absent_reason=_shown(exam.absent_reason(eye), sees_identity=sees_identity),
            not_photographed_reason=_shown(exam.not_photographed_reason(eye), sees_identity=sees_identity),
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
        sees_identity=sees_identity,
    )


def _shown(reason: str, *, sees_identity: bool) -> str:
    """A reason in the photographer's words, which could name the person; only that there is one if it is hidden."""
    return reason if sees_identity or not reason else _("The reason is not shown to outside readers.")


def _with_current(image: FundusImage) -> ImageWithGrading:
    return ImageWithGrading(image, next(iter(image.gradings.all()), None))
