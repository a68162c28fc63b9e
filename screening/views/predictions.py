"""Try a photograph: what would the model say? Nothing of it is stored."""

from base64 import b64encode
from io import BytesIO
from typing import Any

from django.http import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from ml.errors import GradingError
from ml.prediction import Prediction
from screening.access import Action, require
from screening.forms import PHOTO_TYPES, PredictionForm, error_text
from screening.photos import thumbnails
from screening.photos.validation import MAX_BYTES, InvalidPhoto
from screening.services import inference
from screening.services.predictions import predict_photo
from screening.views.decorators import AuthenticatedRequest, login_required

PAGE, RESULT = "screening/predictions/predict.html", "screening/predictions/_result.html"


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def predict(request: AuthenticatedRequest) -> HttpResponseBase:
    """One upload, the prediction and the heatmap; a photograph that cannot be taken gets a sentence."""
    require(request.user, Action.PREDICT_PHOTO)
    context: dict[str, Any] = {"section": "predict", "form": PredictionForm(), "photo_types": PHOTO_TYPES}
    if request.method != "POST":
        return render(request, PAGE, context)
    form = PredictionForm(request.POST, request.FILES)
    status = 422
    if not form.is_valid():
        context["error"] = error_text(form)
    else:
        data = form.cleaned_data["photo"].read(MAX_BYTES + 1)
        try:
            prediction = predict_photo(data=data, by=request.user)
        except (InvalidPhoto, GradingError) as error:
            context["error"] = str(error)
        else:
            context |= _shown(prediction, data)
            status = 200
    return render(request, RESULT if request.htmx else PAGE, context, status=status)


def _shown(prediction: Prediction, data: bytes) -> dict[str, Any]:
    """The prediction with a reduced picture inside the page itself: there is no address to fetch it from."""
    small = thumbnails.thumbnail(BytesIO(data), side_px=thumbnails.SCREEN_PX)
    width_px, height_px = thumbnails.image_size(small)
    return {
        "prediction": prediction,
        "operating_point": inference.current_bundle().operating_point,
        "heatmap": None
        if prediction.heatmap is None or prediction.heatmap_box is None or not prediction.grade
        else {"rows": prediction.heatmap.round(4).tolist(), "box": list(prediction.heatmap_box)},
        "picture": b64encode(small).decode(),
        "width_px": width_px,
        "height_px": height_px,
    }
