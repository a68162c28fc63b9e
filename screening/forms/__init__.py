"""Forms check the shape of a request; services check the truth of the data."""

from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from ml.vocabulary import ServedModel
from screening.forms.timezones import TimezoneField
from screening.labels.eyes import LATERALITY_CHOICES
from screening.labels.models import MODEL_LABELS, unknown_model_text
from screening.models import Correction, FundusImage, Patient, Site
from screening.models.base import max_length
from screening.selectors.sites import default_model
from screening.services.upload_checks import DICOM_EYE, DICOM_PATIENT, OLD_DATE, OTHER_PATIENT, OnWriting

PHOTO_TYPES = "image/jpeg,image/png,image/tiff,image/webp,application/dicom,.jpg,.jpeg,.png,.tif,.tiff,.webp,.dcm"
WRITING_CHOICES = [
    (OnWriting.BLANK.value, _("Blank it: all outside the retina becomes black")),
    (OnWriting.KEEP.value, _("Keep it")),
]
CONFIRM_CHOICES = [
    (OTHER_PATIENT, _("It shows this patient")),
    (OLD_DATE, _("The date is right")),
    (DICOM_PATIENT, _("It shows this patient")),
    (DICOM_EYE, _("The eye that I chose is right")),
]
_CHOOSE_EYE = _("Choose the eye: right (OD) or left (OS).")


def error_text(form: forms.Form) -> str:
    """All errors of a form in one text, without the names of the fields."""
    return " ".join(str(error) for errors in form.errors.values() for error in errors)


class PhotoField(forms.FileField):
    """An uploaded photograph. The file, empty or not, is checked by ``photos.validation``."""

    widget = forms.FileInput(attrs={"accept": PHOTO_TYPES})
    default_error_messages = {"required": _("Choose a photograph.")}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_empty_file=True, **kwargs)


