"""The forms of the review page: one for each eye, before and after the first reading."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from ml.vocabulary import Laterality
from screening.forms.readings import VERDICTS, EyeReadingForm, EyeWithoutPhotographForm
from screening.models import Exam, EyeFinding, FirstReading, ReadingDraft, Review, Site, User
from screening.policy import GradingScale
from screening.selectors import ExamDetail, EyeDetail, ImageWithGrading
from screening.services.drafts import PHOTO_SUFFIXES
from screening.services.reviews import Finding
from screening.templatetags.gradings import has_oedema_heatmap
from screening.views.page_versions import is_of_other_scale, page_version
from screening.views.reading_values import (
    initial_acuity,
    initial_at_triage,
    initial_of_reading,
    landmarks_in_use,
    landmarks_of,
    macular_answer_of,
    marks_in_use,
    verdict_of,
)
from screening.views.review_photos import best_first


@dataclass(frozen=True, slots=True)
class EyeReviewForm:
    """One eye: its photographs, those of the previous exam, the reviewer's form and the decisive photograph.

    ``images`` and ``previous`` are the best first. ``previous_finding`` is what was signed for the previous exam.
    ``form`` is None for an absent eye, and during the blind reading for an eye without a photograph.
    ``decisive_image`` is None while the model's result is hidden.
    """

    laterality: Laterality
    absent_reason: str
    not_photographed_reason: str
    images: tuple[ImageWithGrading, ...]
    previous: tuple[ImageWithGrading, ...]
    previous_finding: EyeFinding | None
    form: EyeReadingForm | EyeWithoutPhotographForm | None
    first_reading: FirstReading | None
    decisive_image: ImageWithGrading | None

    @property
    def initial_image(self) -> ImageWithGrading | None:
        """The photograph that is displayed first: the best one."""
        return next(iter(self.images), None)

    @property
    def earlier_landmarks(self) -> str:
        """The landmarks that were signed with the previous exam, as JSON."""
        return landmarks_of(self.previous_finding) if self.previous_finding else ""

    @property
    def first_verdict(self) -> str:
        return verdict_of(self.first_reading) if self.first_reading else ""

    @property
    def first_macular_answer(self) -> str:
        return macular_answer_of(self.first_reading) if self.first_reading else ""

    @property
    def differs_from_model(self) -> bool:
        """Whether the model's result and the first reading of this eye differ."""
        grading = self.decisive_image.grading if self.decisive_image else None
        if self.first_reading is None or grading is None or grading.is_gradable is None:
            return False
        return (self.first_reading.is_gradable, self.first_reading.grade) != (grading.is_gradable, grading.grade)


@dataclass(frozen=True, slots=True)
class OwnReading:
    """A first reading of the user beside the signed finding of that eye; ``signed_verdict`` is empty if absent."""

    laterality: Laterality
    own_verdict: str
    own_oedema: str
    signed_verdict: str
    signed_oedema: str

    @property
    def own_label(self) -> str:
        return str(VERDICTS[self.own_verdict])

    @property
    def signed_label(self) -> str:
        return str(VERDICTS[self.signed_verdict]) if self.signed_verdict else ""

    @property
    def is_different(self) -> bool:
        return (self.own_verdict, self.own_oedema) != (self.signed_verdict, self.signed_oedema)


