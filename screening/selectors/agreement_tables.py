"""Agreement of the model with people and of people with each other, from daily counts, as tables."""

import datetime
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from django.utils.translation import gettext as _

from screening.labels.dashboards import CHANGE_LABELS, eye_label
from screening.models import Site
from screening.policy.agreement import Agreement
from screening.policy.agreement_counts import Change, GradedEye, Pair, agreement_of_counts
from screening.policy.daily_counts import MIN_EXAMS_COMPARED, Dimension, Measure, Period, pair_of
from screening.policy.dashboard_tables import Bar, Cell, Estimate, Table, row_of
from screening.policy.proportions import Proportion
from screening.selectors.dashboards import sum_by_group

Groups = Mapping[datetime.date, Counter[str]]
_EYE_CODES = ("0", "1", "2", "3", "4", "U")
_OF_MODEL = (Measure.MODEL_FINAL, Measure.MODEL_BLIND, Measure.COMPARED_EXAMS)
_OF_PEOPLE = (Measure.TWO_READERS, Measure.CHANGES, Measure.COMPARED_EXAMS)


def agreement_tables(sites: Sequence[Site], period: Period) -> list[Table]:
    """Model against people, by its version, and first against second readers; two queries."""
    ids = [site.pk for site in sites]
    of_model = sum_by_group(ids, period, Dimension.MODEL, _OF_MODEL)
    of_people = sum_by_group(ids, period, Dimension.SITE, _OF_PEOPLE)
    changes = total(of_people.get((Measure.CHANGES, ""), {}))
    n_changes = n_compared(of_people, Measure.CHANGES, "")
    return [
        *_compared(of_model, Measure.MODEL_FINAL, "model-final", _("Model against the signed finding"), _final_note()),
        *_compared(of_model, Measure.MODEL_BLIND, "model-blind", _("Model against blind readings"), _blind_note()),
        *_compared(of_people, Measure.TWO_READERS, "two-readers", _("Second reader against the first"), _two_note()),
        _change_table(changes if n_changes >= MIN_EXAMS_COMPARED else Counter()),
    ]


def agreement_of(groups: Groups) -> Agreement:
    """The figures of pairs of codes by group."""
    return agreement_of_counts(
        Counter({_pair(code): n for code, n in counts.items()}) for _group, counts in sorted(groups.items())
    )


def total(groups: Groups) -> Counter[str]:
    """The counts of all groups together."""
    found: Counter[str] = Counter()
    for counts in groups.values():
        found.update(counts)
    return found


def n_compared(found: Mapping[tuple[Measure, str], Groups], measure: Measure, subject: str) -> int:
    """Exams in a comparison."""
    return total(found.get((Measure.COMPARED_EXAMS, subject), {}))[measure]


def few_exams_text() -> str:
    """In the cell of a comparison of too few exams."""
    return _("fewer than %(n)d exams") % {"n": MIN_EXAMS_COMPARED}


def metric_cells(groups: Groups, n_exams: int) -> tuple[Cell, ...]:
    """Exams, eyes, kappa, sensitivity and specificity; of too few exams only their number."""
    if n_exams < MIN_EXAMS_COMPARED:
        few = few_exams_text() if n_exams else "–"
        return (few, *["–"] * 4)
    found = agreement_of(groups)
    kappa = Estimate(found.kappa, found.kappa_interval)
    return n_exams, found.n_eyes, kappa, found.sensitivity, found.specificity


def metric_head() -> tuple[str, ...]:
    """The head of ``metric_cells``."""
    return (
        _("Exams"),
        _("Eyes"),
        _("Kappa with quadratic weights"),
        _("Sensitivity for referable eyes"),
        _("Specificity for referable eyes"),
    )


def _compared(
    found: Mapping[tuple[Measure, str], Groups], measure: Measure, code: str, title: str, note: str
) -> Iterable[Table]:
    """The figures of each subject, and the confusion matrix of the one with most eyes."""
    subjects = sorted(subject for one, subject in found if one is measure)
    numbers = {subject: n_compared(found, measure, subject) for subject in subjects}
    rows = tuple(
        row_of(subject or title, *metric_cells(found[measure, subject], numbers[subject])) for subject in subjects
    )
    first = _("Compared") if measure is Measure.TWO_READERS else _("Version of the model")
    yield Table(code=code, title=title, head=(first, *metric_head()), rows=rows, note=note)
    shown = [subject for subject in subjects if numbers[subject] >= MIN_EXAMS_COMPARED]
    if shown:
        most = max(shown, key=numbers.__getitem__)
        yield _matrix(f"{code}-matrix", title, total(found[measure, most]), subject=most)


def _matrix(code: str, title: str, counts: Counter[str], *, subject: str) -> Table:
    eyes: Counter[tuple[str, str]] = Counter()
    for pair, n in counts.items():
        reference, found = pair_of(pair)
        eyes[reference.rstrip("+"), found.rstrip("+")] += n
    rows = tuple(row_of(eye_label(one), *(eyes[one, other] for other in _EYE_CODES)) for one in _EYE_CODES)
    return Table(
        code=code,
        title=_("Confusion matrix: %(what)s") % {"what": title if not subject else f"{title}, {subject}"},
        head=(_("Reference, by row"), *(eye_label(one) for one in _EYE_CODES)),
        rows=rows,
        is_matrix=True,
    )


def _change_table(counts: Counter[str]) -> Table:
    n_all = sum(counts.values())
    named = [(str(CHANGE_LABELS[change]), counts[change]) for change in Change]
    return Table(
        code="changes",
        title=_("Grades changed after the model's grade was shown"),
        head=(_("Change"), _("Eyes"), _("Share of eyes")),
        rows=tuple((label, n, Proportion(n, n_all)) for label, n in named) if n_all else (),
        bars=tuple(Bar(label, n) for label, n in named) if n_all else (),
        note=_(
            "Of eyes that the signer read blind: the own reading and the signed grade, by their distance from that of "
            "the model."
        ),
    )


@lru_cache(maxsize=1024)
def _pair(code: str) -> Pair:
    reference, found = pair_of(code)
    return GradedEye.from_code(reference), GradedEye.from_code(found)


def _final_note() -> str:
    return _(
        "The reference is the signed finding. Its reader may have seen the model's grade before signing, so the "
        "agreement is higher than that of two independent readers. An ungradable eye counts as referred. Both eyes of "
        "a person are counted, so the intervals of sensitivity and specificity are somewhat too narrow."
    )


def _blind_note() -> str:
    return _(
        "The reference is what each reader stored before the model's grade was shown. An exam with two readers counts "
        "twice."
    )


def _two_note() -> str:
    return _(
        "The reference is the first signed reading. The second reader saw neither it nor the model's grade before."
    )
