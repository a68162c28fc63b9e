"""Every template: content security policy, translation; the notice of every page; advice for quality reasons."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.template import TemplateSyntaxError
from django.template.loader import get_template
from django.test import Client

from ml.vocabulary import QualityReason
from screening.labels.quality import FALLBACK, QUALITY_ADVICE, advice_for

ROOT = Path(settings.BASE_DIR) / "templates"
PATHS = [path for path in sorted(ROOT.rglob("*.html")) if path.relative_to(ROOT).parts[0] != "admin"]
TEXTS = {str(path.relative_to(ROOT)): path.read_text() for path in PATHS}
"""By the name of the template."""


def found_in_templates(find: Callable[[str], list[Any]]) -> dict[str, list[Any]]:
    """What a function finds in the text of each template, by name; templates without a finding are left out."""
    assert len(TEXTS) > 100
    return {name: found for name, text in TEXTS.items() if (found := find(text))}


def test_every_template_compiles() -> None:
    for name in TEXTS:
        try:
            get_template(name)
        except TemplateSyntaxError as error:
            pytest.fail(f"{name}: {error}")


def test_no_template_has_inline_code_or_a_foreign_host() -> None:
    patterns = (
        r"<style|\sstyle=|\son[a-z]+=|javascript:",
        r"<script(?![^>]*\ssrc=)",
        r"(?:src|href|action)=[\"']?(?:https?:)?//",
    )
    assert found_in_templates(lambda text: [one for each in patterns for one in re.findall(each, text)]) == {}


def test_every_text_is_translatable() -> None:
    def untranslated(text: str) -> list[str]:
        text = re.sub(r"\{% block (html_attributes|main_class) %\}.*?\{% endblock %\}", "", text)
        text = re.sub(
            r"\{% (blocktranslate|comment)[^%]*%\}.*?\{% end\1 %\}|\{%.*?%\}|\{\{.*?\}\}", "", text, flags=re.S
        )
        text = re.sub(r"<kbd>.*?</kbd>|<[^>]*>", "", text, flags=re.S)
        return re.findall(r"[A-Za-z]{2,}", text)

    assert found_in_templates(untranslated) == {}


def test_every_text_in_an_attribute_is_translatable() -> None:
    """Names for screen readers, tooltips, alternatives of pictures, texts that scripts show."""

    def untranslated(text: str) -> list[tuple[str, str]]:
        text = re.sub(r"\{% blocktranslate[^%]*%\}.*?\{% endblocktranslate %\}", "", text, flags=re.S)
        text = re.sub(r"\{%.*?%\}|\{\{.*?\}\}", "", text, flags=re.S)
        attributes = re.findall(r'\s(aria-label|title|alt|placeholder|data-[\w-]+)="([^"]*)"', text)
        return [(name, value) for name, value in attributes if re.search(r"[A-Z][a-z]|[a-z] [a-z]", value)]

    assert found_in_templates(untranslated) == {}


def test_every_text_in_a_tag_is_translatable() -> None:
    """Arguments of filters and of included templates: ``default:_("none")``, not ``default:"none at all"``."""

    def untranslated(text: str) -> list[str]:
        tags = re.findall(r"\{%.*?%\}|\{\{.*?\}\}", text, flags=re.S)
        others = [tag for tag in tags if not re.match(r"\{% (translate|blocktranslate) ", tag)]
        unmarked = [re.sub(r"_\((\"[^\"]*\"|'[^']*')\)", "", tag) for tag in others]
        plain = r"[\"'](?:[A-Z][a-z]+ |[A-Za-z]{2,} )[A-Za-z ]*[\"']|yesno:\"[^\"]*[a-z]"
        return [tag for tag in unmarked if re.search(plain, tag)]

    assert found_in_templates(untranslated) == {}


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


def test_no_template_names_a_format_of_dates() -> None:
    assert found_in_templates(lambda text: re.findall(r"\|(?:date|time)\b", text)) == {}


def test_every_moment_is_shown_in_the_time_zone_of_its_site() -> None:
    def without_zone(text: str) -> list[str]:
        return re.findall(r"\|moment(?!:)|_at\|day(?!:)|_at \}\}", text.replace("{{ made_at }}", ""))  # for programs

    assert found_in_templates(without_zone) == {}
