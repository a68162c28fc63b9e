"""Texts of the settings of a site."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils.translation import get_language_info, gettext_lazy
from django.utils.translation import gettext as _

from screening.labels.visit_facts import REQUIRABLE_FACTS
from screening.policy.site_settings import SettingsGroup

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

GROUP_LABELS: dict[SettingsGroup, "_StrPromise"] = {
    SettingsGroup.GENERAL: gettext_lazy("Name, time zone and languages"),
    SettingsGroup.CAPTURE: gettext_lazy("Required photographs and facts"),
    SettingsGroup.READING: gettext_lazy("Reading mode and scale"),
    SettingsGroup.OUTSIDE_READERS: gettext_lazy("Outside readers"),
    SettingsGroup.READING_TIMES: gettext_lazy("Target times of reading"),
    SettingsGroup.REFERRAL_TIMES: gettext_lazy("Target days of referrals"),
    SettingsGroup.RECALL: gettext_lazy("Days of call and recall"),
    SettingsGroup.MESSAGES: gettext_lazy("Messages to people"),
}
GROUP_NOTES: dict[SettingsGroup, "_StrPromise"] = {
    SettingsGroup.GENERAL: gettext_lazy("Days and times of the site are shown in its time zone."),
    SettingsGroup.CAPTURE: gettext_lazy("What the page of an exam asks for before it is handed over."),
    SettingsGroup.READING: gettext_lazy("A change counts for exams that are read from now on. Signed results stay."),
    SettingsGroup.OUTSIDE_READERS: gettext_lazy("What readers of another organisation see of a person."),
    SettingsGroup.READING_TIMES: gettext_lazy(
        "From the hand-over of an exam. Exams that wait get their new due time at once."
    ),
    SettingsGroup.REFERRAL_TIMES: gettext_lazy("Referrals that exist keep their days."),
    SettingsGroup.RECALL: gettext_lazy("The due list counts by these days at once."),
    SettingsGroup.MESSAGES: gettext_lazy("What is sent to people by e-mail and text message."),
}


def facts_text(names: Sequence[str]) -> str:
    """The facts that a site requires, as a list in words."""
    return ", ".join(str(label) for name, label in REQUIRABLE_FACTS.items() if name in names) or _("None")


def language_text(code: str) -> str:
    """The name of a language of messages; an empty code is the language of the installation."""
    if not code:
        return _("The language of this installation")
    return str(get_language_info(code)["name_translated"]) if code in dict(settings.MESSAGE_LANGUAGES) else code


def required_fields_text(*, macula: bool, optic_disc: bool) -> str:
    """The photographs that are required of each eye."""
    if macula and optic_disc:
        return _("Macula and disc of each eye")
    if macula:
        return _("Macula of each eye")
    return _("Disc of each eye") if optic_disc else _("No photograph is required")
