"""Write the catalogues in locale/: every text of the source, and the compiled files that pages read.

    make messages

A text that is new has no translation yet; one that left the source is deleted. Needs no GNU gettext.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polib

ROOT = Path(__file__).resolve().parents[1]
LOCALE = ROOT / "locale"
SOURCES = ("screening", "drsite", "ml", "templates")
NOT_SHOWN = {"migrations", "management", "demo"}
PLURALS = {
    "ar": "nplurals=6; plural=n==0 ? 0 : n==1 ? 1 : n==2 ? 2 : n%100>=3 && n%100<=10 ? 3 "
    ": n%100>=11 && n%100<=99 ? 4 : 5;",
    "de": "nplurals=2; plural=(n != 1);",
    "es": "nplurals=2; plural=(n != 1);",
    "fr": "nplurals=2; plural=(n > 1);",
}
"""The languages with a catalogue, and their plural forms (as in the catalogues of Django)."""
_FUNCTION = re.compile(r"_|n?p?gettext(?:_lazy|_noop)?")
_STRING = r"""[uU]?(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
_CALL_IN_TEMPLATE = re.compile(rf"\b(n?p?gettext|_)\(\s*({_STRING}(?:\s*,\s*{_STRING})*)", re.DOTALL)

Key = tuple[str, str]
"""Context (empty without one) and text."""


def catalogue_path(language: str) -> Path:
    """The catalogue of a language; the compiled file is beside it."""
    return LOCALE / language / "LC_MESSAGES" / "django.po"


def key_of(entry: polib.POEntry) -> Key:
    """What names an entry of a catalogue."""
    return entry.msgctxt or "", entry.msgid


def extract() -> dict[Key, str]:
    """Every text of the source that is translated, with its plural (empty without one)."""
    texts: dict[Key, str] = {}
    for source in SOURCES:
        for path in sorted((ROOT / source).rglob("*.py")) + sorted((ROOT / source).rglob("*.html")):
            if not NOT_SHOWN & set(path.relative_to(ROOT).parts):
                found = _in_template(path.read_text()) if path.suffix == ".html" else _in_python(path.read_text())
                for key, plural in found:
                    texts[key] = plural or texts.get(key, "")
    return texts


def _in_python(text: str) -> Iterator[tuple[Key, str]]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", "")
            literals = [one.value for one in node.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
            if _FUNCTION.fullmatch(name) and literals:
                yield _named(name, literals)


def _in_template(text: str) -> Iterator[tuple[Key, str]]:
    from django.utils.translation.template import templatize

    for name, literals in _CALL_IN_TEMPLATE.findall(templatize(text)):
        yield _named(name, [ast.literal_eval(one) for one in re.findall(_STRING, literals, re.DOTALL)])


def _named(function: str, literals: list[str]) -> tuple[Key, str]:
    """The key and the plural of a call."""
    context = literals.pop(0) if "pgettext" in function else ""
    return (context, literals[0]), literals[1] if function.startswith("n") else ""


def merged(language: str, texts: dict[Key, str]) -> polib.POFile:
    """The catalogue with exactly these texts: translations that exist are kept, unless their plural changed."""
    path = catalogue_path(language)
    known = {key_of(one): one for one in polib.pofile(str(path))} if path.exists() else {}
    catalogue = polib.POFile(wrapwidth=0)
    catalogue.metadata = {
        "Language": language,
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
        "Plural-Forms": PLURALS[language],
    }
    for (context, text), plural in sorted(texts.items()):
        before = known.get((context, text))
        if before is not None and before.msgid_plural == plural:
            catalogue.append(before)
        else:
            catalogue.append(_untranslated(language, context, text, plural))
    return catalogue


def _untranslated(language: str, context: str, text: str, plural: str) -> polib.POEntry:
    n_forms = int(PLURALS[language].removeprefix("nplurals=")[0])
    forms: dict[str, Any] = {"msgid_plural": plural, "msgstr_plural": dict.fromkeys(range(n_forms), "")}
    return polib.POEntry(msgctxt=context or None, msgid=text, **(forms if plural else {}))


def main() -> int:
    """Write all catalogues. 1 if one has texts without a translation, which are printed."""
    texts = extract()
    is_complete = True
    for language in PLURALS:
        catalogue = merged(language, texts)
        path = catalogue_path(language)
        path.parent.mkdir(parents=True, exist_ok=True)
        catalogue.save(str(path))
        catalogue.save_as_mofile(str(path.with_suffix(".mo")))
        missing = catalogue.untranslated_entries()
        is_complete = is_complete and not missing
        print(f"{language}: {len(texts)} texts, {len(missing)} without a translation")
        for entry in missing:
            print(f"  {entry.msgid!r}")
    return 0 if is_complete else 1


if __name__ == "__main__":
    sys.exit(main())
