"""Outcome tables of a site, read-only: managers change them on the pages."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from screening.access import Action, sites_for
from screening.api.schema import RESULTS, responses
from screening.api.serializers.empty import EmptySerializer
from screening.api.serializers.outcome_tables import OutcomeTableSerializer, TableInForceSerializer
from screening.api.views.base import ApiListView, ApiView
from screening.models import SiteOutcomeTable
from screening.selectors.outcome_tables import list_outcome_tables, outcome_table_in_force


class OutcomeTableListView(ApiListView):
    """``GET sites/{id}/outcome-tables``"""

    actions = {"GET": Action.VIEW_PATIENT}
    serializer_class = OutcomeTableSerializer

    def get_queryset(self) -> QuerySet[SiteOutcomeTable]:
        """All versions of the site."""
        self.validated_query(EmptySerializer)
        site = get_object_or_404(sites_for(self.user), pk=self.kwargs["site_id"])
        return list_outcome_tables(user=self.user, site=site)

    @extend_schema(
        operation_id="list_outcome_tables",
        tags=[RESULTS],
        summary="Versions of the outcome table of a site, newest first",
        description="Which outcome, urgency and interval follow from what is found. Empty at a site that uses the "
        "built-in rules.",
        responses=responses(400, 404, ok=OutcomeTableSerializer(many=True)),
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """A page of versions with their rules."""
        return self.list(request, *args, **kwargs)


class OutcomeTableInForceView(ApiView):
    """``GET sites/{id}/outcome-tables/in-force``"""

    actions = {"GET": Action.VIEW_PATIENT}
    serializer_class = TableInForceSerializer

    @extend_schema(
        operation_id="get_outcome_table_in_force",
        tags=[RESULTS],
        summary="The outcome table that counts today at a site",
        responses=responses(404, ok=TableInForceSerializer),
    )
    def get(self, request: Request, site_id: UUID) -> Response:
        """The version of the site that is in force, or the built-in rules."""
        site = get_object_or_404(sites_for(self.user), pk=site_id)
        return Response(TableInForceSerializer(outcome_table_in_force(site)).data)
