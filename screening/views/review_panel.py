"""What the review page shows of each eye at each stage of reading."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from ml.vocabulary import Laterality
from screening.access import Action, can
from screening.forms import UNGRADABLE, EyeReadingForm
from screening.models import Exam, EyeFinding, FirstReading, FundusImage, Site, User
from screening.policy import MacularOedema
from screening.selectors import ExamReading, EyeReading, ImageReading
from screening.services.reviews import Finding


@dataclass(frozen=True, slots=True)
class EyePanel:
    """One eye: its photographs, those of the previous exam, the reviewer's form, and the reading that leads.

    ``form`` is None for an absent eye. ``leading`` is None while the machine's result is hidden.
    """

    laterality: Laterality
    absent_reason: str
    readings: tuple[ImageReading, ...]
    previous: tuple[ImageReading, ...]
    form: EyeReadingForm | None
    first: FirstReading | None
    leading: ImageReading | None

    @property
    def shown(self) -> ImageReading | None:
        """The photograph that is shown at first: the macula-centred one. It does not depend on the machine."""
        centred = [one for one in self.readings if one.image.field == FundusImage.Field.MACULA]
        return next(iter(centred or self.readings), None)

    @property
    def first_verdict(self) -> str:
        return _verdict(self.first) if self.first else ""

    @property
    def differs(self) -> bool:
        """Whether the machine and the reading before the reveal disagree on this eye."""
        grading = self.leading.grading if self.leading else None
        if self.first is None or grading is None or grading.is_gradable is None:
            return False
        return (self.first.is_gradable, self.first.grade) != (grading.is_gradable, grading.grade)


@dataclass(frozen=True, slots=True)
class ReviewPanel:
    """Both eyes, and what may be done. ``is_blind``: the first reading comes next and the machine is hidden.

    ``seen`` changes when a photograph is moved to the other eye: what is signed must be what was looked at.
    """

    eyes: tuple[EyePanel, EyePanel]
    is_blind: bool
    is_amending: bool
    seen: str

    @property
    def forms(self) -> dict[Laterality, EyeReadingForm]:
        return {eye.laterality: eye.form for eye in self.eyes if eye.form is not None}

    def findings(self) -> dict[Laterality, Finding]:
        """The findings of the forms that are valid so far."""
        return {eye: _finding(eye, form) for eye, form in self.forms.items() if form.is_valid()}

    def are_valid(self) -> bool:
        """Check every form, so that all mistakes are shown at once."""
        checked = [form.is_valid() for form in self.forms.values()]
        return all(checked)


def panel_of(
    reading: ExamReading, user: User, *, data: Mapping[str, str] | None = None, previous: ExamReading | None = None
) -> ReviewPanel:
    """Build the page's panel; ``data`` is what was posted."""
    is_revealed = reading.is_model_revealed(user)
    earlier = {eye.laterality: eye.readings for eye in previous.eyes} if previous else {}
    right, left = (
        EyePanel(
            laterality=eye.laterality,
            absent_reason=eye.absent_reason,
            readings=eye.readings,
            previous=earlier.get(eye.laterality, ()),
            form=None if eye.absent_reason else _form(reading, eye, user, data),
            first=reading.first_reading(user, eye.laterality),
            leading=eye.leading if is_revealed else None,
        )
        for eye in reading.eyes
    )
    return ReviewPanel((right, left), not is_revealed, reading.exam.status == Exam.Status.REVIEWED, _seen(reading))


def _seen(reading: ExamReading) -> str:
    parts = [f"{eye.laterality}:{one.image.pk}" for eye in reading.eyes for one in eye.readings]
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:16]


def may_read(user: User, exam: Exam) -> bool:
    """Whether the exam is at a stage where ``user`` reads or amends it."""
    return exam.status in {Exam.Status.SUBMITTED, Exam.Status.REVIEWED} and can(user, Action.REVIEW_EXAM, exam.site)


def _form(reading: ExamReading, eye: EyeReading, user: User, data: Mapping[str, str] | None) -> EyeReadingForm:
    first = reading.first_reading(user, eye.laterality)
    findings = reading.review.findings.all() if reading.review else ()
    signed = next((one for one in findings if one.laterality == eye.laterality and not one.is_absent), None)
    source = signed or first
    initial = {}
    if source is not None:
        initial = {"verdict": _verdict(source), "macular_oedema": source.macular_oedema}
        initial["changed_reason"] = signed.changed_reason if signed else ""
    elif reading.exam.site.reading_mode == Site.ReadingMode.TRIAGE:
        initial = _triage_initial(eye)
    return EyeReadingForm(data, prefix=eye.laterality.value, initial=initial)


def _triage_initial(eye: EyeReading) -> dict[str, str]:
    """At a triage site a clear negative is filled in to be confirmed; an eye that needs care never is, nor oedema."""
    grading = eye.leading.grading if eye.leading else None
    if grading is None or grading.grade is None or grading.is_referable:
        return {}
    return {"verdict": str(grading.grade)}


def _verdict(reading: FirstReading | EyeFinding) -> str:
    return str(reading.grade) if reading.is_gradable else UNGRADABLE


def _finding(eye: Laterality, form: EyeReadingForm) -> Finding:
    return Finding(
        laterality=eye,
        is_gradable=form.grade is not None,
        grade=form.grade,
        macular_oedema=MacularOedema(form.cleaned_data["macular_oedema"]),
        changed_reason=form.cleaned_data["changed_reason"],
    )
