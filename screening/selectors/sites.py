"""Sites: the models in use."""

from django.conf import settings

from ml.vocabulary import ServedModel
from screening.models import Site


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
