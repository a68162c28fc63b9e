"""Forms check the shape of a request; services check the truth of the data."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from ml.vocabulary import ICDRGrade
from screening.labels.eyes import LATERALITY_CHOICES
from screening.labels.grades import GRADE_LABELS
from screening.labels.reviews import MACULAR_OEDEMA_CHOICES
from screening.models import FundusImage, Patient, Site
from screening.models.sites import validate_timezone
from screening.policy import MacularOedema

UNGRADABLE = "U"
VERDICTS = [*((str(grade.value), GRADE_LABELS[grade]) for grade in ICDRGrade), (UNGRADABLE, _("Ungradable"))]
PHOTO_TYPES = "image/jpeg,image/png,image/tiff,image/webp,.jpg,.jpeg,.png,.tif,.tiff,.webp"


def error_text(form: forms.Form) -> str:
    """All that is wrong with a form, for a place that shows one text."""
    return " ".join(str(error) for errors in form.errors.values() for error in errors)


class PhotoField(forms.FileField):
    """A photograph as it arrives. What is in the file is judged by ``photos.validation``."""

    widget = forms.FileInput(attrs={"accept": PHOTO_TYPES})
    default_error_messages = {
        "required": _("Choose a photograph."),
        "empty": _("This file is empty (0 bytes). Copy it again from the camera."),
    }


class FirstSiteForm(forms.Form):
    """The site that a new installation begins with."""

    name = forms.CharField(label=_("Name of the clinic"), max_length=120)
    timezone = forms.CharField(
        label=_("Time zone"),
        max_length=64,
        initial="UTC",
        validators=[validate_timezone],
        help_text=_("Written like Europe/Paris."),
    )


class PatientForm(forms.Form):
    """A patient's details, to register or to correct."""

    site = forms.ModelChoiceField(Site.objects.none(), label=_("Site"), empty_label=None)
    mrn = forms.CharField(
        label=_("Medical record number"),
        max_length=40,
        help_text=_("The number of the patient at this site. It identifies the patient; the name does not."),
    )
    family_name = forms.CharField(label=_("Family name"), max_length=80)
    given_name = forms.CharField(label=_("Given name"), max_length=80)
    born_on = forms.DateField(label=_("Birth date"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    sex = forms.ChoiceField(label=_("Sex"), choices=Patient.Sex.choices, initial=Patient.Sex.UNKNOWN)
    diabetes_type = forms.ChoiceField(
        label=_("Diabetes"), choices=Patient.DiabetesType.choices, initial=Patient.DiabetesType.UNKNOWN
    )
    diabetes_since_year = forms.IntegerField(
        label=_("Diabetes since (year)"),
        required=False,
        min_value=1900,
        max_value=2100,
        help_text=_("Leave empty if unknown."),
    )

    def __init__(self, *args: Any, sites: QuerySet[Site] | None, **kwargs: Any) -> None:
        """``sites`` are those where the user may register patients; None when a registered one is corrected."""
        super().__init__(*args, **kwargs)
        if sites is None:
            del self.fields["site"]
        else:
            self._offer(sites)
        for name in ("mrn", "family_name", "given_name", "born_on"):
            self.fields[name].widget.attrs["autocomplete"] = "off"

    def _offer(self, sites: QuerySet[Site]) -> None:
        """A single site is not asked for."""
        rows = list(sites[:2])
        self.fields["site"] = forms.ModelChoiceField(
            sites,
            label=_("Site"),
            empty_label=None,
            initial=rows[0] if rows else None,
            widget=forms.HiddenInput if len(rows) == 1 else forms.Select,
        )


class PatientSearchForm(forms.Form):
    """What to look for; sent by POST so that no name reaches an address or a server's log."""

    text = forms.CharField(
        label=_("Medical record number or name"),
        max_length=80,
        required=False,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )


class PhotoForm(forms.Form):
    """One photograph of one eye. The eye is asked for and never assumed."""

    photo = PhotoField(label=_("Photograph"))
    laterality = forms.ChoiceField(
        label=_("Which eye?"),
        choices=LATERALITY_CHOICES,
        widget=forms.RadioSelect,
        error_messages={"required": _("Say which eye this is: right (OD) or left (OS).")},
    )
    field = forms.ChoiceField(
        label=_("Centred on"), choices=FundusImage.Field.choices, initial=FundusImage.Field.MACULA, required=False
    )

    def clean_field(self) -> str:
        """A photograph without a field is taken as macula-centred, the standard first shot."""
        return self.cleaned_data["field"] or FundusImage.Field.MACULA


class LateralityForm(forms.Form):
    """Which eye a photograph shows."""

    laterality = forms.ChoiceField(choices=LATERALITY_CHOICES)


class PredictionForm(forms.Form):
    """One photograph to try; nothing of it is stored."""

    photo = PhotoField(label=_("Photograph"))


class ReasonForm(forms.Form):
    """Why: a reason that is kept with the record."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=200,
        error_messages={"required": _("Write the reason; it is kept with the record.")},
    )


class AbsentEyeForm(ReasonForm):
    """Why an eye cannot be photographed; empty takes the record back."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = False


class EyeReadingForm(forms.Form):
    """What the reviewer found in one eye. Used with the eye as prefix: ``OD-verdict``."""

    verdict = forms.ChoiceField(
        label=_("Grade"),
        choices=VERDICTS,
        widget=forms.RadioSelect,
        error_messages={"required": _("Grade this eye, or say that it is ungradable.")},
    )
    macular_oedema = forms.ChoiceField(
        label=_("Macular oedema"),
        choices=MACULAR_OEDEMA_CHOICES,
        widget=forms.RadioSelect,
        required=False,
        help_text=_("The model does not grade it."),
    )
    changed_reason = forms.CharField(label=_("Why changed from the first reading?"), max_length=300, required=False)

    def clean(self) -> dict[str, Any]:
        """A graded eye needs a word on its macula; an ungradable one needs none."""
        data = super().clean() or {}
        if data.get("verdict") == UNGRADABLE:
            data["macular_oedema"] = MacularOedema.UNKNOWN
        elif data.get("verdict") and not data.get("macular_oedema"):
            self.add_error("macular_oedema", _("Say whether there is macular oedema; the model does not grade it."))
        return data

    @property
    def grade(self) -> ICDRGrade | None:
        """The grade of a valid form; None where the eye is ungradable."""
        verdict = self.cleaned_data["verdict"]
        return None if verdict == UNGRADABLE else ICDRGrade(int(verdict))


class SignForm(forms.Form):
    """What is signed beside the two findings."""

    note = forms.CharField(label=_("Note"), max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 2}))
    amend_reason = forms.CharField(label=_("Why is the signed review amended?"), max_length=300, required=False)
