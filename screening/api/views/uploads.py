"""Uploads in parts by the protocol tus 1.0.0 (https://tus.io/protocols/resumable-upload), with its extensions creation,
expiration and termination; archives of photographs."""

from base64 import b64decode
from binascii import Error as Base64Error
from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils.http import http_date
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from ml.vocabulary import Laterality
from screening.access import Action
from screening.api.errors import ApiError
from screening.api.schema import EXAMS, responses
from screening.api.serializers.empty import EmptySerializer
from screening.api.serializers.errors import ErrorSerializer
from screening.api.serializers.uploads import UnpackedSerializer, UploadSerializer
from screening.api.views.base import ApiView
from screening.models import Exam, FundusImage, PhotoUpload
from screening.photos import validation
from screening.selectors import get_exam_record
from screening.selectors.uploads import get_upload, list_complete_uploads
from screening.services.uploads import (
    UploadTooLong,
    WrongOffset,
    append_to_upload,
    begin_upload,
    discard_upload,
    unpack_upload,
)

VERSION = "1.0.0"
EXTENSIONS = "creation,expiration,termination"
SEGMENT_TYPE = "application/offset+octet-stream"
_OVERRIDABLE = {"PATCH", "DELETE", "HEAD"}


def _header(name: str, description: str, *, is_required: bool = True) -> OpenApiParameter:
    return OpenApiParameter(name, str, OpenApiParameter.HEADER, required=is_required, description=description)


_TUS = _header("Tus-Resumable", f"`{VERSION}`; 412 otherwise.")


class SegmentParser(BaseParser):
    """The bytes of a part."""

    media_type = SEGMENT_TYPE

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """All bytes of the body."""
        return stream.read()


