"""The models in use."""

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from ml.vocabulary import ICDRGrade
from screening.access import Action
from screening.api.schema import SYSTEM, responses
from screening.api.serializers.gradings import all_quality_reasons, disclaimer, grade_label
from screening.api.serializers.models import ModelQuerySerializer, ModelSerializer
from screening.api.views.base import ApiView
from screening.models import FundusImage
from screening.photos import validation
from screening.selectors.sites import default_model
from screening.services import inference


class ModelDetailView(ApiView):
    """``GET model``"""

    actions = {"GET": Action.PREDICT_PHOTO}
    serializer_class = ModelSerializer

    @extend_schema(
        operation_id="get_model",
        tags=[SYSTEM],
        summary="A model: version, operating point, metrics, limits",
        parameters=[ModelQuerySerializer],
        responses=responses(400, ok=ModelSerializer),
    )
    def get(self, request: Request) -> Response:
        """From the bundle, with the limits on photographs."""
        chosen = self.validated_query(ModelQuerySerializer).get("model") or default_model()
        bundle = inference.current_bundle(chosen)
        model = {
            "model": chosen,
            "installed": settings.GRADING_MODELS,
            "model_version": bundle.model_version,
            "name": bundle.name,
            "version": bundle.version,
            "architecture": bundle.architecture,
            "weights_sha256": bundle.weights_sha256,
            "operating_point": bundle.operating_point,
            "oedema_operating_point": None if bundle.oedema is None else bundle.oedema.operating_point,
            "grades": [
                {"grade": grade.value, "name": grade_label(grade), "is_referable": grade.is_referable}
                for grade in ICDRGrade
            ],
            "quality_reasons": all_quality_reasons(),
            "metrics": bundle.metrics,
            "not_graded": ["macular_oedema"] if bundle.oedema is None else [],
            "photographs": {
                "max_bytes": validation.MAX_BYTES,
                "max_pixels": validation.MAX_PIXELS,
                "min_side_px": validation.MIN_SIDE_PX,
                "formats": FundusImage.Format.values,
            },
            "disclaimer": disclaimer(),
        }
        return Response(ModelSerializer(model).data)
