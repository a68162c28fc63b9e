"""Long work of the sites that a user manages, of every kind in one list: imports, letters, messages, re-gradings.

To add a kind of work: its model in ``_loaders``, with a function that describes its rows.
"""

import datetime
import uuid
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Count, Q, QuerySet, Value
from django.utils.translation import gettext_lazy as _

from screening.access import Action, restrict
from screening.labels.imports import KIND_LABELS, ROW_LABELS, STATE_LABELS, problem_text
from screening.labels.letters import BATCH_STATE_LABELS
from screening.labels.messages import STATE_LABELS as MESSAGE_STATE_LABELS
from screening.labels.regradings import REGRADING_STATE_LABELS
from screening.models import DataImport, LetterBatch, MessageBatch, Regrading, Site, User
from screening.models.imports import COUNT_FIELDS
from screening.policy.imports import CANCELLABLE_STATES, WORKING_STATES, ImportKind, ImportState
from screening.policy.letters import BatchState
from screening.policy.messages import WAITING_STATES, MessageState
from screening.policy.regradings import RegradingState
from screening.selectors.regradings import with_progress

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

_MESSAGES_WAIT: "_StrPromise" = _("Messages wait to be sent")
_MESSAGES_ENDED: "_StrPromise" = _("No message waits any more")
_IMPORT: "_StrPromise" = _("Import")
_LETTERS: "_StrPromise" = _("Letters")
_MESSAGES: "_StrPromise" = _("Messages")
_REGRADING: "_StrPromise" = _("Re-grading")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Long work: what it is, how far it is, what came of it. ``n_done`` of ``n_total`` parts; 0 of 0 is not known yet.

    ``url`` and the other three are names of routes, with the id ``url_id``; without one it cannot be done.
    """

    kind: "_StrPromise"
    of_kind: "_StrPromise | str" = ""
    site: Site
    begun_at: datetime.datetime
    begun_by: User
    state: "_StrPromise"
    is_working: bool
    n_done: int
    n_total: int
    results: tuple[tuple["_StrPromise", int], ...] = ()
    """What came of the parts, with the number of each; only those above 0."""
    problem: str = ""
    url: str
    url_id: uuid.UUID
    cancel_url: str = ""
    pause_url: str = ""
    resume_url: str = ""


def list_jobs(*, user: User) -> QuerySet[Any, Any]:
    """Kind and id of all work of the sites that ``user`` manages, newest first, for ``load_jobs``."""
    first, *others = (
        _managed(model, user).order_by().annotate(job=Value(kind)).values_list("job", "id", "created_at")
        for kind, (model, _load) in _loaders().items()
    )
    every: QuerySet[Any, Any] = first.union(*others, all=True)
    return every.order_by("-created_at", "id")


def load_jobs(keys: Collection[tuple[str, uuid.UUID, datetime.datetime]], *, user: User) -> list[Job]:
    """The work with these keys of ``list_jobs``, in their order; six queries for any number."""
    found: dict[uuid.UUID, Job] = {}
    for kind, (model, load) in _loaders().items():
        ids = [pk for job, pk, _created_at in keys if job == kind]
        if ids:
            found |= load(_managed(model, user).filter(pk__in=ids).select_related("site"))
    return [found[pk] for _kind, pk, _created_at in keys if pk in found]


def _managed(model: Any, user: User) -> QuerySet[Any]:
    return restrict(model.objects.all(), user, Action.MANAGE_SITE)


def _loaders() -> dict[str, tuple[Any, Callable[[QuerySet[Any]], dict[uuid.UUID, Job]]]]:
    return {
        "import": (DataImport, _imports),
        "letters": (LetterBatch, _letters),
        "messages": (MessageBatch, _messages),
        "regrading": (Regrading, _regradings),
    }


def _imports(rows: QuerySet[DataImport]) -> dict[uuid.UUID, Job]:
    return {row.pk: _import(row) for row in rows.select_related("site", "owner")}


def _import(row: DataImport) -> Job:
    state = ImportState(row.state)
    return Job(
        kind=_IMPORT,
        of_kind=KIND_LABELS[ImportKind(row.kind)],
        site=row.site,
        begun_at=row.created_at,
        begun_by=row.owner,
        state=STATE_LABELS[state],
        is_working=state in WORKING_STATES,
        n_done=row.n_checked,
        n_total=row.n_rows,
        results=_above_zero((label, getattr(row, COUNT_FIELDS[one])) for one, label in ROW_LABELS.items()),
        problem=problem_text(row.problem, row.problem_values) if row.problem else "",
        url="screening:import",
        url_id=row.pk,
        cancel_url="screening:import-cancel" if state in CANCELLABLE_STATES else "",
    )


def _letters(rows: QuerySet[LetterBatch]) -> dict[uuid.UUID, Job]:
    is_ended = Q(letters__document__isnull=False) | ~Q(letters__reason="")
    counted = rows.select_related("site", "created_by").annotate(
        n_made=Count("letters", filter=Q(letters__document__isnull=False)),
        n_ended=Count("letters", filter=is_ended),
    )
    return {row.pk: _batch_of_letters(row) for row in counted}


def _batch_of_letters(row: Any) -> Job:
    state = BatchState(row.state)
    return Job(
        kind=_LETTERS,
        of_kind=row.get_variant_display(),
        site=row.site,
        begun_at=row.created_at,
        begun_by=row.created_by,
        state=BATCH_STATE_LABELS[state],
        is_working=row.is_working,
        n_done=row.n_made,
        n_total=row.n_letters,
        results=_above_zero([(_("Made"), row.n_made), (_("No letter"), row.n_ended - row.n_made)]),
        problem=str(BATCH_STATE_LABELS[state]) if state is BatchState.FAILED else "",
        url="screening:letter-batch",
        url_id=row.pk,
        cancel_url="screening:letter-batch-cancel" if row.is_working else "",
    )


def _messages(rows: QuerySet[MessageBatch]) -> dict[uuid.UUID, Job]:
    counts = {f"n_messages_{state}": Count("messages", filter=Q(messages__state=state.value)) for state in MessageState}
    return {row.pk: _batch_of_messages(row) for row in rows.select_related("site", "created_by").annotate(**counts)}


def _batch_of_messages(row: Any) -> Job:
    numbers = {state: getattr(row, f"n_messages_{state}") for state in MessageState}
    n_total, n_waiting = sum(numbers.values()), sum(numbers[state] for state in WAITING_STATES)
    return Job(
        kind=_MESSAGES,
        site=row.site,
        begun_at=row.created_at,
        begun_by=row.created_by,
        state=_MESSAGES_WAIT if n_waiting else _MESSAGES_ENDED,
        is_working=n_waiting > 0,
        n_done=n_total - n_waiting,
        n_total=n_total,
        results=_above_zero((MESSAGE_STATE_LABELS[state], n) for state, n in numbers.items()),
        url="screening:site-messages",
        url_id=row.site_id,
    )


def _regradings(rows: QuerySet[Regrading]) -> dict[uuid.UUID, Job]:
    return {row.pk: _regrading(row) for row in with_progress(rows.select_related("site", "created_by"))}


def _regrading(row: Any) -> Job:
    state = RegradingState(row.state)
    return Job(
        kind=_REGRADING,
        of_kind=row.model_version,
        site=row.site,
        begun_at=row.created_at,
        begun_by=row.created_by,
        state=REGRADING_STATE_LABELS[state],
        is_working=row.is_open,
        n_done=row.n_done,
        n_total=row.n_images,
        results=_above_zero([(_("Graded"), row.n_done)]),
        url="screening:regrading",
        url_id=row.pk,
        cancel_url="screening:regrading-cancel" if row.is_open else "",
        pause_url="screening:regrading-pause" if state is RegradingState.RUNNING else "",
        resume_url="screening:regrading-resume" if state is RegradingState.PAUSED else "",
    )


def _above_zero(counts: Any) -> tuple[tuple["_StrPromise", int], ...]:
    return tuple((label, n) for label, n in counts if n)