@dataclass(frozen=True, slots=True)
class ReviewPanel:
    """Both eyes and the stage of the review. ``is_blind``: no first reading yet, the model's result is hidden.

    ``is_late``: a colleague signed while the user was reading; what was signed is hidden until the user's own reading
    is stored. ``page_version`` changes if a photograph is added, withdrawn or moved: the reviewer signs the photographs
    displayed. ``draft`` is the user's own, not signed yet; ``base_review`` the review in force.
    """

    eyes: tuple[EyeReviewForm, EyeReviewForm]
    is_blind: bool
    is_late: bool
    is_amending: bool
    page_version: str
    base_review: Review | None
    draft: ReadingDraft | None
    is_draft_of_other_scale: bool
    is_bound: bool

    @property
    def stage(self) -> str:
        """What the form is for: the first reading, or the signature."""
        return "first_reading" if self.is_blind or self.is_late else "signature"

    @property
    def has_oedema_layer(self) -> bool:
        """Whether a photograph has a heatmap of macular oedema that the user may see."""
        gradings = [one.grading for eye in self.eyes for one in eye.images]
        return not self.is_blind and any(has_oedema_heatmap(grading) for grading in gradings)

    @property
    def restored_draft(self) -> ReadingDraft | None:
        """The draft whose entries are on the page; None if it is empty or the page shows a form that was just sent."""
        return self.draft if self.draft is not None and self.draft.entries and not self.is_bound else None

    @property
    def is_draft_of_other_photos(self) -> bool:
        """Whether the photographs changed since the draft was saved: its grades are then not selected."""
        is_other = self.draft is not None and self.draft.page_version not in {"", self.page_version}
        return is_other and not self.is_draft_of_other_scale

    @property
    def draft_verdicts(self) -> list[tuple[Laterality, str, str]]:
        """Eye, grade and macular oedema that the draft has."""
        entries = self.draft.entries if self.draft else {}
        found = [(eye, entries.get(f"{eye}-verdict"), entries.get(f"{eye}-macular_oedema", "")) for eye in Laterality]
        return [(eye, verdict, oedema) for eye, verdict, oedema in found if verdict in VERDICTS]

    @property
    def own_readings(self) -> list[OwnReading]:
        """The user's first readings beside the findings that a colleague signed; empty unless there are both."""
        review = self.base_review
        if review is None:
            return []
        signed = {one.laterality: one for one in review.findings.all()}
        own = [eye.first_reading for eye in self.eyes if eye.first_reading is not None]
        return [
            OwnReading(Laterality(one.laterality), *_texts(one), *_texts(signed.get(one.laterality)))
            for one in own
            if one.reviewer_id != review.reviewer_id
        ]

    @property
    def forms(self) -> dict[Laterality, EyeReadingForm | EyeWithoutPhotographForm]:
        return {eye.laterality: eye.form for eye in self.eyes if eye.form is not None}

    def findings(self) -> dict[Laterality, Finding]:
        """The findings of the forms that are valid."""
        return {eye: finding_of_form(eye, form) for eye, form in self.forms.items() if form.is_valid()}

    def are_valid(self) -> bool:
        """Validate every form, so that all errors are displayed at once."""
        checked = [form.is_valid() for form in self.forms.values()]
        return all(checked)


def build_review_panel(
    exam_detail: ExamDetail,
    user: User,
    *,
    data: Mapping[str, str] | None = None,
    previous: ExamDetail | None = None,
    draft: ReadingDraft | None = None,
) -> ReviewPanel:
    """The panel of both eyes; ``data`` is the posted form, ``previous`` the patient's exam before this one."""
    # An exam without any photograph has nothing to read blind.
    is_blind = not exam_detail.is_model_revealed and any(eye.images for eye in exam_detail.eyes)
    photos = photos_of(exam_detail)
    is_late, version = exam_detail.is_late_reader, page_version(exam_detail.exam, photos)
    entries = _entries_to_restore(exam_detail, draft, version)
    earlier = {eye.laterality: best_first(eye.images) for eye in previous.eyes} if previous else {}
    earlier_review = previous.review if previous else None
    found_earlier = {one.laterality: one for one in earlier_review.findings.all()} if earlier_review else {}
    right, left = (
        EyeReviewForm(
            laterality=eye.laterality,
            absent_reason=eye.absent_reason,
            not_photographed_reason=eye.not_photographed_reason,
            images=best_first(eye.images),
            previous=earlier.get(eye.laterality, ()),
            previous_finding=found_earlier.get(eye.laterality),
            form=_form(exam_detail, eye, user, data, entries, is_first=is_blind or is_late),
            first_reading=exam_detail.first_reading(user, eye.laterality),
            decisive_image=None if is_blind else eye.decisive_image,
        )
        for eye in exam_detail.eyes
    )
    return ReviewPanel(
        eyes=(right, left),
        is_blind=is_blind,
        is_late=is_late,
        is_amending=exam_detail.exam.status == Exam.Status.SIGNED and not is_late,
        page_version=version,
        base_review=exam_detail.review,
        draft=draft,
        is_draft_of_other_scale=draft is not None and is_of_other_scale(draft.page_version, exam_detail.exam, photos),
        is_bound=data is not None,
    )


