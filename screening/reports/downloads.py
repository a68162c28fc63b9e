"""The response with the file of a document, of pages and API."""

from django.http import FileResponse

from screening.models import Document, User
from screening.services.documents import open_document

_TYPES = {"pdf": "application/pdf", "txt": "text/plain; charset=utf-8"}


def file_response(*, document: Document, by: User) -> FileResponse:
    """The file, audited. Its name is the id of the document, which names no patient. Raises NotMade."""
    content = open_document(document=document, by=by)
    name = f"{document.pk}.{document.extension}"
    response = FileResponse(content, content_type=_TYPES[document.extension], as_attachment=True, filename=name)
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response
