"""The catalogues are complete, current and compiled; the languages of pages are those with a complete catalogue."""

import re

import polib
import pytest
from django.conf import settings

from docs.messages import LOCALE, PLURALS, catalogue_path, extract, key_of

OFFERED = [code for code, _name in settings.LANGUAGES if code != "en"]
WRITTEN = [code for code in PLURALS if catalogue_path(code).exists()]
PLACEHOLDER = re.compile(r"%\(\w+\)[sdf]|%[sd%]|\{[^{}]*\}|</?\w+[^>]*>|&\w+;")


def catalogue(language: str) -> polib.POFile:
    return polib.pofile(str(catalogue_path(language)), wrapwidth=0)


def translations(entry: polib.POEntry) -> list[str]:
    return list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]


@pytest.mark.parametrize("language", OFFERED)
def test_an_offered_language_has_every_text_of_the_source(language: str) -> None:
    entries = catalogue(language)
    assert {key_of(one): one.msgid_plural for one in entries} == extract(), "Run: make messages"
    assert [one.msgid for one in entries if not all(translations(one)) or one.fuzzy or one.obsolete] == []


@pytest.mark.parametrize("language", WRITTEN)
def test_a_translation_has_the_placeholders_and_tags_of_its_text(language: str) -> None:
    for entry in catalogue(language):
        wanted = set(PLACEHOLDER.findall(entry.msgid)) | set(PLACEHOLDER.findall(entry.msgid_plural))
        for text in filter(None, translations(entry)):
            found = set(PLACEHOLDER.findall(text))
            assert found <= wanted, entry.msgid
            assert found == wanted or entry.msgid_plural, entry.msgid  # one, two: the number may be a word


@pytest.mark.parametrize("language", WRITTEN)
def test_the_compiled_catalogue_is_current(language: str) -> None:
    compiled = catalogue_path(language).with_suffix(".mo").read_bytes()
    assert compiled == catalogue(language).to_binary(), "Run: make messages"


def test_every_catalogue_is_of_a_language_with_plural_forms() -> None:
    assert {path.parts[-3] for path in LOCALE.glob("*/LC_MESSAGES/*.po")} <= set(PLURALS)


def test_texts_of_all_kinds_of_sources_are_found() -> None:
    texts = extract()
    assert ("", "Log in") in texts, "a template"
    assert ("", "This is a PDF document. Export the photograph itself from the camera's software.") in texts, "ml"
    assert ("", "no rule") in texts, "an argument of a filter"
    assert texts["", "%(n)s patient found."] == "%(n)s patients found."
    assert {("", "Open"), ("button", "Open")} <= set(texts), "a context in a template"
    assert {("", "None"), ("retinopathy", "None")} <= set(texts), "a context in Python"