class TusView(ApiView):
    """Base of the views of the protocol."""

    serializer_class = UploadSerializer
    requires_version: ClassVar[frozenset[str]] = frozenset({"POST", "HEAD", "PATCH", "DELETE"})

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """A client whose network allows only GET and POST names the method in a header."""
        method = request.headers.get("X-HTTP-Method-Override", "").upper()
        if request.method == "POST" and method in _OVERRIDABLE:
            request.method = method
        return super().dispatch(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Raises ApiError (412) for another version of the protocol."""
        super().initial(request, *args, **kwargs)
        if request.method in self.requires_version and request.headers.get("Tus-Resumable") != VERSION:
            error = ApiError(412, "tus_version", _("Send the header “Tus-Resumable: 1.0.0”."))
            error.headers["Tus-Version"] = VERSION
            raise error

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        """Name the version of the protocol."""
        final = super().finalize_response(request, response, *args, **kwargs)
        final.headers["Tus-Resumable"] = VERSION
        return final

    def too_large(self) -> str:
        """Message for a body over ``max_body_bytes``."""
        return validation.rejection_message("too_large")

    def get_record(self, record_id: UUID) -> PhotoUpload:
        """The upload."""
        return get_upload(user=self.user, upload_id=record_id)


class ExamUploadView(TusView):
    """``POST exams/{id}/uploads``"""

    actions = {"POST": Action.UPLOAD_IMAGE, "OPTIONS": Action.UPLOAD_IMAGE}
    http_method_names = ["post", "options"]

    @extend_schema(
        operation_id="begin_upload",
        tags=[EXAMS],
        summary="Begin an upload in parts (tus 1.0)",
        description="The protocol is [tus 1.0.0](https://tus.io/protocols/resumable-upload) with its extensions "
        "creation, expiration and termination, for connections that break: any tus client works. `Location` has the "
        "address to which the bytes are sent. An upload is private to your account, expires after 24 hours, and is no "
        "photograph of the exam until you send its id as `upload` to `POST exams/{id}/images`.",
        parameters=[
            _TUS,
            _header("Upload-Length", "Size of the file in bytes."),
            _header(
                "Upload-Metadata",
                "Suggestions: `laterality` (OD or OS) and `field`, each with its value in base64, with commas between "
                "them. Other keys are ignored, so that no name is stored.",
                is_required=False,
            ),
        ],
        request=None,
        responses={
            **responses(404, 409, 412, 413, created=UploadSerializer),
            409: OpenApiResponse(
                ErrorSerializer,
                "The exam is closed (`exam_not_open`), or 60 uploads of yours wait (`too_many_uploads`).",
            ),
        },
    )
    def post(self, request: Request, exam_id: UUID) -> Response:
        """201 with ``Location``."""
        exam = get_exam_record(user=self.user, exam_id=exam_id)
        metadata = _metadata(request.headers.get("Upload-Metadata", ""))
        n_bytes = _number(request, "Upload-Length")
        if n_bytes > validation.MAX_BYTES:
            raise ApiError(413, "too_large", validation.rejection_message("too_large"))
        laterality, field = metadata.get("laterality", ""), metadata.get("field", "")
        upload = begin_upload(
            exam=exam,
            n_bytes=n_bytes,
            laterality=laterality if laterality in set(Laterality) else "",
            field=field if field in set(FundusImage.Field) else "",
            by=self.user,
        )
        response = Response(self.serialized(upload), status=201, headers=_expiry(upload))
        response.headers["Location"] = reverse("api:upload", args=[upload.pk])
        return response

    @extend_schema(exclude=True)
    def options(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """204 with what the server supports."""
        headers = {"Tus-Version": VERSION, "Tus-Extension": EXTENSIONS, "Tus-Max-Size": str(validation.MAX_BYTES)}
        return Response(status=204, headers=headers)


class UploadDetailView(TusView):
    """``GET``, ``HEAD``, ``PATCH`` and ``DELETE uploads/{id}``"""

    actions = {"GET": Action.UPLOAD_IMAGE, "PATCH": Action.UPLOAD_IMAGE, "DELETE": Action.UPLOAD_IMAGE}
    http_method_names = ["get", "head", "patch", "delete"]
    parser_classes = (SegmentParser,)
    max_body_bytes = validation.MAX_BYTES

    @extend_schema(
        operation_id="get_upload",
        tags=[EXAMS],
        summary="An upload of yours: how much of it is received",
        responses=responses(404, ok=UploadSerializer),
    )
    def get(self, request: Request, upload_id: UUID) -> Response:
        """404 for an upload that is expired, deleted, added to its exam, or of another account."""
        return self.record_response(upload_id)

    def head(self, request: Request, upload_id: UUID) -> Response:
        """200 with ``Upload-Offset`` and ``Upload-Length``."""
        upload = self.get_record(upload_id)
        headers = {"Upload-Offset": str(upload.n_received), "Upload-Length": str(upload.n_bytes)}
        return Response(headers={**headers, **_expiry(upload)})

    @extend_schema(
        operation_id="append_to_upload",
        tags=[EXAMS],
        summary="Send the next part of an upload (tus 1.0)",
        description="`Upload-Offset` of the response is how much is received. After a broken connection, ask for it "
        "with HEAD and go on from there.",
        parameters=[_TUS, _header("Upload-Offset", "Number of bytes before this part.")],
        request={SEGMENT_TYPE: OpenApiTypes.BINARY},
        responses={
            **responses(404, 412, has_body=True),
            204: OpenApiResponse(description="The part is stored."),
            409: OpenApiResponse(
                ErrorSerializer, "`Upload-Offset` is not the number of received bytes (`wrong_offset`)."
            ),
        },
    )
    def patch(self, request: Request, upload_id: UUID) -> Response:
        """204 with ``Upload-Offset``."""
        upload, offset = self.get_record(upload_id), _number(request, "Upload-Offset")
        segment: Any = request.data
        if not isinstance(segment, bytes):  # an empty body has no Content-Type that counts
            segment = b""
        try:
            upload = append_to_upload(upload=upload, offset=offset, data=segment, by=self.user)
        except WrongOffset as error:
            text = ngettext(
                "%(n)d byte is received. Send those that follow.",
                "%(n)d bytes are received. Send those that follow.",
                error.n_received,
            )
            refused = ApiError(409, "wrong_offset", text % {"n": error.n_received})
            refused.headers["Upload-Offset"] = str(error.n_received)
            raise refused from None
        except UploadTooLong:
            raise ApiError(413, "too_large", _("More bytes came than “Upload-Length” allows.")) from None
        return Response(status=204, headers={"Upload-Offset": str(upload.n_received), **_expiry(upload)})

    @extend_schema(
        operation_id="discard_upload",
        tags=[EXAMS],
        summary="Delete an upload that is not wanted (tus 1.0)",
        parameters=[_TUS],
        responses={**responses(404, 412), 204: OpenApiResponse(description="It is deleted.")},
    )
    def delete(self, request: Request, upload_id: UUID) -> Response:
        """204."""
        discard_upload(upload=self.get_record(upload_id), by=self.user)
        return Response(status=204)


class UploadUnpackView(ApiView):
    """``POST uploads/{id}/unpack``"""

    actions = {"POST": Action.UPLOAD_IMAGE}
    serializer_class = UnpackedSerializer

    def get_record(self, record_id: UUID) -> Exam:
        """The exam."""
        return get_exam_record(user=self.user, exam_id=record_id)

    def serialized(self, record: Any) -> Any:
        """The uploads that wait for the exam, without names."""
        waiting = list_complete_uploads(user=self.user, exam=record)
        files = [{"name": "", "upload": upload, "message": ""} for upload in waiting]
        return UnpackedSerializer({"id": record.pk, "files": files}).data

    @extend_schema(
        operation_id="unpack_upload",
        tags=[EXAMS],
        summary="Unpack a ZIP archive of photographs",
        description="Each photograph becomes a separate upload; the archive is deleted, also if it is refused. The "
        "names of the files suggest eye and field, and are not stored. An archive with a password, links, paths out of "
        "it, another archive in it, more than 40 files or more than 150 MB unpacked is refused.",
        request=None,
        responses=responses(400, 404, 409, ok=UnpackedSerializer),
    )
    def post(self, request: Request, upload_id: UUID) -> Response:
        """200, also if some files are no photographs."""
        self.validated_data(EmptySerializer)
        upload = get_upload(user=self.user, upload_id=upload_id)
        files = [
            {
                "name": one.name,
                "upload": one.upload,
                "message": validation.rejection_message(one.rejection) if one.rejection else "",
            }
            for one in unpack_upload(upload=upload, by=self.user)
        ]
        return Response(UnpackedSerializer({"id": upload.exam_id, "files": files}).data)


def _number(request: Request, name: str) -> int:
    """A header that is a number of bytes. Raises ApiError (400)."""
    text = request.headers.get(name, "")
    if not (text.isascii() and text.isdecimal() and len(text) <= 15):
        message = _("Send a number of bytes in the header “%(name)s”.") % {"name": name}
        raise ApiError(400, "invalid", message, {name: message})
    return int(text)


def _metadata(header: str) -> dict[str, str]:
    """Keys and values of ``Upload-Metadata``. Raises ApiError (400)."""
    values = {}
    for pair in filter(None, (pair.strip() for pair in header.split(","))):
        key, _space, encoded = pair.partition(" ")
        try:
            values[key] = b64decode(encoded, validate=True).decode()
        except (Base64Error, UnicodeDecodeError):
            message = _("“Upload-Metadata” has a value that is not base64.")
            raise ApiError(400, "invalid", message, {"Upload-Metadata": message}) from None
    return values


def _expiry(upload: PhotoUpload) -> dict[str, str]:
    return {"Upload-Expires": http_date(upload.expires_at.timestamp())}
