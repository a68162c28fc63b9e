"""HTML to PDF by WeasyPrint: PDF/A-3a, tagged, the same bytes for the same text and files.

WeasyPrint needs libraries of the operating system (Pango and those below it). They are loaded with the first
document: an installation without them starts, and everything else works.
"""

import atexit
import ctypes
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from PIL import ImageFile

VARIANT = "pdf/a-3a"
LIBRARIES: dict[str, tuple[str, ...]] = {
    "GLib": ("libgobject-2.0.so.0", "libgobject-2.0.0.dylib"),
    "Pango": ("libpango-1.0.so.0", "libpango-1.0.dylib"),
    "PangoFT2": ("libpangoft2-1.0.so.0", "libpangoft2-1.0.dylib"),
    "HarfBuzz": ("libharfbuzz.so.0", "libharfbuzz.0.dylib"),
    "HarfBuzz-Subset": ("libharfbuzz-subset.so.0", "libharfbuzz-subset.0.dylib"),
    "Fontconfig": ("libfontconfig.so.1", "libfontconfig.1.dylib"),
}
"""What ``weasyprint/text/ffi.py`` loads, on Linux and macOS."""
_STYLE = Path(__file__).with_name("document.css")
_ASSET = re.compile(r"asset:([a-z0-9-]+)")
_FONT = re.compile(r"font:([a-z0-9-]+\.woff2)")


class EngineUnavailable(Exception):
    """Libraries that WeasyPrint needs are not installed here. The message has their names."""


class LettersMissing(Exception):
    """No installed font has these letters. NB: the message has none of them, they may be a patient's name."""

    def __init__(self, letters: set[str]) -> None:
        self.letters = letters
        super().__init__(f"{len(letters)} letters")


class ResourceRefused(Exception):
    """The document names a file that does not belong to it."""


@lru_cache(maxsize=1)
def missing_libraries() -> tuple[str, ...]:
    """Names of the libraries that cannot be loaded here; empty if documents can be made."""
    return tuple(name for name, files in LIBRARIES.items() if not any(_can_load(file) for file in files))


def _can_load(file: str) -> bool:
    try:
        ctypes.CDLL(file)
    except OSError:
        return False
    return True


def render_pdf(html: str, *, assets: Mapping[str, bytes], identifier: bytes) -> bytes:
    """The document as PDF. Its images are ``asset:NAME``, of ``assets``; every other address is refused.

    Title, language and dates are those of the HTML. Raises EngineUnavailable, LettersMissing, ResourceRefused.
    """
    weasyprint = _weasyprint()
    document = _render(weasyprint, html, assets)
    pdf: bytes = document.write_pdf(pdf_variant=VARIANT, pdf_tags=True, pdf_identifier=identifier)
    letters = _missing_letters(document)
    if letters:
        raise LettersMissing(letters)
    return pdf


def missing_letters(text: str) -> set[str]:
    """The letters of ``text`` that no installed font has. Raises EngineUnavailable."""
    weasyprint = _weasyprint()
    escaped = "".join(f"&#{ord(letter)};" for letter in text)
    document = _render(weasyprint, f"<html lang=en><title>-</title><p>{escaped}</p></html>", {})
    document.write_pdf()
    return _missing_letters(document)


def _missing_letters(document: Any) -> set[str]:
    """Of a document that was written. Controls and other invisible characters need no glyph."""
    letters = {chr(code) for font in document.fonts.values() for code in font.missing}
    return {letter for letter in letters if letter.isprintable()}


def _weasyprint() -> Any:
    missing = missing_libraries()
    if missing:
        raise EngineUnavailable(", ".join(missing))
    accepts_truncated = ImageFile.LOAD_TRUNCATED_IMAGES
    import weasyprint

    # NB: its import makes Pillow accept damaged files in the whole process.
    ImageFile.LOAD_TRUNCATED_IMAGES = accepts_truncated
    return weasyprint


def _render(weasyprint: Any, html: str, assets: Mapping[str, bytes]) -> Any:
    from weasyprint.urls import FatalURLFetchingError

    fonts, style = _fonts_and_style()
    try:
        source = weasyprint.HTML(string=html, url_fetcher=_fetcher(assets), base_url="asset:")
        return source.render(
            stylesheets=[style], font_config=fonts, pdf_variant=VARIANT, pdf_tags=True, presentational_hints=False
        )
    except FatalURLFetchingError as error:  # NB: a BaseException
        raise ResourceRefused from error


@lru_cache(maxsize=1)
def _fonts_and_style() -> tuple[Any, Any]:
    """Fonts and style sheet of all documents, read once a process."""
    from weasyprint import CSS
    from weasyprint.text.fonts import FontConfiguration

    fonts = FontConfiguration()
    atexit.register(_fonts_and_style.cache_clear)  # it deletes its temporary files while Python still can
    return fonts, CSS(string=_STYLE.read_text(), font_config=fonts, url_fetcher=_fetcher({}))


def _fetcher(assets: Mapping[str, bytes]) -> Any:
    """A fetcher of these files and of our fonts. It opens no connection and no other file."""
    from weasyprint.urls import URLFetcher, URLFetcherResponse

    class OwnFiles(URLFetcher):  # type: ignore[misc]  # the package has no types
        def fetch(self, url: str, headers: object = None) -> Any:
            return URLFetcherResponse(url, _own_file(url, assets))

    return OwnFiles(allowed_protocols=(), fail_on_errors=True)


def _own_file(url: str, assets: Mapping[str, bytes]) -> bytes:
    asset, font = _ASSET.fullmatch(url), _FONT.fullmatch(url)
    if asset is not None and asset[1] in assets:
        return assets[asset[1]]
    if font is not None:
        return (Path(settings.BASE_DIR) / "static" / "vendor" / "inter" / font[1]).read_bytes()
    raise ResourceRefused
