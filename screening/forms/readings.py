"""The forms of a reading: what a reviewer finds in each eye, and the signature."""

from dataclasses import dataclass, replace
from typing import Any

from django import forms
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from ml.vocabulary import ICDRGrade
from screening.forms.landmarks import LandmarksField
from screening.forms.lesions import LESION_GROUPS, LESION_PREFIX, NOT_IN_SCALE, LesionInput, lesion_field
from screening.forms.marks import MarksField
from screening.labels.acuities import CORRECTION_CHOICES
from screening.labels.grades import GRADE_LABELS, SHORT_GRADE_LABELS
from screening.labels.lesions import LESION_LABELS, UNGRADABLE_REASON_CHOICES, VALUE_LABELS, UngradableReason
from screening.labels.reviews import MACULAR_OEDEMA_LABELS, SHORT_MACULAR_OEDEMA_LABELS
from screening.labels.scales import MACULOPATHY_LABELS, PHOTOCOAGULATION_LABELS, RETINOPATHY_LABELS
from screening.models import Exam, EyeFinding, Review, VisualAcuity
from screening.models.base import max_length
from screening.policy import GradingScale, MacularOedema, Maculopathy, Retinopathy
from screening.policy.acuity import Correction
from screening.policy.lesions import MAX_VALUES, Lesion, cleaned_lesions
from screening.policy.scales import SCALES
from screening.services.structured_findings import StructuredFindings

UNGRADABLE = "U"
NOT_PHOTOGRAPHED, ABSENT = "N", "A"
"""All that can be signed for an eye without a photograph."""
ICDR_VERDICTS = {str(grade.value): GRADE_LABELS[grade] for grade in ICDRGrade}
VERDICTS: dict[str, Any] = {
    **ICDR_VERDICTS,
    **{grade.value: grade.value for grade in Retinopathy},
    UNGRADABLE: _("Ungradable"),
}
"""The grades of all scales."""
MACULAR_ANSWERS: dict[str, Any] = {
    **{one.value: label for one, label in MACULAR_OEDEMA_LABELS.items()},
    **{grade.value: grade.value for grade in Maculopathy},
}
_CHOOSE_OEDEMA = _("Choose your own answer for macular oedema. A colour photograph alone cannot exclude it.")


@dataclass(frozen=True, slots=True)
class Option:
    """One radio button: ``key`` on the keyboard, ``short`` beside it, ``label`` as its tooltip."""

    tag: SafeString
    key: str
    short: str
    label: str


def verdicts_of(scale: GradingScale) -> dict[str, Any]:
    """Grades of a scale with their labels, mildest first, and "ungradable"."""
    grades = ICDR_VERDICTS
    if scale is not GradingScale.ICDR:
        grades = {one.value: RETINOPATHY_LABELS[scale][one] for one in SCALES[scale].icdr}
    return {**grades, UNGRADABLE: VERDICTS[UNGRADABLE]}


def macular_answers_of(scale: GradingScale) -> dict[str, Any]:
    """Answers for the macula in a scale with their labels; the last one is "cannot tell"."""
    if scale is GradingScale.ICDR:
        return {one.value: MACULAR_OEDEMA_LABELS[one] for one in MacularOedema}
    grades = {one.value: MACULOPATHY_LABELS[scale][one] for one in SCALES[scale].maculopathy}
    return {**grades, MacularOedema.UNKNOWN.value: MACULAR_OEDEMA_LABELS[MacularOedema.UNKNOWN]}


