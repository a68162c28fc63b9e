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


@pytest.mark.parametrize("name", NAMES)
def test_every_text_in_an_attribute_is_translatable(name: str) -> None:
    """Names for screen readers, tooltips, alternatives of pictures, texts that scripts show."""
    text = re.sub(r"\{% blocktranslate[^%]*%\}.*?\{% endblocktranslate %\}", "", (ROOT / name).read_text(), flags=re.S)
    text = re.sub(r"\{%.*?%\}|\{\{.*?\}\}", "", text, flags=re.S)
    for attribute, value in re.findall(r'\s(aria-label|title|alt|placeholder|data-[\w-]+)="([^"]*)"', text):
        assert not re.search(r"[A-Z][a-z]|[a-z] [a-z]", value), attribute


@pytest.mark.parametrize("name", NAMES)
def test_every_text_in_a_tag_is_translatable(name: str) -> None:
    """Arguments of filters and of included templates: ``default:_("none")``, not ``default:"none at all"``."""
    for tag in re.findall(r"\{%.*?%\}|\{\{.*?\}\}", (ROOT / name).read_text(), flags=re.S):
        if not re.match(r"\{% (translate|blocktranslate) ", tag):
            unmarked = re.sub(r"_\((\"[^\"]*\"|'[^']*')\)", "", tag)
            assert not re.search(r"[\"'](?:[A-Z][a-z]+ |[A-Za-z]{2,} )[A-Za-z ]*[\"']|yesno:\"[^\"]*[a-z]", unmarked)


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


@pytest.mark.parametrize("name", NAMES)
def test_every_moment_is_shown_in_the_time_zone_of_its_site(name: str) -> None:
    text = (ROOT / name).read_text().replace("{{ made_at }}", "")  # for programs
    assert not re.search(r"\|moment(?!:)|_at\|day(?!:)|_at \}\}", text)