class NewPasswordForm(PasswordChangeForm):
    """The present password and a new one. Wrong ones are counted, audited and limited as at the log-in."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        super().__init__(cast("Any", request.user), request.POST or None)

    def clean_old_password(self) -> str:
        """Raises ValidationError."""
        password: str = self.cleaned_data["old_password"]
        if authenticate(self.request, username=self.user.get_username(), password=password) is None:
            raise forms.ValidationError(self.error_messages["password_incorrect"], code="password_incorrect")
        return password


class LogInForm(AuthenticationForm):
    """User name and password."""

    error_messages = {
        **AuthenticationForm.error_messages,
        "invalid_login": _("The user name or the password is wrong. Check capital letters and try again."),
    }


class LanguageChoiceForm(forms.Form):
    """The language of pages; none: that of the browser."""

    language = forms.ChoiceField(label=_("Language"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["language"]
        field.choices = [("", _("Language of the browser")), *settings.LANGUAGES]


class FirstSiteForm(forms.Form):
    """The first site of a new installation."""

    name = forms.CharField(label=_("Name of the clinic"), max_length=max_length(Site, "name"))
    timezone = TimezoneField(initial="UTC")


class LateralityForm(forms.Form):
    """The eye of a photograph."""

    laterality = forms.ChoiceField(
        label=_("Which eye?"),
        choices=LATERALITY_CHOICES,
        widget=forms.RadioSelect,
        error_messages={"required": _CHOOSE_EYE, "invalid_choice": _CHOOSE_EYE},
    )


class OnePhotoForm(forms.Form):
    """A form with one file: a second one would not be looked at."""

    def clean(self) -> dict[str, Any] | None:
        """Raises ValidationError for several files."""
        if sum(len(self.files.getlist(name)) for name in self.files) > 1:
            raise forms.ValidationError(_("This form has several files. Send one photograph at a time."))
        return super().clean()


class PhotoForm(OnePhotoForm, LateralityForm):
    """One photograph of one eye. The eye has no default."""

    photo = PhotoField(label=_("Photograph"), required=False)
    upload = forms.UUIDField(required=False, widget=forms.HiddenInput)
    field = forms.ChoiceField(
        label=_("Field"), choices=FundusImage.Field.choices, initial=FundusImage.Field.MACULA, required=False
    )

    pupil = forms.ChoiceField(
        label=_("Pupil"),
        choices=[("", pgettext_lazy("pupil", "Not stated")), *FundusImage.Pupil.choices],
        required=False,
    )
    captured_on = forms.DateField(
        label=_("Taken on"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=_("Leave empty if it was taken today, or if the file has the date."),
    )
    confirm = forms.MultipleChoiceField(choices=CONFIRM_CHOICES, required=False, widget=forms.MultipleHiddenInput)
    writing = forms.ChoiceField(choices=WRITING_CHOICES, required=False)
    reason = forms.CharField(
        label=_("Why is this photograph in the exams of two patients?"),
        max_length=max_length(FundusImage, "copy_reason"),
        required=False,
    )

    def clean(self) -> dict[str, Any] | None:
        """Raises ValidationError unless there is either a file or an upload that is complete."""
        data = super().clean() or {}
        if bool(data.get("photo") is not None) == bool(data.get("upload")) and "photo" not in self.errors:
            self.add_error("photo", str(PhotoField.default_error_messages["required"]))
        return data

    def clean_writing(self) -> OnWriting:
        """Ask if no answer is given."""
        return OnWriting(self.cleaned_data["writing"] or OnWriting.QUESTION)

    def clean_field(self) -> str:
        """Macula-centred, the standard first photograph, if no field is given."""
        return self.cleaned_data["field"] or FundusImage.Field.MACULA


class PredictionForm(OnePhotoForm):
    """One photograph to grade without storing it, and the model; without one, that of predictions."""

    photo = PhotoField(label=_("Photograph"))
    model = forms.CharField(label=_("Model"), required=False, widget=forms.Select)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["model"].initial = default_model()
        self.fields["model"].widget.choices = [(model, MODEL_LABELS[model]) for model in settings.GRADING_MODELS]

    def clean_model(self) -> ServedModel:
        """Raises ValidationError for a model that is unknown or not installed."""
        name = self.cleaned_data["model"] or default_model()
        if name not in settings.GRADING_MODELS:
            raise forms.ValidationError(unknown_model_text(name))
        return ServedModel(name)


class WithdrawForm(forms.Form):
    """Why a photograph is withdrawn. The service requires words for another reason."""

    code = forms.ChoiceField(
        label=_("Why?"),
        choices=FundusImage.WithdrawnCode.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose why the photograph is withdrawn.")},
    )
    reason = forms.CharField(
        label=_("In words (needed for another reason)"),
        max_length=max_length(FundusImage, "withdrawn_reason"),
        required=False,
    )


class ReturnForm(forms.Form):
    """The reason to return an exam to the photographer."""

    reason = forms.CharField(
        label=_("What has to be done? For example: left eye out of focus"),
        max_length=max_length(Correction, "reason"),
        error_messages={"required": _("Enter what the photographer has to do, for example: left eye out of focus.")},
    )


class CorrectionReasonForm(forms.Form):
    """The reason of a correction; ``review``: the result that the page showed."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=max_length(Correction, "reason"),
        help_text=_("What was wrong, without names. It is kept with the record."),
        error_messages={"required": _("Enter the reason. It is kept with the record.")},
    )
    review = forms.CharField(required=False, widget=forms.HiddenInput)


class OtherPatientForm(CorrectionReasonForm):
    """The other patient of a move or a merge; ``confirm`` is the id of the patient that the user was shown."""

    mrn = forms.CharField(
        label=_("Medical record number of the right patient"),
        max_length=max_length(Patient, "mrn"),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    confirm = forms.CharField(required=False, widget=forms.HiddenInput)

    field_order = ("mrn", "reason")
