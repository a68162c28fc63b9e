"""Choices of model and form fields, made from the labels of an enumeration."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

E = TypeVar("E", bound=StrEnum)


def choices(labels: "Mapping[E, _StrPromise]") -> "list[tuple[str, _StrPromise]]":
    """Pairs of code and label. The codes are plain strings, as migrations store them."""
    return [(code.value, label) for code, label in labels.items()]


def values(codes: Iterable[StrEnum]) -> list[str]:
    """Codes as plain strings, for constraints of the database."""
    return [code.value for code in codes]
