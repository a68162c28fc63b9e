"""Pages have few bytes and few requests: a clinic may have a slow line.

Bytes are those of gzip. ``benchmarks/pages.py`` measures the pages in a browser.
"""

import gzip
import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.core.files.base import ContentFile
from django.test import Client

from screening.models import Exam, Site, User
from screening.views.worklist import PER_PAGE
from tests.builders import photo_bytes
from tests.screening.factories import ExamFactory, FundusImageFactory, GradingFactory
from tests.screening.views.pages import static_files, text_of, url

FONTS = ("vendor/inter/inter-latin-400-600.woff2",)
"""The typeface: a browser loads this file once a year."""
MAX_FONTS_BYTES = 23_500
PHOTOGRAPHS = re.compile(r'<img[^>]* src="/images/[^"]*"')


def compressed_bytes(data: bytes) -> int:
    return len(gzip.compress(data, compresslevel=6))


def bytes_of(paths: list[str]) -> int:
    return sum(compressed_bytes(Path(finders.find(path) or "").read_bytes()) for path in paths)


@pytest.fixture
def exams(site: Site) -> list[Exam]:
    """A page of exams with photographs of both eyes, all waiting for a reader."""
    exams = [ExamFactory(patient__site=site, is_submitted=True) for _ in range(PER_PAGE)]
    for exam in exams:
        for eye in ("OD", "OS"):
            file = ContentFile(photo_bytes(), name="photo.jpg")
            GradingFactory(image=FundusImageFactory(exam=exam, laterality=eye, file=file), is_done=True)
    return exams


@pytest.mark.parametrize(
    ("page", "max_page_kb", "max_static_kb", "max_requests", "max_photographs"),
    [
        ("login", 2, 29, 5, 0),
        ("worklist", 6, 31, 6, 0),
        ("exam-detail", 10, 61, 7, 2),
        ("exam-review", 16, 63, 7, 4),
    ],
)
def test_a_page_is_within_its_budget(
    exams: list[Exam],
    client: Client,
    reviewer: User,
    photographer: User,
    page: str,
    max_page_kb: int,
    max_static_kb: int,
    max_requests: int,
    max_photographs: int,
) -> None:
    if page != "login":
        client.force_login(photographer if page == "exam-detail" else reviewer)
    if page == "exam-detail":
        Exam.objects.filter(pk=exams[0].pk).update(status=Exam.Status.OPEN)
    response: Any = client.get(url(page, *([exams[0].pk] if page in {"exam-review", "exam-detail"} else [])))
    assert response.status_code == 200
    html = text_of(response)
    files = static_files(html)
    assert files, "no style sheet was found: the pattern is wrong"
    assert compressed_bytes(response.content) <= max_page_kb * 1000
    assert bytes_of(files) <= max_static_kb * 1000
    assert sum(Path(finders.find(font) or "").stat().st_size for font in FONTS) <= MAX_FONTS_BYTES
    assert 1 + len(files) + len(FONTS) <= max_requests
    assert len(PHOTOGRAPHS.findall(html)) <= max_photographs
