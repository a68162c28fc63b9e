"""Who sends the request of this thread, and from where: what audit events store beside the action."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

MAX_ID_CHARS = 64


@dataclass(slots=True, kw_only=True)
class RequestFacts:
    """``purpose`` is that of the route, or a client of the API gave it; ``is_panel``: the admin panel.

    ``user`` is the one of the session, ``key_id`` the id of the API key.

    ``n_events`` counts the audit events that the request has left. ``roles`` holds the roles of the user at each site,
    read at the first check of access by the API, or at the first event.
    """

    address: str | None = None
    request_id: str = ""
    purpose: str = ""
    is_panel: bool = False
    user: object = None
    key_id: str = ""
    n_events: int = 0
    roles: dict[object, dict[object, str]] = field(default_factory=dict)


_current: ContextVar[RequestFacts | None] = ContextVar("request_facts", default=None)


def current_facts() -> RequestFacts | None:
    """The facts of the request that is processed; None in a task or a command."""
    return _current.get()


@contextmanager
def facts_of_request(facts: RequestFacts) -> Iterator[RequestFacts]:
    """Set the facts for the events that are recorded in the context."""
    token = _current.set(facts)
    try:
        yield facts
    finally:
        _current.reset(token)
