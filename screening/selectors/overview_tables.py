"""The first page of the dashboard: exams, imageability, grades, referrals, times and people, as tables."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from ml.vocabulary import QualityLevel
from screening.labels.dashboards import (
    EYE_STATE_LABELS,
    STAGE_LABELS,
    TURNAROUND_BANDS,
    level_label,
    reason_label,
    turnaround_band,
    turnaround_text,
)
from screening.labels.dates import day_text
from screening.labels.grades import GRADE_LABELS
from screening.labels.lesions import UNGRADABLE_REASON_LABELS
from screening.labels.recall import STATE_LABELS
from screening.labels.reviews import MACULAR_OEDEMA_LABELS, OUTCOME_LABELS
from screening.models import Site
from screening.policy.daily_counts import (
    NO,
    YES,
    Dimension,
    EyeState,
    Measure,
    Period,
    Stage,
    pair_of,
    quantile,
    turnaround_hours,
)
from screening.policy.dashboard_tables import Bar, Cell, Table, row_of
from screening.policy.proportions import Proportion
from screening.policy.recall import RecallState
from screening.policy.referrals import REFERRAL_OUTCOMES
from screening.selectors.dashboards import (
    SiteIds,
    Standing,
    groups_of,
    n_exams,
    sum_by_code,
    sum_by_group,
    sum_by_site,
)

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

Counts = Mapping[Measure, Counter[str]]
_OF_EXAMS = tuple(
    measure
    for measure in Measure
    if measure not in {Measure.REGISTER, Measure.COVERED, Measure.TWO_READERS, Measure.CHANGES, Measure.COMPARED_EXAMS}
)
_OF_SITES = (Measure.EXAMS, Measure.EYES, Measure.OUTCOMES, Measure.FEEDBACK, Measure.TURNAROUND, Measure.INVITED)


def overview_tables(sites: Sequence[Site], period: Period, standing: Standing) -> list[Table]:
    """The tables of some sites together; two queries."""
    ids = [site.pk for site in sites]
    counts = sum_by_code(ids, period, _OF_EXAMS)
    register = _summed(standing.register.values())
    backlog = [sum(values) for values in zip(*standing.backlog.values(), strict=True)] or [0, 0]
    return [
        _summary(counts, register, backlog),
        _over_time(ids, period),
        _codes("eyes", _("Imageability of eyes"), counts[Measure.EYES], EYE_STATE_LABELS, _("Eyes")),
        _ungradable(counts[Measure.UNGRADABLE]),
        _photos(counts[Measure.PHOTOS]),
        _reasons(counts[Measure.PHOTO_REASONS]),
        _codes("grades", _("Signed grades of eyes"), counts[Measure.GRADES], GRADE_LABELS, _("Eyes")),
        _codes("oedema", _("Signed macular oedema of eyes"), counts[Measure.OEDEMA], MACULAR_OEDEMA_LABELS, _("Eyes")),
        _codes("outcomes", _("Outcomes of exams"), counts[Measure.OUTCOMES], OUTCOME_LABELS, _("Exams")),
        _turnaround(counts[Measure.TURNAROUND]),
        _codes("register", _("People of the register now"), register[Measure.REGISTER], STATE_LABELS, _("People")),
    ]


def site_table(sites: Sequence[Site], period: Period, standing: Standing) -> Table:
    """The most important numbers of each site; one query."""
    counts = sum_by_site([site.pk for site in sites], period, _OF_SITES)
    register, backlog = standing.register, standing.backlog
    rows: list[tuple[Cell, ...]] = []
    for site in sites:
        of_site, people = counts.get(site.pk, {}), register.get(site.pk, {})
        rows.append(
            row_of(
                site.name,
                n_exams(of_site.get(Measure.EXAMS, Counter())),
                _imageability(of_site),
                _referral_rate(of_site),
                turnaround_text(quantile(_hours(of_site), 0.9)),
                *backlog.get(site.pk, (0, 0)),
                _yes_of(of_site.get(Measure.INVITED, Counter())),
                _yes_of(people.get(Measure.COVERED, Counter())),
            )
        )
    head = (
        _("Site"),
        _("Exams"),
        _("Imageability"),
        _("Referral rate"),
        _("90 % signed within"),
        pgettext("exams", "Waiting now"),
        pgettext("exams", "Overdue now"),
        _("Uptake"),
        _("Coverage now"),
    )
    return Table(code="sites", title=_("By site"), head=head, rows=tuple(rows))


def _imageability(counts: Counts) -> Proportion:
    eyes = counts.get(Measure.EYES, Counter())
    return Proportion(eyes[EyeState.GRADABLE], eyes[EyeState.GRADABLE] + eyes[EyeState.UNGRADABLE])


def _referral_rate(counts: Counts) -> Proportion:
    outcomes = counts.get(Measure.OUTCOMES, Counter())
    return Proportion(sum(outcomes[outcome] for outcome in REFERRAL_OUTCOMES), sum(outcomes.values()))


def _hours(counts: Counts) -> Counter[int]:
    found: Counter[int] = Counter()
    for code, n in counts.get(Measure.TURNAROUND, Counter()).items():
        found[turnaround_hours(code)] += n
    return found


def _summary(counts: Counts, register: Counts, backlog: Sequence[int]) -> Table:
    exams, hours = counts.get(Measure.EXAMS, Counter()), _hours(counts)
    states = register.get(Measure.REGISTER, Counter())
    rows: tuple[tuple[str, Cell], ...] = (
        (_("Exams"), n_exams(exams)),
        (_("Signed exams"), exams[Stage.SIGNED]),
        (_("Imageability: eyes gradable of those photographed"), _imageability(counts)),
        (_("Referral rate: signed exams that refer"), _referral_rate(counts)),
        (_("Referrals confirmed by the hospital, of those flagged by the model"), _confirmed(counts, of_flagged=True)),
        (_("Referrals confirmed by the hospital, of all"), _confirmed(counts, of_flagged=False)),
        (_("Time from hand-over to signature: half within"), turnaround_text(quantile(hours, 0.5))),
        (_("Time from hand-over to signature: 90 % within"), turnaround_text(quantile(hours, 0.9))),
        (_("Backlog: exams that wait for a reader now"), backlog[0]),
        (_("Backlog: overdue now"), backlog[1]),
        (_("Uptake: invited people who attended"), _yes_of(counts.get(Measure.INVITED, Counter()))),
        (
            _("Coverage: eligible people whose last screening is still valid now"),
            _yes_of(register.get(Measure.COVERED, Counter())),
        ),
        (_("People overdue now"), states[RecallState.OVERDUE]),
        (_("People lost to follow-up now"), states[RecallState.LOST]),
    )
    return Table(
        code="summary",
        title=_("At a glance"),
        head=(_("What"), _("Value")),
        rows=rows,
        note=_(
            "Intervals are those of 95 % (Wilson). Confirmed referrals are those of patients who were referred and "
            "whose result is back. A screening is valid until the person is overdue. A visit within 180 days counts as "
            "the result of an invitation."
        ),
    )


def _confirmed(counts: Counts, *, of_flagged: bool) -> Proportion:
    pairs = {pair_of(code): n for code, n in counts.get(Measure.FEEDBACK, Counter()).items()}
    known = {pair: n for pair, n in pairs.items() if pair[1] in {YES, NO} and (pair[0] == YES or not of_flagged)}
    return Proportion(sum(n for (_flagged, confirmed), n in known.items() if confirmed == YES), sum(known.values()))


def _yes_of(counts: Counter[str]) -> Proportion:
    return Proportion(counts[YES], counts[YES] + counts[NO])


def _over_time(ids: SiteIds, period: Period) -> Table:
    found = sum_by_group(ids, period, Dimension.SITE, [Measure.EXAMS])[Measure.EXAMS, ""]
    groups = groups_of(period)
    stages = (Stage.SIGNED, Stage.WAITING, Stage.PHOTOGRAPHED)
    per_group = {group: found.get(group, Counter()) for group in groups}
    rows = [row_of(day_text(group), *(per_group[group][stage] for stage in stages)) for group in groups]
    return Table(
        code="exams",
        title=_("Exams by day of the visit"),
        head=(_("From"), *(str(STAGE_LABELS[stage]) for stage in stages)),
        rows=tuple(rows),
        bars=tuple(Bar(day_text(group), n_exams(per_group[group])) for group in groups),
        is_over_time=True,
    )


def _codes(code: str, title: str, counts: Counter[str], labels: Mapping[Any, "_StrPromise"], unit: str) -> Table:
    """A table with a row for each label, also without a count."""
    named = [(str(label), counts[str(getattr(key, "value", key))]) for key, label in labels.items()]
    return _bars(code, title, named, unit)


def _bars(code: str, title: str, named: Iterable[tuple[str, int]], unit: str, note: str = "") -> Table:
    named = list(named)
    total = sum(n for _label, n in named)
    return Table(
        code=code,
        title=title,
        head=(title, unit, _("Share")),
        rows=tuple((label, n, _percent(n, total)) for label, n in named) if total else (),
        bars=tuple(Bar(label, n, _percent(n, total)) for label, n in named) if total else (),
        note=note,
    )


def _percent(n: int, total: int) -> str:
    return _("%(share)d %%") % {"share": round(100 * n / total)} if total else "–"


def _ungradable(counts: Counter[str]) -> Table:
    labels = {reason.value: str(label) for reason, label in UNGRADABLE_REASON_LABELS.items()}
    named = [(labels.get(code, pgettext("reason", "Not given")), n) for code, n in counts.most_common()]
    return _bars("ungradable", _("Why eyes are ungradable, by their reader"), named, _("Eyes"))


def _photos(counts: Counter[str]) -> Table:
    named = [(level_label(code), counts[code]) for code in (*(level.value for level in QualityLevel), "")]
    return _bars("photographs", _("Quality of photographs"), named, _("Photographs"))


def _reasons(counts: Counter[str]) -> Table:
    named = [(reason_label(code), n) for code, n in counts.most_common()]
    note = _("A photograph can have several reasons.")
    return _bars("reasons", _("Why the quality is not good"), named, _("Photographs"), note)


def _turnaround(counts: Counter[str]) -> Table:
    bands: Counter[str] = Counter()
    for code, n in counts.items():
        bands[turnaround_band(code)] += n
    named = [(str(label), bands[str(label)]) for _end, label in TURNAROUND_BANDS]
    return _bars("turnaround", _("Time from hand-over to signature"), named, _("Exams"))


def _summed(of_sites: Iterable[Counts]) -> dict[Measure, Counter[str]]:
    found: dict[Measure, Counter[str]] = {Measure.REGISTER: Counter(), Measure.COVERED: Counter()}
    for counts in of_sites:
        for measure, values in counts.items():
            found[measure] += values
    return found
