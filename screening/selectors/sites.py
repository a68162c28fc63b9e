"""Sites: the models in use, and the time zones of the sites of a user."""

import datetime
import uuid
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.conf import settings

from ml.vocabulary import ServedModel
from screening.access import Action, allowed_sites
from screening.held_roles import held_roles
from screening.models import Site, User
from screening.request_facts import once_in_request


@dataclass(frozen=True, slots=True)
class SiteZone:
    """The time zone of a site; ``is_practice``: no real patients are there."""

    site_id: uuid.UUID
    zone: datetime.tzinfo
    is_practice: bool


def zones_of_sites(user: User) -> list[SiteZone]:
    """The sites whose patients ``user`` may see. One query; none if a request that only reads has read the roles."""
    return once_in_request(("zones", user.pk), lambda: _load_zones(user))


def _load_zones(user: User) -> list[SiteZone]:
    held = held_roles(user.pk)
    shown = allowed_sites(user, held, Action.VIEW_PATIENT)
    found = {one.site_id: SiteZone(one.site_id, ZoneInfo(one.timezone), one.is_practice) for one in held}
    return [zone for site, zone in found.items() if site in shown]


def list_served_models() -> list[ServedModel]:
    """Those of the installed models that an active site has chosen, and the one of predictions. One query.

    A new installation has no site: the model that its first one will have counts.
    """
    chosen = set(Site.objects.filter(is_active=True).order_by().values_list("model", flat=True).distinct())
    in_use = {Site(model=model).served_model for model in chosen or {Site().model}} | {default_model()}
    return [model for model in settings.GRADING_MODELS if model in in_use]


def default_model() -> ServedModel:
    """The model of predictions if none is chosen: the fast one, unless this installation has only the other."""
    installed: tuple[ServedModel, ...] = settings.GRADING_MODELS
    return ServedModel.FAST if ServedModel.FAST in installed else installed[0]
