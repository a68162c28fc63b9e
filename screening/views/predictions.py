"""Grading of one photograph without storing it."""

from base64 import b64encode
from typing import Any

from django.http import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from ml.errors import GradingError
from ml.prediction import Prediction
from ml.serving.decoders import decoders
from ml.serving.files.renditions import SCREEN_PX
from ml.vocabulary import ServedModel
from screening.access import Action, require
from screening.forms import PredictionForm, error_text
from screening.photos.validation import MAX_BYTES, InvalidPhoto
from screening.services import inference
from screening.services.predictions import ResultHidden, predict_photo
from screening.views.decorators import AuthenticatedRequest, limit_photos, login_required

PAGE, RESULT = "screening/predictions/predict.html", "screening/predictions/_result.html"


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@limit_photos
def predict(request: AuthenticatedRequest) -> HttpResponseBase:
    """Grade an uploaded photograph and show the prediction with its heatmap, or the reason why there is none."""
    require(request.user, Action.PREDICT_PHOTO)
    context: dict[str, Any] = {"section": "predict", "form": PredictionForm()}
    if request.method != "POST":
        return render(request, PAGE, context)
    form = PredictionForm(request.POST, request.FILES)
    status = 422
    if not form.is_valid():
        context["error"] = error_text(form)
    else:
        data, model = form.cleaned_data["photo"].read(MAX_BYTES + 1), form.cleaned_data["model"]
        try:
            prediction = predict_photo(data=data, model=model, by=request.user)
            context |= _result_context(prediction, data, model)
            status = 200
        except (InvalidPhoto, GradingError, ResultHidden) as error:
            context["error"] = str(error)
    return render(request, RESULT if request.htmx else PAGE, context, status=status)


def _result_context(prediction: Prediction, data: bytes, model: ServedModel) -> dict[str, Any]:
    """The prediction, and a reduced copy of the photograph as a data URL: it has no address."""
    small, (width_px, height_px) = decoders.reduced_jpeg(data, side_px=SCREEN_PX)
    return {
        "prediction": prediction,
        "model": model,
        "operating_point": inference.current_bundle(model).operating_point,
        "photo_url": f"data:image/jpeg;base64,{b64encode(small).decode()}",
        "width_px": width_px,
        "height_px": height_px,
    }
