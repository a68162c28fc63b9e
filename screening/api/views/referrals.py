"""Referrals: list, one with its history, steps, results of the hospital."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from screening.access import Action, sites_for
from screening.api.schema import RESULTS, responses
from screening.api.serializers.referrals import (
    NewFeedbackSerializer,
    NewStepSerializer,
    ReferralDetailSerializer,
    ReferralQuerySerializer,
    ReferralSerializer,
)
from screening.api.views.base import ApiListView, ApiView
from screening.models import AuditEvent, Referral
from screening.policy.referrals import ReferralState
from screening.selectors.referrals import ReferralFilters, get_referral, list_referrals
from screening.services.audit import record_event
from screening.services.referrals import record_feedback, record_step


class ReferralListView(ApiListView):
    """``GET referrals``"""

    actions = {"GET": Action.VIEW_PATIENT}
    serializer_class = ReferralSerializer

    def get_queryset(self) -> QuerySet[Referral]:
        """Those that match the query."""
        query = self.validated_query(ReferralQuerySerializer)
        code, state = query.get("site"), query.get("state")
        site = sites_for(self.user).filter(code=code).first() if code else None
        if code and site is None:
            return Referral.objects.none()
        filters = ReferralFilters(
            state=ReferralState(state) if state else None,
            site=site,
            urgency=query.get("urgency"),
            is_late=query["is_late"],
        )
        return list_referrals(user=self.user, filters=filters)

    @extend_schema(
        operation_id="list_referrals",
        tags=[RESULTS],
        summary="Referrals, newest first",
        description="Without `state`: all that are open. A reviewer does not get those of exams that are yet to read.",
        parameters=[ReferralQuerySerializer],
        responses=responses(400, ok=ReferralSerializer(many=True)),
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """A page of referrals."""
        return self.list(request, *args, **kwargs)


class ReferralView(ApiView):
    """Base of views of one referral; the response is its record."""

    serializer_class = ReferralDetailSerializer

    def get_record(self, record_id: UUID) -> Referral:
        """The referral."""
        return get_referral(user=self.user, referral_id=record_id)


class ReferralDetailView(ReferralView):
    """``GET referrals/{id}``"""

    actions = {"GET": Action.VIEW_PATIENT}

    @extend_schema(
        operation_id="get_referral",
        tags=[RESULTS],
        summary="A referral with its history",
        responses=responses(404, ok=ReferralDetailSerializer),
    )
    def get(self, request: Request, referral_id: UUID) -> Response:
        """Audited as a view of the referral."""
        referral = self.get_record(referral_id)
        record_event(verb=AuditEvent.Verb.REFERRAL_VIEWED, subject=referral, site=referral.site, by=self.user)
        return Response(self.serialized(referral))


class ReferralStepView(ReferralView):
    """``POST referrals/{id}/steps``"""

    actions = {"POST": Action.UPDATE_REFERRAL}

    @extend_schema(
        operation_id="record_referral_step",
        tags=[RESULTS],
        summary="Record a step of a referral",
        description="409, `referral_changed`, if it is in another state by now; `referral_refused` if the step is not "
        "one of `next_states`, its reason is missing or its day cannot be right.",
        request=NewStepSerializer,
        responses=responses(404, 409, has_body=True, ok=ReferralDetailSerializer),
    )
    def post(self, request: Request, referral_id: UUID) -> Response:
        """200. 409 if the state does not allow it."""
        record_step(referral=self.get_record(referral_id), **self.validated_data(NewStepSerializer), by=self.user)
        return self.record_response(referral_id)


class ReferralFeedbackView(ReferralView):
    """``POST referrals/{id}/results``"""

    actions = {"POST": Action.UPDATE_REFERRAL}

    @extend_schema(
        operation_id="record_referral_result",
        tags=[RESULTS],
        summary="Record what the hospital found and did",
        description="The referral is `result_back` then. Another result, with a note that states why, corrects it.",
        request=NewFeedbackSerializer,
        responses=responses(404, 409, has_body=True, ok=ReferralDetailSerializer),
    )
    def post(self, request: Request, referral_id: UUID) -> Response:
        """200. 409 if the state does not allow it."""
        result = self.validated_data(NewFeedbackSerializer)
        record_feedback(referral=self.get_record(referral_id), **result, by=self.user)
        return self.record_response(referral_id)