def photos_of(exam_detail: ExamDetail) -> list[tuple[str, UUID]]:
    """Eye and id of each photograph, for the version of the page."""
    return [(str(eye.laterality), one.image.pk) for eye in exam_detail.eyes for one in eye.images]


def _entries_to_restore(exam_detail: ExamDetail, draft: ReadingDraft | None, version: str) -> dict[str, str]:
    """Entries of a draft: without grades if the scale of the site changed; if photographs did, marks and landmarks."""
    if draft is None:
        return {}
    if draft.page_version in {"", version}:
        return dict(draft.entries)
    if not is_of_other_scale(draft.page_version, exam_detail.exam, photos_of(exam_detail)):
        return {name: text for name, text in draft.entries.items() if name.endswith(PHOTO_SUFFIXES)}
    grades = {f"{eye}-{name}" for eye in Laterality for name in ("verdict", "macular_oedema")}
    return {name: text for name, text in draft.entries.items() if name not in grades}


def _form(
    exam_detail: ExamDetail,
    eye: EyeDetail,
    user: User,
    data: Mapping[str, str] | None,
    entries: Mapping[str, str],
    *,
    is_first: bool,
) -> EyeReadingForm | EyeWithoutPhotographForm | None:
    if eye.absent_reason or (is_first and not eye.images):
        return None
    prefix = f"{eye.laterality}-"
    of_draft = {name.removeprefix(prefix): text for name, text in entries.items() if name.startswith(prefix)}
    if not eye.images:
        return EyeWithoutPhotographForm(data, prefix=eye.laterality, initial=of_draft)
    scale = GradingScale(exam_detail.exam.site.scale)
    first = exam_detail.first_reading(user, eye.laterality)
    findings = exam_detail.review.findings.all() if exam_detail.review else ()
    of_eye = (one for one in findings if one.laterality == eye.laterality)
    signed = next((one for one in of_eye if one.is_photographed and not one.is_absent), None)
    source = signed or first
    initial = initial_acuity(eye)
    if source is not None:
        initial |= initial_of_reading(source)
        initial["changed_reason"] = signed.changed_reason if signed else ""
    elif exam_detail.exam.site.reading_mode == Site.ReadingMode.TRIAGE:
        initial |= initial_at_triage(eye) if scale is GradingScale.ICDR else {}
    initial |= of_draft
    if initial.get("marks"):
        initial["marks"] = marks_in_use(initial["marks"], eye)
    if initial.get("landmarks"):
        initial["landmarks"] = landmarks_in_use(initial["landmarks"], eye)
    return EyeReadingForm(data, prefix=eye.laterality, initial=initial, scale=scale)


def _texts(reading: FirstReading | EyeFinding | None) -> tuple[str, str]:
    """Grade and macular oedema as values of the form; empty for an eye without a grade."""
    if reading is None or (isinstance(reading, EyeFinding) and (reading.is_absent or not reading.is_photographed)):
        return "", ""
    return verdict_of(reading), macular_answer_of(reading)


def finding_of_form(eye: Laterality, form: EyeReadingForm | EyeWithoutPhotographForm) -> Finding:
    """The finding of a valid form."""
    if isinstance(form, EyeWithoutPhotographForm):
        reason = form.cleaned_data["absent_reason"]
        return Finding(laterality=eye, is_photographed=False, is_gradable=False, absent_reason=reason)
    return Finding(
        laterality=eye,
        is_gradable=form.is_gradable,
        grade=form.grade,
        macular_oedema=form.macular_answer,
        changed_reason=form.cleaned_data["changed_reason"],
        acuity=form.cleaned_data["acuity"],
        acuity_correction=form.correction,
        structured=form.structured(),
        marks=form.cleaned_data["marks"],
    )
