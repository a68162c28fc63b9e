"""The PDF of many letters: the pages of each as they are, equal pictures once."""

from io import BytesIO

import pikepdf
import pypdf
import pytest

from screening.models import Document, Site, User
from screening.reports.bundles import A4_PT
from screening.reports.joined_pdf import JoinedPdf
from tests.screening.reports.golden import GOLDEN, addressed
from tests.screening.reports.test_letters import pdf_of, requested

KINDS = (Document.Kind.REFERRAL_LETTER, Document.Kind.DOCTOR_LETTER)


@pytest.mark.usefixtures("pango")
def test_joined_pages_are_those_of_the_files(site: Site, manager: User) -> None:
    review = addressed(GOLDEN["chinese"](site))
    files = [pdf_of(requested(review, manager, kind)) for kind in KINDS]
    files.append(files[0])
    out = BytesIO()
    joined = JoinedPdf(out)
    n_pages = []
    for file in files:
        n_pages.append(joined.add(BytesIO(file)))
        joined.add_blank_page(A4_PT)
    joined.close()
    with pikepdf.open(out) as opened:
        assert opened.check_pdf_syntax() == []
        assert not [one for one in opened.objects if isinstance(one, pikepdf.Dictionary) and "/S" in one]  # no tags
    expected = [page for file in files for page in [*pypdf.PdfReader(BytesIO(file)).pages, None]]
    pages = pypdf.PdfReader(out).pages
    assert len(pages) == len(expected) == sum(n_pages) + 3
    for page, source in zip(pages, expected, strict=True):
        assert [round(float(side)) for side in page.mediabox] == [0, 0, 595, 842]
        assert page.extract_text() == ("" if source is None else source.extract_text())
        photos = [] if source is None else [one.data for one in source.images]
        assert sorted(one.data for one in page.images) == sorted(photos)
    assert any(page.images for page in pages)
    assert len(out.getvalue()) < 1.2 * (len(files[0]) + len(files[1]))
