"""Who sends the request of this thread, and from where: what audit events store beside the action."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")
Q = TypeVar("Q", bound=Iterable[Any])
MAX_ID_CHARS = 64


@dataclass(slots=True, kw_only=True)
class RequestFacts:
    """``purpose`` is that of the route, or a client of the API gave it; ``is_panel``: the admin panel.

    ``user`` is the one of the session, ``key_id`` the id of the API key.

    ``n_events`` counts the audit events that the request has left. ``roles`` holds the roles of the user at each site,
    read at the first check of access by the API, or at the first event.
    ``only_reads``: the request changes nothing but the audit trail. ``kept`` holds what it asks more than once
    (``once_in_request``), and the roles that its authentication has read.
    """

    address: str | None = None
    request_id: str = ""
    purpose: str = ""
    is_panel: bool = False
    user: object = None
    key_id: str = ""
    n_events: int = 0
    roles: dict[object, dict[object, str]] = field(default_factory=dict)
    only_reads: bool = False
    kept: dict[object, Any] = field(default_factory=dict)


_current: ContextVar[RequestFacts | None] = ContextVar("request_facts", default=None)


def current_facts() -> RequestFacts | None:
    """The facts of the request that is processed; None in a task or a command."""
    return _current.get()


def only_reads() -> bool:
    """Whether a request is processed that changes nothing but the audit trail."""
    facts = current_facts()
    return facts is not None and facts.only_reads


def mark_as_reading() -> None:
    """Declare that the request changes nothing but the audit trail, such as a search that is sent by POST."""
    facts = current_facts()
    if facts is not None:
        facts.only_reads = True


def once_in_request(key: object, load: Callable[[], T]) -> T:
    """The value of ``load``; in a request that only reads, that of the first time for this key."""
    facts = current_facts()
    if facts is None or not facts.only_reads:
        return load()
    if key not in facts.kept:
        facts.kept[key] = load()
    kept: T = facts.kept[key]
    return kept


def values_in_request(key: object, rows: Callable[[], Q]) -> Q | list[Any]:
    """A query of a few values for a filter ``__in``; in a request that only reads, its values, read once.

    NB: as they are at the first time. A query with values is faster to build, plan and run than one with a subquery.
    """
    return once_in_request(key, lambda: list(rows())) if only_reads() else rows()


@contextmanager
def facts_of_request(facts: RequestFacts) -> Iterator[RequestFacts]:
    """Set the facts for the events that are recorded in the context."""
    token = _current.set(facts)
    try:
        yield facts
    finally:
        _current.reset(token)
