"""Texts into which a script inserts a number: ``data-waiting="{% plural_forms 'waiting' %}"``."""

import json

from django import template

from screening.labels import browser_texts

register = template.Library()


@register.simple_tag
def plural_forms(name: str) -> str:
    """The forms of a text as JSON, for ``pluralText`` of ``static/page.js``."""
    return json.dumps(browser_texts.plural_forms(name), ensure_ascii=False)
