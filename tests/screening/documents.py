"""Documents in few words."""

import hashlib
from typing import cast

from django.core.files.base import ContentFile
from django.utils import timezone
from factory.declarations import LazyFunction, SelfAttribute, SubFactory, Trait
from factory.django import DjangoModelFactory

from screening.models import Document
from tests.screening.factories import Factory

DOCUMENT = b"%PDF-1.7 of MRN-MARKER"
"""The file of a made document; tests of the audit search for the number in it."""


class _DocumentFactory(DjangoModelFactory[Document]):
    """A queued report of a signed exam; ``is_done=True``: with a file, which is no PDF."""

    class Meta:
        model = Document

    class Params:
        is_done = Trait(
            status=Document.Status.DONE,
            file=LazyFunction(lambda: ContentFile(DOCUMENT, name="document.pdf")),
            sha256=hashlib.sha256(DOCUMENT).hexdigest(),
            n_bytes=len(DOCUMENT),
        )

    kind = Document.Kind.CLINICAL_REPORT
    review = SubFactory("tests.screening.factories._ReviewFactory")
    exam = SelfAttribute("review.exam")
    patient = SelfAttribute("exam.patient")
    site = SelfAttribute("exam.site")
    language = "en"
    data_sha256 = "0" * 64
    requested_by = SelfAttribute("review.reviewer")
    queued_at = LazyFunction(timezone.now)


DocumentFactory = cast("Factory[Document]", _DocumentFactory)
