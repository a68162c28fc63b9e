"""Grade one photograph at once; nothing of it is stored."""

from base64 import b64encode
from io import BytesIO
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from ml.prediction import Prediction
from ml.serving.heatmap_overlay import heatmap_layer
from screening.access import Action
from screening.api.schema import PREDICTION_EXAMPLES, PREDICTIONS, responses
from screening.api.serializers.gradings import describe_quality_reasons, disclaimer, grade_label
from screening.api.serializers.predictions import (
    NewPredictionSerializer,
    PredictionQuerySerializer,
    PredictionSerializer,
)
from screening.api.views.base import PhotoUploadView
from screening.photos.validation import MAX_BYTES, upright_size
from screening.services import inference
from screening.services.predictions import predict_photo

HEATMAP_SIDE_PX = 512
"""The model's grid has some ten cells a side; more pixels would show nothing more."""


class PredictView(PhotoUploadView):
    """``POST predict``"""

    actions = {"POST": Action.PREDICT_PHOTO}
    serializer_class = PredictionSerializer

    @extend_schema(
        operation_id="predict",
        tags=[PREDICTIONS],
        summary="Grade one photograph, store nothing",
        description="Answers within a second or so. The photograph is not kept; the audit trail notes that one was "
        "graded. A photograph that cannot be graded is answered with 200, the reasons and what to do about them; a "
        "file that is no acceptable photograph with 400.",
        parameters=[PredictionQuerySerializer],
        request={"multipart/form-data": NewPredictionSerializer},
        responses=responses(has_body=True, ok=PredictionSerializer),
        examples=PREDICTION_EXAMPLES,
    )
    def post(self, request: Request) -> Response:
        """Check, grade, answer."""
        wants_heatmap = self.validated_query(PredictionQuerySerializer)["heatmap"]
        data = self.validated_data(NewPredictionSerializer)["photo"].read(MAX_BYTES + 1)
        prediction = predict_photo(data=data, by=self.user)
        return Response(PredictionSerializer(_shown(prediction, data, wants_heatmap=wants_heatmap)).data)


def _shown(prediction: Prediction, data: bytes, *, wants_heatmap: bool) -> dict[str, Any]:
    box = prediction.heatmap_box
    return {
        "model_version": prediction.model_version,
        "is_gradable": prediction.is_gradable,
        "p_gradable": prediction.p_gradable,
        "quality_reasons": describe_quality_reasons(
            prediction.quality_reasons, is_ungradable=not prediction.is_gradable
        ),
        "grade": None if prediction.grade is None else int(prediction.grade),
        "grade_name": grade_label(prediction.grade),
        "probabilities": prediction.probabilities,
        "p_referable": prediction.p_referable,
        "is_referable": prediction.is_referable,
        "operating_point": inference.current_grader().bundle.operating_point,
        "heatmap_png": _heatmap_png(prediction, data) if wants_heatmap else None,
        "heatmap_box": list(box) if wants_heatmap and box is not None else None,
        "disclaimer": disclaimer(),
    }


def _heatmap_png(prediction: Prediction, data: bytes) -> str | None:
    """Base64 of the layer to lay over the photograph as a person sees it: upright."""
    if prediction.heatmap is None or prediction.heatmap_box is None:
        return None
    width_px, height_px = upright_size(data)
    scale = min(1.0, HEATMAP_SIDE_PX / max(width_px, height_px))
    size_px = (max(1, round(width_px * scale)), max(1, round(height_px * scale)))
    written = BytesIO()
    heatmap_layer(prediction.heatmap, prediction.heatmap_box, size_px=size_px).save(written, "PNG", compress_level=3)
    return b64encode(written.getvalue()).decode()