class EyeReadingForm(forms.Form):
    """The reviewer's finding for one eye, with the eye as prefix: ``OD-verdict``. Lesions: ``OD-lesion_irma``.

    The class has the grades of all scales, a form those of one.
    """

    verdict = forms.ChoiceField(
        label=_("Grade"),
        choices=list(VERDICTS.items()),
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose a grade, or choose Ungradable.")},
    )
    macular_oedema = forms.ChoiceField(
        label=_("Macular oedema"), choices=list(MACULAR_ANSWERS.items()), widget=forms.RadioSelect, required=False
    )
    changed_reason = forms.CharField(
        label=_("Why did you change your first reading?"),
        max_length=max_length(EyeFinding, "changed_reason"),
        required=False,
    )
    contradiction_reason = forms.CharField(
        label=_("Your answer is not the one that follows from the lesions. Why?"),
        max_length=max_length(EyeFinding, "contradiction_reason"),
        required=False,
    )
    ungradable_reason = forms.ChoiceField(
        label=_("Why is it ungradable?"), choices=[("", "---"), *UNGRADABLE_REASON_CHOICES], required=False
    )
    other_disease = forms.CharField(
        label=_("Which other disease?"), max_length=max_length(EyeFinding, "other_disease"), required=False
    )
    acuity = forms.CharField(
        label=_("Visual acuity"),
        max_length=max_length(VisualAcuity, "entered"),
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "size": 8, "placeholder": "6/12"}),
    )
    acuity_correction = forms.ChoiceField(
        label=_("Correction"), choices=[("", _("not stated")), *CORRECTION_CHOICES], required=False
    )
    marks = MarksField(label=_("Marks"), required=False, widget=forms.HiddenInput)
    landmarks = LandmarksField(label=_("Optic disc and fovea"), required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, scale: GradingScale = GradingScale.ICDR, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.scale = scale
        fields: dict[str, Any] = self.fields
        fields["verdict"].choices = list(verdicts_of(scale).items())
        fields["macular_oedema"].choices = list(macular_answers_of(scale).items())
        if scale is not GradingScale.ICDR:
            fields["macular_oedema"].label = _("Maculopathy")

    def clean(self) -> dict[str, Any]:
        """Require an answer for the macula of a gradable eye; an ungradable eye has the value UNKNOWN."""
        data = super().clean() or {}
        if data.get("verdict") == UNGRADABLE:
            data["macular_oedema"] = MacularOedema.UNKNOWN
        elif data.get("verdict"):
            data["ungradable_reason"] = ""
            if not data.get("macular_oedema"):
                self.add_error("macular_oedema", _CHOOSE_OEDEMA)
        return data

    @property
    def is_gradable(self) -> bool:
        """Whether the eye of a valid form has a grade."""
        return bool(self.cleaned_data["verdict"] != UNGRADABLE)

    @property
    def grade(self) -> ICDRGrade | None:
        """The ICDR grade of a valid form; None if the eye is ungradable, or graded in another scale."""
        is_icdr = self.is_gradable and self.scale is GradingScale.ICDR
        return ICDRGrade(int(self.cleaned_data["verdict"])) if is_icdr else None

    @property
    def macular_answer(self) -> MacularOedema:
        """Macular oedema of a valid form; the highest grade of maculopathy of a scale is "suspected"."""
        answer = self.cleaned_data["macular_oedema"]
        if answer not in set(Maculopathy):
            return MacularOedema(answer)
        is_highest = answer == SCALES[self.scale].maculopathy[-1]
        return MacularOedema.SUSPECTED if is_highest else MacularOedema.NONE

    @property
    def correction(self) -> Correction | None:
        chosen = self.cleaned_data["acuity_correction"]
        return Correction(chosen) if chosen else None

    def structured(self) -> StructuredFindings:
        """The structured findings of a valid form."""
        data, has_scale = self.cleaned_data, self.is_gradable and self.scale is not GradingScale.ICDR
        answer, reason = data["macular_oedema"], data["ungradable_reason"]
        return StructuredFindings(
            lesions=cleaned_lesions({one.value: int(data[f"{LESION_PREFIX}{one}"] or 0) for one in Lesion}),
            other_disease=data["other_disease"],
            ungradable_reason=UngradableReason(reason) if reason else None,
            retinopathy=Retinopathy(data["verdict"]) if has_scale else None,
            maculopathy=Maculopathy(answer) if has_scale and answer in set(Maculopathy) else None,
            contradiction_reason=data["contradiction_reason"],
            landmarks=data["landmarks"],
        )

    def verdict_options(self) -> list[Option]:
        """Radio buttons of the grades; the keys are 0, 1, ... and U."""
        shorts = {str(int(grade)): label for grade, label in SHORT_GRADE_LABELS.items()} | {UNGRADABLE: VERDICTS["U"]}
        options = []
        for number, radio in enumerate(self["verdict"]):
            value = str(radio.data["value"])
            key = UNGRADABLE if value == UNGRADABLE else str(number)
            options.append(Option(radio.tag(), key, str(shorts.get(value, value)), str(radio.choice_label)))
        return options

    def macular_options(self) -> list[Option]:
        """Radio buttons of the answers for the macula."""
        shorts = {one.value: label for one, label in SHORT_MACULAR_OEDEMA_LABELS.items()}
        pairs = [(radio, str(radio.data["value"])) for radio in self["macular_oedema"]]
        return [
            Option(radio.tag(), "", str(shorts.get(value, value)), str(radio.choice_label)) for radio, value in pairs
        ]

    def photocoagulation(self) -> "LesionInput | None":
        """Radio buttons of the grades of photocoagulation: values of the finding "laser scars"; None without grades."""
        grades = SCALES[self.scale].photocoagulation if self.scale is not GradingScale.ICDR else ()
        options = [(grade.value, str(PHOTOCOAGULATION_LABELS[grade])) for grade in grades]
        return replace(self._input(Lesion.LASER_SCARS), options=options) if options else None

    def lesion_groups(self) -> list[tuple[str, list["LesionInput"]]]:
        """Controls of the lesions of the scale, with the titles of their groups."""
        left_out = NOT_IN_SCALE[self.scale]
        return [
            (str(title), [self._input(one) for one in lesions if one not in left_out])
            for title, lesions in LESION_GROUPS.items()
        ]

    def _input(self, lesion: Lesion) -> "LesionInput":
        bound = self[f"{LESION_PREFIX}{lesion}"]
        labels = VALUE_LABELS.get(lesion) or [str(number) for number in range(1, MAX_VALUES[lesion] + 1)]
        options = [(str(number), str(label)) for number, label in enumerate(labels, start=1)]
        return LesionInput(
            lesion.value, bound.html_name, str(bound.auto_id), str(LESION_LABELS[lesion]), str(bound.value() or "0"),
            options if MAX_VALUES[lesion] > 1 else [],
        )  # fmt: skip

    @property
    def n_lesions(self) -> int:
        """Number of lesions that are entered."""
        shown = set(Lesion) - NOT_IN_SCALE[self.scale]
        return sum(str(self[f"{LESION_PREFIX}{one}"].value() or "0") != "0" for one in shown)


for _lesion in Lesion:
    EyeReadingForm.base_fields[f"{LESION_PREFIX}{_lesion}"] = lesion_field(_lesion)


class EyeWithoutPhotographForm(forms.Form):
    """What the reviewer signs for an eye without a photograph, with the eye as prefix: ``OD-verdict``."""

    verdict = forms.ChoiceField(
        label=_("No photograph"),
        choices=[
            (NOT_PHOTOGRAPHED, _("Not photographed: repeat imaging")),
            (ABSENT, _("The eye is absent, for example a prosthesis")),
        ],
        widget=forms.RadioSelect,
        error_messages={
            "required": _("This eye has no photograph. Choose “Not photographed”, or “The eye is absent”."),
            "invalid_choice": _("This eye has no photograph. Choose “Not photographed”, or “The eye is absent”."),
        },
    )
    absent_reason = forms.CharField(
        label=_("Why is the eye absent?"),
        max_length=max_length(Exam, "right_eye_absent_reason"),
        required=False,
    )

    def clean(self) -> dict[str, Any]:
        """Require a reason for an absent eye, and none for the other choice."""
        data = super().clean() or {}
        if data.get("verdict") != ABSENT:
            data["absent_reason"] = ""
        elif not data.get("absent_reason"):
            self.add_error("absent_reason", _("Enter why the eye is absent, for example: prosthesis."))
        return data


class SignForm(forms.Form):
    """The note on a review, and the reason of an amendment."""

    note = forms.CharField(
        label=_("Note"),
        max_length=max_length(Review, "note"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    amend_reason = forms.CharField(
        label=_("Why is the signed review amended?"), max_length=max_length(Review, "amend_reason"), required=False
    )
