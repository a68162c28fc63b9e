"""Every template: content security policy, translation; the notice of every page; advice for quality reasons."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.template.loader import get_template
from django.test import Client

from ml.vocabulary import QualityReason
from screening.labels.quality import FALLBACK, QUALITY_ADVICE, advice_for

ROOT = Path(settings.BASE_DIR) / "templates"
NAMES = sorted(
    str(path.relative_to(ROOT)) for path in ROOT.rglob("*.html") if path.relative_to(ROOT).parts[0] != "admin"
)


@pytest.mark.parametrize("name", NAMES)
def test_a_template_compiles_without_inline_code_and_foreign_hosts(name: str) -> None:
    assert get_template(name)
    text = (ROOT / name).read_text()
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", text)
    assert not re.search(r"<script(?![^>]*\ssrc=)", text)
    assert not re.search(r"(src|href|action)=[\"']?(https?:)?//", text)


@pytest.mark.parametrize("name", NAMES)
def test_every_text_is_translatable(name: str) -> None:
    text = re.sub(r"\{% block (html_attributes|main_class) %\}.*?\{% endblock %\}", "", (ROOT / name).read_text())
    text = re.sub(r"\{% (blocktranslate|comment)[^%]*%\}.*?\{% end\1 %\}|\{%.*?%\}|\{\{.*?\}\}", "", text, flags=re.S)
    text = re.sub(r"<kbd>.*?</kbd>|<[^>]*>", "", text, flags=re.S)
    assert not re.findall(r"[A-Za-z]{2,}", text)


def test_every_page_has_the_notice_and_forbids_inline_code(client: Client, db: None) -> None:
    response = client.get("/login/")
    text = response.content.decode()
    assert "Not a certified medical device" in text
    assert "A colour photograph <strong>cannot exclude</strong> macular oedema." in text
    policy = response["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy


def test_each_quality_reason_has_advice() -> None:
    assert set(QUALITY_ADVICE) == set(QualityReason)
    assert advice_for(["glitter"]) == advice_for([]) == [FALLBACK]


@pytest.mark.parametrize("name", NAMES)
def test_no_template_names_a_format_of_dates(name: str) -> None:
    assert not re.search(r"\|(date|time)\b", (ROOT / name).read_text())
