"""Reading protocols of sites: storing a new version."""

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from screening.access import Action, require
from screening.labels.limits import too_long
from screening.labels.protocols import obstacle_text, sensitivity_text
from screening.models import AuditEvent, Site, SiteProtocol, User
from screening.models.base import max_length
from screening.policy.protocols import Protocol, ProtocolKind, triage_obstacle
from screening.selectors.protocols import count_readers, has_senior_reviewer, model_sensitivity, newest_protocol
from screening.services.audit import record_event

MIN_READERS = 3
"""Of a site whose exams are read twice: two readers and a senior reviewer who has read neither time."""


class ProtocolRefused(ValueError):
    """The protocol cannot be stored. The message is for the user."""


@transaction.atomic
def save_protocol(*, site: Site, protocol: Protocol, reason: str, base_number: int, by: User) -> SiteProtocol:
    """Store a new version, in force at once for exams that no reader has signed in their reading round.

    ``base_number``: the newest version when the page was opened, 0 if there was none. The same form sent twice is
    stored once. Raises ProtocolRefused, AccessDenied.
    """
    locked = Site.objects.select_for_update().get(pk=site.pk)
    require(by, Action.MANAGE_SITE, locked)
    newest = newest_protocol(locked)
    reason = reason.strip()
    if newest is not None and (newest.protocol, newest.reason, newest.created_by_id) == (protocol, reason, by.pk):
        return newest
    _require_reason(reason)
    if base_number != (0 if newest is None else newest.number):
        raise ProtocolRefused(_("Another version was stored meanwhile. Compare it, then enter your change again."))
    if newest is not None and protocol == newest.protocol:
        raise ProtocolRefused(_("Nothing differs from the protocol in force."))
    measured = _require_possible(locked, protocol)
    try:
        with transaction.atomic():
            row = SiteProtocol.objects.create(
                site=locked,
                number=base_number + 1,
                kind=protocol.kind.value,
                negative_percent=protocol.negative_percent,
                arbitrates_any_difference=protocol.arbitrates_any_difference,
                repeat_percent=protocol.repeat_percent,
                repeat_weeks=protocol.repeat_weeks,
                measured=measured,
                reason=reason,
                created_by=by,
            )
    except IntegrityError:  # SQLite has no lock on the site
        raise ProtocolRefused(_("Another version was stored a moment ago. Reload the page.")) from None
    record_event(
        verb=AuditEvent.Verb.PROTOCOL_CHANGED,
        subject=row,
        site=locked,
        data={"version": row.number, "kind": row.kind},
        by=by,
    )
    return row


def _require_possible(site: Site, protocol: Protocol) -> dict[str, int]:
    """The figures by which triage is allowed, else nothing. Raises ProtocolRefused."""
    if protocol.kind is ProtocolKind.SINGLE:
        return {}
    if not has_senior_reviewer(site):
        raise ProtocolRefused(
            _("This site has no senior reviewer, who decides if two readers disagree: give a person that role first.")
        )
    if count_readers(site) < MIN_READERS:
        raise ProtocolRefused(
            _("Two readers and a senior reviewer are three persons; this site has fewer who may read exams.")
        )
    if protocol.kind is not ProtocolKind.TRIAGE:
        return {}
    sensitivity = model_sensitivity(site)
    obstacle = triage_obstacle(sensitivity)
    if obstacle is not None:
        raise ProtocolRefused(f"{obstacle_text(obstacle)} {sensitivity_text(sensitivity)}")
    return {"n_flagged": sensitivity.n_positive, "n_referable": sensitivity.n}


def _require_reason(reason: str) -> None:
    if not reason:
        raise ProtocolRefused(_("Enter the reason for the change."))
    limit = max_length(SiteProtocol, "reason")
    if len(reason) > limit:
        raise ProtocolRefused(too_long(limit))
