"""Make the report and the letters of ten made-up patients in four languages, as PDF and as pictures to look at.

    python -m docs.document_pictures FOLDER --languages fr de --patients longest chinese

It uses a database in memory. The pictures are made by pdftoppm (Debian: poppler-utils): one of each page, named by
language, patient, kind and variant.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "drsite.settings")
os.environ.update(DEBUG="true", DATABASE_URL="sqlite://:memory:", REPORTS_DIR="synthetic photographs")
RESOLUTION_DPI = 110


def main() -> int:
    """Make the documents; 1 without pdftoppm."""
    parser = argparse.ArgumentParser(description="Make pictures of reports and letters.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--languages", nargs="+", default=["en", "fr", "de", "es"])
    parser.add_argument("--patients", nargs="+", help="names of tests/screening/reports/golden.py; without it all")
    parser.add_argument("--kinds", nargs="+", help="clinical_report, result_letter ...; without it all")
    options = parser.parse_args()
    program = shutil.which("pdftoppm")
    if program is None:
        sys.stderr.write("pdftoppm is missing. Install poppler-utils.\n")
        return 1
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    from screening.services import documents
    from tests.screening.reports.golden import GOLDEN

    settings.MEDIA_ROOT = tempfile.mkdtemp()
    documents.publish = lambda document_id: None
    call_command("migrate", verbosity=0)
    folder: Path = options.folder
    folder.mkdir(parents=True, exist_ok=True)
    for name in options.patients or GOLDEN:
        for language in options.languages:
            for path in make_documents(folder, name, language, options.kinds):
                if path.suffix == ".pdf":
                    prefix = str(path.with_suffix(""))
                    subprocess.run([program, "-r", str(RESOLUTION_DPI), "-png", path, prefix], check=True)  # noqa: S603
                sys.stdout.write(f"{path}\n")
    return 0


def make_documents(folder: Path, name: str, language: str, kinds: list[str] | None) -> list[Path]:
    """The report and the letters of one patient in all variants; the paths of the files."""
    from screening.policy.letters import LetterVariant
    from screening.reports.letters import OF_RECALL, OF_REVIEW, LetterRefused
    from screening.reports.making import pdf_of
    from screening.reports.requests import request_letter, request_report
    from tests.screening.factories import MembershipFactory, SiteFactory
    from tests.screening.reports.golden import GOLDEN, WITH_HEATMAPS, addressed

    site = SiteFactory(message_language=language, message_phone="+44 20 7946 0000")
    review = addressed(GOLDEN[name](site), language=language)
    by = MembershipFactory(site=site, role="manager").user
    has_heatmaps = name in WITH_HEATMAPS
    made = [request_report(review=review, has_heatmaps=has_heatmaps, language=language, by=by)[0]]
    for kind in (*OF_REVIEW, *OF_RECALL):
        about = review if kind in OF_REVIEW else None
        for variant in LetterVariant:
            request: dict[str, Any] = {
                "kind": kind,
                "patient": review.exam.patient,
                "review": about,
                "variant": variant,
                "by": by,
            }
            with suppress(LetterRefused):  # this result has no such letter
                made.append(request_letter(**request)[0])
    paths = []
    for document in made:
        if kinds and document.kind not in kinds:
            continue
        path = folder / f"{language}-{name}-{document.kind}-{document.variant}.{document.extension}"
        path.write_bytes(pdf_of(document))
        paths.append(path)
    return paths


if __name__ == "__main__":
    sys.exit(main())
