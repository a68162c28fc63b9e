"""The field of postal addresses."""

from typing import Any

from django import forms

from screening.labels.addresses import ADDRESS_HELP, address_text
from screening.postal_addresses import MAX_ADDRESS_CHARS, MAX_ADDRESS_LINES, InvalidAddress, clean_address


class AddressField(forms.CharField):
    """Lines as they are printed. An address is optional."""

    def __init__(self, **options: Any) -> None:
        help_text = options.pop("help_text", ADDRESS_HELP)
        widget = forms.Textarea(attrs={"rows": MAX_ADDRESS_LINES})
        super().__init__(required=False, max_length=MAX_ADDRESS_CHARS, widget=widget, help_text=help_text, **options)

    def clean(self, value: Any) -> str:
        """Lines without blanks around them. Raises ValidationError for too many or too long ones."""
        try:
            return clean_address(super().clean(value))
        except InvalidAddress as error:
            raise forms.ValidationError(address_text(error)) from error
