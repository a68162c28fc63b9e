"""Facts of a visit: recording them. They are read with the exam."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from ml.vocabulary import Laterality
from screening.access import Action
from screening.api.errors import ApiError
from screening.api.schema import EXAMS, responses
from screening.api.serializers.exams import ExamSerializer
from screening.api.serializers.visit_facts import NewVisitFactsSerializer
from screening.api.views.hand_overs import ExamChangeView
from screening.services.visit_facts import HBA1C_UNUSUAL, InvalidFact, UnusualHbA1c, record_visit


class VisitFactsView(ExamChangeView):
    """``POST exams/{id}/visit-facts``"""

    actions = {"POST": Action.UPLOAD_IMAGE}

    @extend_schema(
        operation_id="record_visit_facts",
        tags=[EXAMS],
        summary="Record what was asked at the visit",
        description="HbA1c, treatment, pregnancy, previous treatments of each eye, consent. Until the exam is signed. "
        "Type and begin of diabetes belong to the patient (`PATCH patients/{id}`).",
        request=NewVisitFactsSerializer,
        responses=responses(404, 409, has_body=True, ok=ExamSerializer),
    )
    def post(self, request: Request, exam_id: UUID) -> Response:
        """200. 400 for an impossible value; 409 for an unusual one (`hba1c_unusual`), or if the exam is signed."""
        exam, sent = self.get_record(exam_id), self.validated_data(NewVisitFactsSerializer)
        confirmed, measured = sent.pop("confirm"), sent.pop("acuities", [])
        acuities = {Laterality(one["laterality"]): (one["entered"], one["correction"]) for one in measured}
        try:
            record_visit(exam=exam, facts=sent, acuities=acuities, confirmed=confirmed, by=self.user)
        except UnusualHbA1c as question:
            raise ApiError(
                409, HBA1C_UNUSUAL, str(question), {"hba1c": str(question)}, confirm=[HBA1C_UNUSUAL]
            ) from None
        except InvalidFact as error:
            field = "acuities" if error.field.endswith("_acuity") else error.field
            raise ApiError(400, "invalid", str(error), {field: str(error)}) from None
        return self.record_response(exam_id)
