"""Teaching sets and certificates, read-only: the pages change them."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from screening.access import Action
from screening.api.schema import RESULTS, responses
from screening.api.serializers.empty import EmptySerializer
from screening.api.serializers.teaching import TeachingCertificateSerializer, TeachingSetSerializer
from screening.api.views.base import ApiListView
from screening.models import TeachingCertificate, TeachingSet
from screening.selectors.teaching import list_certificates, list_teaching_sets


class TeachingSetListView(ApiListView):
    """``GET teaching-sets``"""

    actions = {"GET": Action.VIEW_TEACHING_SET}
    serializer_class = TeachingSetSerializer

    def get_queryset(self) -> QuerySet[TeachingSet]:
        """The sets of the user's sites."""
        self.validated_query(EmptySerializer)
        return list_teaching_sets(user=self.user)

    @extend_schema(
        operation_id="list_teaching_sets",
        tags=[RESULTS],
        summary="Teaching sets, newest first",
        description="Signed exams that readers in training grade on the pages. Their exams are not listed here.",
        responses=responses(400, ok=TeachingSetSerializer(many=True)),
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """A page of sets."""
        return self.list(request, *args, **kwargs)


class TeachingCertificateListView(ApiListView):
    """``GET teaching-certificates``"""

    actions = {"GET": Action.VIEW_TEACHING_SET}
    serializer_class = TeachingCertificateSerializer

    def get_queryset(self) -> QuerySet[TeachingCertificate]:
        """The user's own certificates, and those of the sites that the user manages."""
        self.validated_query(EmptySerializer)
        return list_certificates(user=self.user)

    @extend_schema(
        operation_id="list_teaching_certificates",
        tags=[RESULTS],
        summary="Certificates of readers, newest first",
        description="Your own; for a manager those of all readers of the site.",
        responses=responses(400, ok=TeachingCertificateSerializer(many=True)),
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """A page of certificates."""
        return self.list(request, *args, **kwargs)
