"""Locks of exams: taking, keeping, taking over, releasing, the next free exam."""

from uuid import UUID

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from screening.access import Action
from screening.api.errors import ApiError
from screening.api.schema import EXAMS, responses
from screening.api.serializers.empty import EmptySerializer
from screening.api.serializers.exam_locks import ExamLockSerializer, LockConflictSerializer, TakeSerializer
from screening.api.serializers.exams import ExamSerializer
from screening.api.views.hand_overs import ExamChangeView
from screening.selectors import get_exam_to_read
from screening.services.exam_locks import ExamLocked, release_exam, take_exam, take_next_exam, take_over_exam


class ExamLockView(ExamChangeView):
    """``POST`` and ``DELETE exams/{id}/lock``"""

    actions = {"POST": Action.REVIEW_EXAM, "DELETE": Action.REVIEW_EXAM}
    http_method_names = ["post", "delete"]

    @extend_schema(
        operation_id="take_exam",
        tags=[EXAMS],
        summary="Take an exam that waits for review, or keep it for longer",
        description="Send it again while the reader is active: without activity the lock ends at `expires_at`. "
        "409, `exam_locked`, if another reader has the exam: `lock` has who, and when that person was last active. It "
        "can be taken over with `take_over_from`, after a warning; the other reader cannot sign then.",
        request=TakeSerializer,
        responses={
            **responses(404, has_body=True, ok=ExamSerializer),
            409: OpenApiResponse(LockConflictSerializer, "Another reader has the exam, or it does not wait for one."),
        },
    )
    def post(self, request: Request, exam_id: UUID) -> Response:
        """200. 409 if another reader has it (`exam_locked`), or it does not wait for one."""
        exam, sent = self.get_record(exam_id), self.validated_data(TakeSerializer)
        try:
            if "take_over_from" in sent:
                take_over_exam(exam=exam, holder_id=sent["take_over_from"], by=self.user)
            else:
                take_exam(exam=exam, by=self.user)
        except ExamLocked as error:
            lock = ExamLockSerializer(error.lock).data
            raise ApiError(409, "exam_locked", str(error), lock=lock) from None
        return self.record_response(exam_id)

    @extend_schema(
        operation_id="release_exam",
        tags=[EXAMS],
        summary="Release an exam that you have taken",
        request=None,
        responses={**responses(404), 204: OpenApiResponse(description="You do not have it any more.")},
    )
    def delete(self, request: Request, exam_id: UUID) -> Response:
        """204, also if the user does not have it."""
        self.validated_data(EmptySerializer)
        release_exam(exam=get_exam_to_read(user=self.user, exam_id=exam_id), by=self.user)
        return Response(status=204)


class NextExamView(ExamChangeView):
    """``POST exams/next``"""

    actions = {"POST": Action.REVIEW_EXAM}

    @extend_schema(
        operation_id="take_next_exam",
        tags=[EXAMS],
        summary="Take the next free exam, in the order of the worklist",
        description="Of several requests at once each takes another exam. 409, `no_free_exam`, if none waits or "
        "colleagues are reading those that wait.",
        request=None,
        responses=responses(409, ok=ExamSerializer),
    )
    def post(self, request: Request) -> Response:
        """200. 409 if no exam is free."""
        self.validated_data(EmptySerializer)
        return self.record_response(take_next_exam(of_seen_people=True, by=self.user).pk)
