"""The engine opens no file but those of the document, refuses letters without a font, and may be missing."""

import subprocess
import sys

import pytest

from screening.reports import engine
from screening.reports.engine import EngineUnavailable, LettersMissing, ResourceRefused, render_pdf

PAGE = "<!DOCTYPE html><html lang=en><title>T</title><body>{}</body></html>"


@pytest.mark.usefixtures("pango")
@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/passwd",
        "http://127.0.0.1:1/x.png",
        "https://example.org/x.png",
        "data:image/svg+xml,%3Csvg/%3E",
        "asset:other",
        "asset:../../etc/passwd",
        "font:../../../etc/passwd",
        "x.png",
    ],
)
@pytest.mark.parametrize("element", ['<img alt=x src="{}">', "<p style=\"background: url('{}')\">x"])
def test_it_refuses_files_that_are_not_of_the_document(address: str, element: str) -> None:
    with pytest.raises(ResourceRefused):
        render_pdf(PAGE.format(element.format(address)), assets={"photo": b""}, identifier=b"x")


@pytest.mark.usefixtures("pango")
def test_letters_without_a_font_are_an_error_without_the_letters() -> None:
    with pytest.raises(LettersMissing) as caught:
        render_pdf(PAGE.format("<p>name \U00012000</p>"), assets={}, identifier=b"x")
    assert caught.value.letters == {"\U00012000"}
    assert str(caught.value) == "1 letters"


@pytest.mark.usefixtures("pango")
def test_scripts_of_the_image_have_fonts() -> None:
    assert engine.missing_letters("Łódź Ω Ж محمد सुनीता 王小明") == set()


def test_without_pango_it_names_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "LIBRARIES", {"Pango": ("libnone.so.0",)})
    engine.missing_libraries.cache_clear()
    try:
        with pytest.raises(EngineUnavailable, match="Pango"):
            render_pdf(PAGE, assets={}, identifier=b"x")
    finally:
        engine.missing_libraries.cache_clear()


@pytest.mark.usefixtures("pango")
def test_pillow_still_refuses_truncated_files_when_the_engine_is_loaded() -> None:
    program = (
        "from PIL import ImageFile; from screening.reports import engine; "
        "engine._weasyprint(); print(ImageFile.LOAD_TRUNCATED_IMAGES)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "False"
