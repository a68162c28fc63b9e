"""Predictions: a photograph is graded, or its eye recognised, and not stored."""

from base64 import b64encode
from io import BytesIO
from typing import TYPE_CHECKING, Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from ml.prediction import Prediction, p_at_least
from ml.serving.decoders import decoders
from ml.serving.heatmap_overlay import heatmap_layer
from ml.vocabulary import QualityLevel, ServedModel
from screening.access import Action
from screening.api.schema import EXAMS, PREDICTION_EXAMPLES, PREDICTIONS, responses
from screening.api.serializers.gradings import describe_quality_reasons, disclaimer, grade_label
from screening.api.serializers.predictions import (
    EyeSuggestionSerializer,
    NewPredictionSerializer,
    NewSuggestionSerializer,
    PredictionQuerySerializer,
    PredictionSerializer,
)
from screening.api.views.base import PhotoUploadView
from screening.labels.oedema import oedema_text
from screening.labels.quality import limitation_of
from screening.photos.validation import MAX_BYTES
from screening.selectors import get_exam_record
from screening.selectors.sites import default_model
from screening.selectors.uploads import get_upload_of_exam
from screening.services import inference
from screening.services.predictions import predict_photo, suggest_eye
from screening.services.uploads import read_upload

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ml.serving.preprocess import Box

HEATMAP_SIDE_PX = 512
"""The heatmap has about ten cells a side; more pixels show no more."""


class PredictView(PhotoUploadView):
    """``POST predict``"""

    actions = {"POST": Action.PREDICT_PHOTO}
    serializer_class = PredictionSerializer
    is_read_only = True

    @extend_schema(
        operation_id="predict",
        tags=[PREDICTIONS],
        summary="Grade one photograph without storing it",
        description="Takes about a second. The photograph is not stored; an audit event records the prediction. An "
        "ungradable photograph gives 200 with reasons and advice, an invalid file 400.",
        parameters=[PredictionQuerySerializer],
        request={"multipart/form-data": NewPredictionSerializer},
        responses=responses(has_body=True, ok=PredictionSerializer),
        examples=PREDICTION_EXAMPLES,
    )
    def post(self, request: Request) -> Response:
        """200, also for an ungradable photograph."""
        query = self.validated_query(PredictionQuerySerializer)
        model = query.get("model") or default_model()
        data = self.validated_data(NewPredictionSerializer)["photo"].read(MAX_BYTES + 1)
        prediction = predict_photo(data=data, model=model, by=self.user)
        result = _result(prediction, data, model=model, has_heatmap=query["heatmap"])
        return Response(PredictionSerializer(result).data)


class EyeSuggestionView(PhotoUploadView):
    """``POST exams/{id}/suggest-eye``"""

    actions = {"POST": Action.UPLOAD_IMAGE}
    serializer_class = EyeSuggestionSerializer
    is_read_only = True

    @extend_schema(
        operation_id="suggest_eye",
        tags=[EXAMS],
        summary="Recognise the eye of a photograph without storing it",
        description="For a photograph whose file name does not show the eye: a person confirms the suggestion before "
        "the photograph is added. The photograph is not stored; an audit event of the exam records the request.",
        request={"multipart/form-data": NewSuggestionSerializer},
        responses=responses(404, has_body=True, ok=EyeSuggestionSerializer),
    )
    def post(self, request: Request, exam_id: UUID) -> Response:
        """200, also if the eye is not clear."""
        exam = get_exam_record(user=self.user, exam_id=exam_id)
        sent = self.validated_data(NewSuggestionSerializer)
        if "upload" in sent:
            data = read_upload(get_upload_of_exam(user=self.user, exam=exam, upload_id=sent["upload"]))
        else:
            data = sent["photo"].read(MAX_BYTES + 1)
        return Response(EyeSuggestionSerializer(suggest_eye(exam=exam, data=data, by=self.user)).data)


def _result(prediction: Prediction, data: bytes, *, model: ServedModel, has_heatmap: bool) -> dict[str, Any]:
    box = prediction.heatmap_box
    return {
        "model": model,
        "model_version": prediction.model_version,
        "is_gradable": prediction.is_gradable,
        "quality_level": prediction.quality_level.value,
        "p_gradable": prediction.p_gradable,
        "quality_reasons": _quality_reasons(prediction),
        "grade": None if prediction.grade is None else int(prediction.grade),
        "grade_name": grade_label(prediction.grade),
        "probabilities": prediction.probabilities,
        "p_at_least": None if prediction.probabilities is None else p_at_least(prediction.probabilities),
        "p_referable": prediction.p_referable,
        "is_referable": prediction.is_referable,
        "is_limited_negative": prediction.is_limited_negative,
        "limitation": limitation_of(prediction),
        "p_macular_oedema": prediction.p_macular_oedema,
        "suspects_oedema": prediction.suspects_oedema,
        "oedema_operating_point": prediction.oedema_operating_point,
        "oedema_text": oedema_text(prediction),
        "laterality_suggested": prediction.laterality,
        "laterality_confidence": prediction.laterality_confidence,
        "operating_point": inference.current_bundle(model).operating_point,
        "heatmap_png": _heatmap_png(prediction.heatmap, box, data) if has_heatmap else None,
        "oedema_heatmap_png": _heatmap_png(prediction.oedema_heatmap, box, data) if has_heatmap else None,
        "heatmap_box": list(box) if has_heatmap and box is not None else None,
        "has_writing": prediction.has_writing,
        "disclaimer": disclaimer(),
    }


def _quality_reasons(prediction: Prediction) -> list[dict[str, str]]:
    is_good = prediction.quality_level == QualityLevel.GOOD
    return [] if is_good else describe_quality_reasons(prediction.quality_reasons)


def _heatmap_png(heatmap: "NDArray[np.float32] | None", box: "Box | None", data: bytes) -> str | None:
    """A heatmap as a PNG in base64, with the proportions of the upright photograph."""
    if heatmap is None or box is None:
        return None
    width_px, height_px = decoders.upright_size(data)
    scale = min(1.0, HEATMAP_SIDE_PX / max(width_px, height_px))
    size_px = (max(1, round(width_px * scale)), max(1, round(height_px * scale)))
    written = BytesIO()
    heatmap_layer(heatmap, box, size_px=size_px).save(written, "PNG", compress_level=3)
    return b64encode(written.getvalue()).decode()
