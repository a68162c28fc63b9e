"""Pages and actions that a search finds by their names: those that the user may open."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from screening.access import Action, actions_of, is_superuser, programmes_for, sites_for
from screening.folding import index_terms, search_terms
from screening.labels.site_settings import GROUP_LABELS
from screening.models import Site, User

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

MAX_SITES = 3
"""Of a user who manages more, their pages are reached by the list of sites."""
MAX_FOUND = 8


@dataclass(frozen=True, slots=True)
class PageLink:
    """A page or an action, with its address."""

    label: str
    address: str


PAGES: tuple[tuple["_StrPromise", str, Action | None], ...] = (
    (gettext_lazy("Worklist"), "worklist", None),
    (gettext_lazy("Patients"), "patient-list", Action.VIEW_PATIENT),
    (gettext_lazy("Referrals"), "referrals", Action.VIEW_PATIENT),
    (gettext_lazy("Results"), "results", Action.VIEW_PATIENT),
    (gettext_lazy("Due list"), "due-list", Action.MANAGE_REGISTER),
    (gettext_lazy("Bookings"), "bookings", Action.MANAGE_REGISTER),
    (gettext_lazy("Try a photograph"), "predict", Action.PREDICT_PHOTO),
    (gettext_lazy("Outcome rules"), "outcomes", Action.VIEW_PATIENT),
    (gettext_lazy("Sites"), "sites", Action.MANAGE_SITE),
    (gettext_lazy("Dashboard"), "dashboard", Action.MANAGE_SITE),
    (gettext_lazy("Jobs"), "jobs", Action.MANAGE_SITE),
    (gettext_lazy("Models"), "models", Action.MANAGE_SITE),
    (gettext_lazy("Audit"), "audit", Action.VIEW_AUDIT),
    (gettext_lazy("Teaching"), "teaching-sets", Action.VIEW_TEACHING_SET),
)
"""Entries of the menu: label, route, and the action that opens the page; None: each user."""
ACTIONS: tuple[tuple["_StrPromise", str, Action | None], ...] = (
    (gettext_lazy("Register a patient"), "patient-new", Action.REGISTER_PATIENT),
    (gettext_lazy("Change your password"), "password", None),
)
OF_SUPERUSERS = {"sites", "dashboard", "models", "audit"}


def find_links(user: User, text: str) -> tuple[list[PageLink], list[PageLink]]:
    """Pages and actions whose name has a word for each term of ``text``. Three queries."""
    allowed, terms = actions_of(user), [term for term, _components in search_terms(text)]
    pages = [*_entries(PAGES, user, allowed), *_programmes(user)]
    actions = [*_entries(ACTIONS, user, allowed)]
    for site in sites_for(user, Action.MANAGE_SITE).order_by("name", "pk")[:MAX_SITES]:
        pages += _settings_of(site)
        address = f"{reverse('screening:site-staff', args=[site.pk])}#invite"
        actions.append(PageLink(_("Invite a person: %(site)s") % {"site": site.name}, address))
    return _matching(pages, terms), _matching(actions, terms)


def _entries(
    rows: tuple[tuple["_StrPromise", str, Action | None], ...], user: User, allowed: frozenset[Action]
) -> Iterator[PageLink]:
    for label, route, action in rows:
        if action is None or action in allowed or (route in OF_SUPERUSERS and is_superuser(user)):
            yield PageLink(str(label), reverse(f"screening:{route}"))


def _programmes(user: User) -> Iterator[PageLink]:
    for programme in programmes_for(user).order_by("name", "pk")[:MAX_SITES]:
        yield PageLink(programme.name, reverse("screening:programme", args=[programme.pk]))


def _settings_of(site: Site) -> Iterator[PageLink]:
    yield PageLink(_("Settings of %(site)s") % {"site": site.name}, reverse("screening:site", args=[site.pk]))
    named = [(_("Staff"), "site-staff"), (_("Reading protocol"), "site-protocol"), (_("Letterhead"), "site-letterhead")]
    for label, route in named:
        yield PageLink(f"{label} · {site.name}", reverse(f"screening:{route}", args=[site.pk]))
    for group, title in GROUP_LABELS.items():
        yield PageLink(f"{title} · {site.name}", reverse("screening:site-settings", args=[site.pk, group.value]))


def _matching(links: list[PageLink], terms: list[str]) -> list[PageLink]:
    if not terms:
        return []
    found = [link for link in links if all(_has_start(link.label, term) for term in terms)]
    return found[:MAX_FOUND]


def _has_start(label: str, term: str) -> bool:
    return any(one.startswith(term) for one in index_terms(label))
