"""Filters for values within a sentence that may be of the other direction of writing."""

from django import template

from screening.labels import directions, sentences

register = template.Library()
register.filter("direction", directions.direction_of)
register.filter("isolated", directions.isolated)
register.filter("joined", sentences.joined)


@register.filter
def isolated_lines(text: str) -> str:
    """Each line of a text by itself, for an address: ``{{ head.address|isolated_lines|linebreaksbr }}``."""
    return "\n".join(directions.isolated(line) for line in text.splitlines())
