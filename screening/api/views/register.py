"""The register of people, read-only: its pages change it."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from screening.access import Action
from screening.api.schema import PATIENTS, responses
from screening.api.serializers.empty import EmptySerializer
from screening.api.serializers.register import RegisterEntrySerializer
from screening.api.views.patient_rows import PatientRowsView
from screening.models import RegisterEntry
from screening.selectors.register import list_register_entries


class RegisterEntryListView(PatientRowsView):
    """``GET patients/{id}/register-entries``"""

    actions = {"GET": Action.VIEW_PATIENT}
    serializer_class = RegisterEntrySerializer

    def get_queryset(self) -> QuerySet[RegisterEntry]:
        """All entries of the patient."""
        self.validated_query(EmptySerializer)
        return list_register_entries(user=self.user, patient=self.patient)

    @extend_schema(
        operation_id="list_register_entries",
        tags=[PATIENTS],
        summary="History of a person in the register, newest first",
        description="Whether the person is invited for screening, since when and why. Empty if the person was always "
        "eligible.",
        responses=responses(400, 404, ok=RegisterEntrySerializer(many=True)),
    )
    def get(self, request: Request, patient_id: UUID, **kwargs: Any) -> Response:
        """Audited as a view of the patient."""
        return self.list(request, **kwargs)
