"""Requirements of PDF/A-3a (ISO 19005-3, level A) that can be checked with pikepdf.

Not checked, because no validator runs here (veraPDF is in neither Debian nor PyPI): the syntax of font programs and of
ICC profiles, widths of glyphs, values of ToUnicode maps, the XMP schemas, limits of the syntax.
"""

from collections.abc import Iterable, Iterator
from io import BytesIO
from itertools import pairwise

import pikepdf

_SHOWS = {"Tj", "TJ", "'", '"', "Do", "sh", "f", "F", "f*", "B", "B*", "b", "b*", "S", "s"}
_FORBIDDEN_KEYS = {
    "/AA",
    "/OpenAction",
    "/AcroForm",
    "/JavaScript",
    "/JS",
    "/EmbeddedFiles",
    "/OPI",
    "/PS",
    "/Alternates",
}
_FORBIDDEN_ACTIONS = {"/JavaScript", "/Launch", "/Sound", "/Movie", "/ResetForm", "/ImportData", "/Rendition"}
_BLEND_MODES = {"/Normal", "/Compatible", "/Multiply", "/Screen", "/Overlay", "/Darken", "/Lighten"}
_COLOURS = {"/DeviceRGB", "/DeviceGray"}


def faults(data: bytes, language: str) -> list[str]:
    """What is wrong with a file; empty if nothing is."""
    with pikepdf.open(BytesIO(data)) as pdf:
        found = [*_document(pdf, data, language), *_objects(pdf), *_tags(pdf)]
        for number, page in enumerate(pdf.pages, 1):
            found += [f"page {number}: {fault}" for fault in _page(page)]
    return found


def _document(pdf: pikepdf.Pdf, data: bytes, language: str) -> Iterator[str]:
    root, title = pdf.Root, str(pdf.docinfo.get("/Title", ""))
    intents = list(root.get("/OutputIntents", pikepdf.Array()))
    profiles = [one.DestOutputProfile for one in intents if one.S == "/GTS_PDFA1"]
    with pdf.open_metadata() as metadata:
        is_level_a = (metadata["pdfaid:part"], metadata["pdfaid:conformance"]) == ("3", "A")
        rules = {
            "header": data[:8] == b"%PDF-1.7" and min(data[10:14]) > 127,
            "encrypted": not pdf.is_encrypted,
            "no identifier": "/ID" in pdf.trailer,
            "level": is_level_a,
            "title": bool(title) and metadata["dc:title"] == title,
            "title bar": bool(root.ViewerPreferences.DisplayDocTitle),
            "language": str(root.get("/Lang")) == language,
            "not tagged": bool(root.MarkInfo.Marked) and "/StructTreeRoot" in root,
            "output intent": len(profiles) == 1 and profiles[0].N == 3 and profiles[0].read_bytes()[36:40] == b"acsp",
        }
    yield from (name for name, is_kept in rules.items() if not is_kept)


def _objects(pdf: pikepdf.Pdf) -> Iterator[str]:
    for one in _dictionaries(pdf.objects):
        keys = set(one.keys())
        yield from (f"{key} is forbidden" for key in keys & _FORBIDDEN_KEYS)
        if str(one.get("/S")) in _FORBIDDEN_ACTIONS:
            yield f"action {one.S}"
        if one.get("/Type") == "/FontDescriptor" and not keys & {"/FontFile", "/FontFile2", "/FontFile3"}:
            yield f"font {one.FontName} is not embedded"
        if one.get("/Subtype") == "/Type0" and "/ToUnicode" not in keys:
            yield f"font {one.BaseFont} has no ToUnicode"
        if one.get("/Subtype") == "/CIDFontType2" and one.get("/CIDToGIDMap") is None:
            yield f"font {one.BaseFont} has no CIDToGIDMap"
        if one.get("/Subtype") == "/Image" and (one.get("/Interpolate") or str(one.ColorSpace) not in _COLOURS):
            yield f"image: {one.get('/ColorSpace')}, interpolated: {one.get('/Interpolate')}"
        if str(one.get("/BM", "/Normal")) not in _BLEND_MODES:
            yield f"blend mode {one.BM}"
        if "/Filter" in keys and "LZW" in str(one.Filter):
            yield "LZW"


def _dictionaries(values: Iterable[pikepdf.Object]) -> Iterator[pikepdf.Object]:
    """All dictionaries and streams, also those that are part of another object."""
    for one in values:
        if isinstance(one, pikepdf.Dictionary | pikepdf.Stream):
            yield one
            yield from _dictionaries(value for _key, value in one.items() if not _is_indirect(value))
        elif isinstance(one, pikepdf.Array):
            yield from _dictionaries(value for value in one if not _is_indirect(value))


def _is_indirect(value: object) -> bool:
    return isinstance(value, pikepdf.Object) and value.is_indirect


def _page(page: pikepdf.Page) -> Iterator[str]:
    """Everything that is drawn is tagged or an artifact; the order of tabs is that of the tags."""
    if page.obj.get("/Tabs") != "/S" or "/StructParents" not in page.obj:
        yield "not connected to the tags"
    depth = 0
    for one in pikepdf.parse_content_stream(page):
        operands, name = one.operands, str(one.operator)
        if name in {"BDC", "BMC"}:
            depth += 1
            if str(operands[0]) != "/Artifact" and (len(operands) < 2 or "/MCID" not in operands[1]):
                yield f"{operands[0]} without MCID"
        elif name == "EMC":
            depth -= 1
        elif name in _SHOWS and depth == 0:
            yield f"{name} is outside the tags"


def _tags(pdf: pikepdf.Pdf) -> Iterator[str]:
    elements = list(_elements(pdf.Root.StructTreeRoot.K))
    identifiers = {str(one.ID) for one in elements if "/ID" in one}
    headings = [int(str(one.S)[2:]) for one in elements if str(one.S)[:2] == "/H" and str(one.S)[2:].isdigit()]
    if headings[:1] != [1] or any(after > before + 1 for before, after in pairwise(headings)):
        yield f"levels of headings: {headings}"
    for one in elements:
        if one.S == "/Figure" and not str(one.get("/Alt", "")).strip():
            yield "figure without alternative text"
        if one.S == "/TD":
            headers = {str(name) for name in one.get("/A", pikepdf.Dictionary()).get("/Headers", pikepdf.Array())}
            if not headers or not headers <= identifiers:
                yield f"cell without headers: {headers}"


def _elements(node: pikepdf.Object) -> Iterator[pikepdf.Dictionary]:
    if isinstance(node, pikepdf.Array):
        for child in node:
            yield from _elements(child)
    elif isinstance(node, pikepdf.Dictionary) and "/S" in node:
        yield node
        yield from _elements(node.get("/K", pikepdf.Array()))
