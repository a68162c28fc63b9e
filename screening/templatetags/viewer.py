"""Buttons of the viewer's toolbar, and the caption of a photograph."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from screening.models import EyeFinding, FundusImage
from screening.templatetags.photos import signed_grade

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

register = template.Library()


@dataclass(frozen=True, slots=True)
class Tool:
    """A button: the attribute that the scripts look for, its icon (of Lucide), name and key."""

    attribute: str
    icon: str
    label: "_StrPromise"
    key: str = ""


_DO, _LAYOUT, _VIEW, _RULER = "data-viewer-do", "data-layout-do", "data-layout-view", "data-ruler-do"
_MARKS = "data-marks-do"
TOOLS = {
    "eyes": Tool(_VIEW, "columns-2", gettext_lazy("Both eyes")),
    "visits": Tool(_VIEW, "history", gettext_lazy("This visit and the one before")),
    "fields": Tool(_VIEW, "grid-2x2", gettext_lazy("Two fields of each eye")),
    "flicker": Tool(_LAYOUT, "replace", gettext_lazy("The visit before, in the same place"), "B"),
    "one": Tool(_LAYOUT, "maximize-2", gettext_lazy("Selected eye on the full screen"), "X"),
    "strip": Tool(_LAYOUT, "images", gettext_lazy("Strip of photographs"), "T"),
    "panel": Tool(_LAYOUT, "panel-right", gettext_lazy("Side panel"), "P"),
    "zoom-out": Tool(_DO, "zoom-out", gettext_lazy("Zoom out")),
    "zoom-in": Tool(_DO, "zoom-in", gettext_lazy("Zoom in")),
    "fit": Tool(_DO, "scan", gettext_lazy("Fit"), "F"),
    "actual": Tool(_DO, "", gettext_lazy("Original size, 1:1"), "Z"),
    "link": Tool(_DO, "link-2", gettext_lazy("Move together")),
    "red-free": Tool(_DO, "contrast", gettext_lazy("Red-free"), "G"),
    "invert": Tool(_DO, "circle-dot", gettext_lazy("Inverted"), "I"),
    "ruler": Tool(_RULER, "ruler", gettext_lazy("Ruler in disc diameters"), "C"),
    "mark": Tool(_MARKS, "pencil", gettext_lazy("Draw marks"), "K"),
    "show": Tool(_MARKS, "eye", gettext_lazy("Show marks"), "E"),
    "finish": Tool(_MARKS, "check", gettext_lazy("Close the outline (Enter)")),
    "cancel": Tool(_MARKS, "x", gettext_lazy("Cancel the shape (Esc)")),
    "undo": Tool(_MARKS, "undo-2", gettext_lazy("Undo the last change of marks")),
    "heat": Tool(_DO, "flame", gettext_lazy("Heatmap")),
    "hold": Tool("data-viewer-hold", "scan-eye", gettext_lazy("Hold to show the heatmap"), "H"),
    "loupe": Tool(_DO, "search", gettext_lazy("Loupe"), "Q"),
}


@register.inclusion_tag("screening/reviews/_tool.html")
def tool(name: str, *, is_toggle: bool = False, has_text: bool = False) -> dict[str, Any]:
    """A button of the toolbar; ``is_toggle``: it is on or off, which the scripts set; ``has_text``: with its name."""
    return {"name": name, "tool": TOOLS[name], "is_toggle": is_toggle, "has_text": has_text}


@register.simple_tag
def photo_caption(image: FundusImage, finding: EyeFinding | None, day: str, *, is_previous: bool) -> str:
    """Field of a photograph; of an earlier visit also its ``day`` and what was signed for the eye."""
    facts = [image.get_field_display()]
    if image.is_synthetic:
        facts.append(_("Synthetic, not a patient"))
    if is_previous:
        facts.append(day)
        if finding is not None:
            facts.append(_("Signed: %(grade)s") % {"grade": signed_grade(finding)})
    return " · ".join(map(str, facts))
