"""Forms of documents: the file that is compared with one, and the letterhead of a site."""

import hashlib
import uuid
from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from screening.forms.addresses import AddressField
from screening.forms.stored_values import BASE, BaseField
from screening.labels.letters import VARIANT_CHOICES
from screening.models import Document, Letterhead
from screening.models.base import max_length
from screening.policy.letters import LetterVariant

MAX_FILE_BYTES = 8 * 1024 * 1024
"""A report has at most four photographs of 300 kB."""
_TOO_LARGE = _("This file is larger than %(mb)d MB, and no document is. Choose the file that you received.")


class FileToCompareForm(forms.Form):
    """A file, or its hash if the browser has computed it: then the file does not leave the computer."""

    file = forms.FileField(label=_("File of the document (PDF)"), required=False)
    sha256 = forms.CharField(required=False, widget=forms.HiddenInput, validators=[RegexValidator("^[0-9a-f]{64}$")])

    def clean(self) -> dict[str, Any]:
        """``sha256`` is that of the file."""
        values: dict[str, Any] = super().clean() or {}
        file: UploadedFile[bytes] | None = values.get("file")
        if file is not None:
            if (file.size or 0) > MAX_FILE_BYTES:
                raise forms.ValidationError(_TOO_LARGE % {"mb": MAX_FILE_BYTES // 1024**2})
            digest = hashlib.sha256()
            for chunk in file.chunks():
                digest.update(chunk)
            values["sha256"] = digest.hexdigest()
        if not values.get("sha256") and not self.errors:
            raise forms.ValidationError(_("Choose the file of the document."))
        return values


class LetterheadForm(forms.Form):
    """Name, address and logo at the head of the documents of a site."""

    name = forms.CharField(label=_("Name of the institution"), max_length=max_length(Letterhead, "name"))
    address = AddressField(label=_("Address"))
    hospital_address = AddressField(
        label=_("Name and address of the eye hospital"), help_text=_("To which letters of referral are sent.")
    )
    logo = forms.FileField(
        label=_("Logo"),
        required=False,
        help_text=_("PNG, JPEG or WebP, at most 2 MB. Without a file the present logo stays."),
    )
    without_logo = forms.BooleanField(label=_("Remove the logo"), required=False)
    base = BaseField()

    @classmethod
    def of(cls, stored: dict[str, str], data: Any = None, files: Any = None) -> "LetterheadForm":
        """The form with the stored name and addresses."""
        return cls(data, files, initial={**stored, BASE: stored})


class LetterForm(forms.Form):
    """Which letter is to be made, and how it is set."""

    kind = forms.ChoiceField(label=_("Letter"))
    variant = forms.ChoiceField(label=_("Print"), choices=VARIANT_CHOICES, initial=LetterVariant.STANDARD.value)

    def __init__(self, *args: Any, kinds: Iterable[Document.Kind], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["kind"]
        field.choices = [(kind.value, kind.label) for kind in kinds]

    @property
    def values(self) -> dict[str, Any]:
        """Kind and variant of a valid form."""
        data = self.cleaned_data
        return {"kind": Document.Kind(data["kind"]), "variant": LetterVariant(data["variant"])}


class LetterBatchForm(forms.Form):
    """How the letters to the people of a list are set; ``batch`` is the same in each repetition of one form."""

    batch = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)
    variant = forms.ChoiceField(label=_("Print"), choices=VARIANT_CHOICES, initial=LetterVariant.STANDARD.value)
