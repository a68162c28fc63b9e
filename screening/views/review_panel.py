"""The forms of the review page: one for each eye, before and after the first reading."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from ml.vocabulary import Laterality
from screening.access import Action, can
from screening.forms import UNGRADABLE, EyeReadingForm, EyeWithoutPhotographForm
from screening.models import Exam, EyeFinding, FirstReading, FundusImage, Site, User
from screening.policy import MacularOedema
from screening.selectors import ExamDetail, EyeDetail, ImageWithGrading
from screening.services.reviews import Finding


@dataclass(frozen=True, slots=True)
class EyeReviewForm:
    """One eye: its photographs, those of the previous exam, the reviewer's form and the decisive photograph.

    ``form`` is None for an absent eye, and during the blind reading for an eye without a photograph.
    ``decisive_image`` is None while the model's result is hidden.
    """

    laterality: Laterality
    absent_reason: str
    not_photographed_reason: str
    images: tuple[ImageWithGrading, ...]
    previous: tuple[ImageWithGrading, ...]
    form: EyeReadingForm | EyeWithoutPhotographForm | None
    first_reading: FirstReading | None
    decisive_image: ImageWithGrading | None

    @property
    def initial_image(self) -> ImageWithGrading | None:
        """The photograph that is displayed first: the macula-centred one, independent of the model."""
        centred = [one for one in self.images if one.image.field == FundusImage.Field.MACULA]
        return next(iter(centred or self.images), None)

    @property
    def first_verdict(self) -> str:
        return _verdict(self.first_reading) if self.first_reading else ""

    @property
    def differs_from_model(self) -> bool:
        """Whether the model's result and the first reading of this eye differ."""
        grading = self.decisive_image.grading if self.decisive_image else None
        if self.first_reading is None or grading is None or grading.is_gradable is None:
            return False
        return (self.first_reading.is_gradable, self.first_reading.grade) != (grading.is_gradable, grading.grade)


@dataclass(frozen=True, slots=True)
class ReviewPanel:
    """Both eyes and the stage of the review. ``is_blind``: no first reading yet, the model's result is hidden.

    ``page_version`` changes if a photograph is added, withdrawn or moved: the reviewer signs the photographs displayed.
    """

    eyes: tuple[EyeReviewForm, EyeReviewForm]
    is_blind: bool
    is_amending: bool
    page_version: str

    @property
    def forms(self) -> dict[Laterality, EyeReadingForm | EyeWithoutPhotographForm]:
        return {eye.laterality: eye.form for eye in self.eyes if eye.form is not None}

    def findings(self) -> dict[Laterality, Finding]:
        """The findings of the forms that are valid."""
        return {eye: _finding(eye, form) for eye, form in self.forms.items() if form.is_valid()}

    def are_valid(self) -> bool:
        """Validate every form, so that all errors are displayed at once."""
        checked = [form.is_valid() for form in self.forms.values()]
        return all(checked)


def build_review_panel(
    exam_detail: ExamDetail, user: User, *, data: Mapping[str, str] | None = None, previous: ExamDetail | None = None
) -> ReviewPanel:
    """The panel of both eyes; ``data`` is the posted form, ``previous`` the patient's exam before this one."""
    # An exam without any photograph has nothing to read blind.
    is_blind = not exam_detail.is_model_revealed and any(eye.images for eye in exam_detail.eyes)
    earlier = {eye.laterality: eye.images for eye in previous.eyes} if previous else {}
    right, left = (
        EyeReviewForm(
            laterality=eye.laterality,
            absent_reason=eye.absent_reason,
            not_photographed_reason=eye.not_photographed_reason,
            images=eye.images,
            previous=earlier.get(eye.laterality, ()),
            form=_form(exam_detail, eye, user, data, is_blind=is_blind),
            first_reading=exam_detail.first_reading(user, eye.laterality),
            decisive_image=None if is_blind else eye.decisive_image,
        )
        for eye in exam_detail.eyes
    )
    return ReviewPanel(
        (right, left), is_blind, exam_detail.exam.status == Exam.Status.REVIEWED, _page_version(exam_detail)
    )


def _page_version(exam_detail: ExamDetail) -> str:
    facts = [f"{eye.laterality}:{one.image.pk}" for eye in exam_detail.eyes for one in eye.images]
    facts.append(str(exam_detail.exam.reading_round))
    return hashlib.sha256("|".join(facts).encode()).hexdigest()[:16]


def can_review(user: User, exam: Exam) -> bool:
    """Whether ``user`` may review the exam, or amend its review, at its present status."""
    return exam.status in {Exam.Status.SUBMITTED, Exam.Status.REVIEWED} and can(user, Action.REVIEW_EXAM, exam.site)


def _form(
    exam_detail: ExamDetail, eye: EyeDetail, user: User, data: Mapping[str, str] | None, *, is_blind: bool
) -> EyeReadingForm | EyeWithoutPhotographForm | None:
    if eye.absent_reason or (is_blind and not eye.images):
        return None
    if not eye.images:
        return EyeWithoutPhotographForm(data, prefix=eye.laterality)
    first = exam_detail.first_reading(user, eye.laterality)
    findings = exam_detail.review.findings.all() if exam_detail.review else ()
    of_eye = (one for one in findings if one.laterality == eye.laterality)
    signed = next((one for one in of_eye if one.is_photographed and not one.is_absent), None)
    source = signed or first
    initial = {}
    if source is not None:
        initial = {"verdict": _verdict(source), "macular_oedema": source.macular_oedema}
        initial["changed_reason"] = signed.changed_reason if signed else ""
    elif exam_detail.exam.site.reading_mode == Site.ReadingMode.TRIAGE:
        initial = _triage_initial(eye)
    return EyeReadingForm(data, prefix=eye.laterality, initial=initial)


def _triage_initial(eye: EyeDetail) -> dict[str, str]:
    """At a triage site a clear negative is preselected for confirmation; a referable eye and oedema never are.

    Nor is a negative in which small lesions could be missed.
    """
    grading = eye.decisive_image.grading if eye.decisive_image else None
    if grading is None or grading.grade is None or grading.is_referable or eye.limited_negatives:
        return {}
    return {"verdict": str(grading.grade)}


def _verdict(reading: FirstReading | EyeFinding) -> str:
    return str(reading.grade) if reading.is_gradable else UNGRADABLE


def _finding(eye: Laterality, form: EyeReadingForm | EyeWithoutPhotographForm) -> Finding:
    if isinstance(form, EyeWithoutPhotographForm):
        reason = form.cleaned_data["absent_reason"]
        return Finding(laterality=eye, is_photographed=False, is_gradable=False, absent_reason=reason)
    return Finding(
        laterality=eye,
        is_gradable=form.grade is not None,
        grade=form.grade,
        macular_oedema=MacularOedema(form.cleaned_data["macular_oedema"]),
        changed_reason=form.cleaned_data["changed_reason"],
    )
