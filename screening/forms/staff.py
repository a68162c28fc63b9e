"""Forms of the staff of a site, and of a person who accepts an invitation."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.auth.forms import UserCreationForm
from django.utils.translation import gettext_lazy as _

from screening.models import Invitation, Membership, StaffChange, User
from screening.models.base import max_length

if TYPE_CHECKING:
    _AccountForm = UserCreationForm[User]
else:
    _AccountForm = UserCreationForm

BY_MAIL, BY_LINK = "mail", "link"
MAX_CODE_CHARS = 200


class _RolesForm(forms.Form):
    """Roles at a site, and why."""

    roles = forms.MultipleChoiceField(
        label=_("Roles at this site"),
        choices=Membership.Role.choices,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one role.")},
    )
    reason = forms.CharField(
        label=_("Reason (optional)"),
        required=False,
        max_length=max_length(StaffChange, "reason"),
        help_text=_("It is shown in the history."),
    )


class StaffForm(_RolesForm):
    """What a person may do at a site. ``base``: the version that the page showed."""

    base = forms.CharField(widget=forms.HiddenInput)


class InvitationForm(_RolesForm):
    """An invitation. Without a mail server the link is shown to the manager."""

    email = forms.EmailField(label=_("E-mail address"), max_length=max_length(Invitation, "email"))
    delivery = forms.ChoiceField(
        label=_("How the person gets the link"),
        choices=[(BY_MAIL, _("By e-mail")), (BY_LINK, _("I pass it on myself: show it to me once"))],
        widget=forms.RadioSelect,
        initial=BY_MAIL,
    )
    field_order = ("email", "roles", "delivery", "reason")

    def __init__(self, *args: Any, has_mail: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not has_mail:
            del self.fields["delivery"]

    @property
    def is_by_mail(self) -> bool:
        return self.cleaned_data.get("delivery") == BY_MAIL


class InvitationCodeForm(forms.Form):
    """The code of an invitation, which the page takes from its link."""

    code = forms.CharField(
        label=_("Code or link of the invitation"),
        max_length=MAX_CODE_CHARS,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def clean_code(self) -> str:
        """The code alone, if the whole link was pasted."""
        code: str = self.cleaned_data["code"]
        return code.rsplit("#", maxsplit=1)[-1]


class AccountForm(_AccountForm):
    """A new account: names, and a password that the rules of the product allow."""

    class Meta(UserCreationForm.Meta):
        model = User
        fields = ("first_name", "last_name", "username")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["username"].widget.attrs["autofocus"]  # what the invitation is comes first
        for name, token in (("first_name", "given-name"), ("last_name", "family-name")):
            self.fields[name].required = True
            self.fields[name].widget.attrs["autocomplete"] = token

    @property
    def account(self) -> dict[str, str]:
        """The values of a valid form, as ``create_account`` takes them."""
        values = {name: self.cleaned_data[name] for name in self.Meta.fields}
        return values | {"password": self.cleaned_data["password1"]}
