"""What every page keeps to: the security policy, the banner, words that can be translated."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.template.loader import get_template
from django.test import Client

from ml.vocabulary import QualityReason
from screening.labels.quality import FALLBACK, QUALITY_ADVICE, advice_for

ROOT = Path(settings.BASE_DIR) / "templates"
PAGES = sorted(
    path
    for path in ROOT.rglob("*.html")
    if path.relative_to(ROOT).parts[0] in {"base.html", "screening", "registration"}
) + sorted(ROOT.glob("*.html"))
NAMES = [str(path.relative_to(ROOT)) for path in PAGES]


@pytest.mark.parametrize("path", PAGES, ids=NAMES)
def test_no_template_holds_an_inline_script_or_style(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", text)
    assert not re.search(r"<script(?![^>]*\ssrc=)", text)


@pytest.mark.parametrize("path", PAGES, ids=NAMES)
def test_no_template_asks_another_host(path: Path) -> None:
    assert not re.search(r"(src|href|action)=[\"']?(https?:)?//", path.read_text())


@pytest.mark.parametrize("path", PAGES, ids=NAMES)
def test_every_word_can_be_translated(path: Path) -> None:
    text = re.sub(r"\{% block (html_attributes|main_class) %\}.*?\{% endblock %\}", "", path.read_text())
    text = re.sub(r"\{% (blocktranslate|comment)[^%]*%\}.*?\{% end\1 %\}|\{%.*?%\}|\{\{.*?\}\}", "", text, flags=re.S)
    text = re.sub(r"<kbd>.*?</kbd>|<!doctype html>|<[^>]*>", "", text, flags=re.S)
    assert not re.findall(r"[A-Za-z]{2,}", text)


@pytest.mark.parametrize("name", NAMES)
def test_every_template_compiles(name: str) -> None:
    assert get_template(name)


def test_every_page_says_what_it_is_not(client: Client, db: None) -> None:
    text = client.get("/login/").content.decode()
    assert "Not a certified medical device" in text
    assert "<strong>not</strong> grade macular oedema" in text


def test_the_policy_allows_no_inline_code(client: Client, db: None) -> None:
    policy = client.get("/login/")["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy


def test_each_quality_reason_has_advice() -> None:
    assert set(QUALITY_ADVICE) == set(QualityReason)


def test_an_unknown_reason_is_still_told() -> None:
    assert advice_for(["glitter"]) == [FALLBACK]
    assert advice_for([]) == [FALLBACK]
