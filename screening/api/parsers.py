"""Parser of JSON bodies."""

import codecs
import json
from typing import Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError, ValidationError
from rest_framework.parsers import JSONParser, get_encoding  # type: ignore[attr-defined]  # the stubs lack it

from screening.api.surplus import MAX_NAME_LENGTH

MAX_DEPTH = 20
"""Levels of a body; those of the API have two. Python's own limit depends on what calls it."""
_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)
"""Byte order marks. That of UTF-32, little endian, begins as that of UTF-16."""


class StrictJsonParser(JSONParser):
    """JSON that may begin with a byte order mark, and has each name once in an object."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """Raises ParseError, and ValidationError for a name that appears twice: one of its values would be lost."""
        charset = get_encoding(parser_context or {})
        body: bytes = stream.read()
        try:
            text = body.decode(json.detect_encoding(body) if body.startswith(_MARKS) else charset)
            data = json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            raise ParseError from error
        if _is_deeper(data, MAX_DEPTH):
            raise ParseError
        return data


def _is_deeper(data: Any, limit: int) -> bool:
    """Whether lists and objects have more than ``limit`` levels."""
    level = [data]
    for _depth in range(limit + 1):
        inner = [each.values() if isinstance(each, dict) else each for each in level if isinstance(each, dict | list)]
        if not inner:
            return False
        level = [value for values in inner for value in values]
    return True


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        names = [name for name, _value in pairs]
        repeated = {name for name in names if names.count(name) > 1}
        message = _("“%(name)s” is sent more than once. Send it once.")
        raise ValidationError({name: message % {"name": name[:MAX_NAME_LENGTH]} for name in repeated})
    return values


def _refuse_constant(name: str) -> None:
    raise ValueError(name)  # NaN and Infinity are not JSON
