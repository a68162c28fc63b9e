"""Base of lists about one patient."""

from functools import cached_property
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from screening.access import require
from screening.api.permissions import action_of
from screening.api.views.base import ApiListView
from screening.models import AuditEvent, Patient
from screening.selectors import get_patient
from screening.services.audit import record_event


class PatientRowsView(ApiListView):
    """Rows of ``patients/{id}/...``: each request of the list is audited as a view of the patient."""

    @cached_property
    def patient(self) -> Patient:
        """The patient of the URL, at a site where the user may do this. Raises Http404, AccessDenied."""
        found = get_patient(user=self.user, patient_id=self.kwargs["patient_id"])
        require(self.user, action_of(self.request, self.actions), found.site)
        return found

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """A page of the rows, and the audit event."""
        response = super().list(request, *args, **kwargs)
        record_event(verb=AuditEvent.Verb.PATIENT_VIEWED, subject=self.patient, site=self.patient.site, by=self.user)
        return response
