"""Photographs by camera and photographer, and agreement by reader, from daily counts, as tables.

NB: those of persons are for managers alone.
"""

import uuid
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from ml.vocabulary import QualityLevel
from screening.labels.dashboards import CHANGE_LABELS
from screening.models import Site, User
from screening.policy.agreement_counts import Change
from screening.policy.daily_counts import MIN_EXAMS_COMPARED, Dimension, Measure, Period
from screening.policy.dashboard_tables import Bar, Cell, Table
from screening.policy.proportions import Proportion
from screening.policy.referrals import REFERRAL_OUTCOMES
from screening.selectors.agreement_tables import Groups, few_exams_text, metric_cells, metric_head, n_compared, total
from screening.selectors.dashboards import MAX_DAYS_OF_READERS, sum_by_group, sum_counts

MAX_SUBJECTS = 50
"""Cameras or persons in a table, those with the largest numbers."""
_OF_READERS = (Measure.OUTCOMES, Measure.MODEL_BLIND, Measure.COLLEAGUE, Measure.CHANGES, Measure.COMPARED_EXAMS)


def camera_table(sites: Sequence[Site], period: Period) -> Table:
    """Quality of the photographs of each camera; one query."""
    photos = _photos(sites, period, Dimension.CAMERA)
    names = {camera: camera or _("Camera not recorded") for camera, _level in photos}
    return _quality("cameras", _("Photographs by camera"), pgettext("device", "Camera"), photos, names)


def staff_tables(sites: Sequence[Site], period: Period) -> list[Table]:
    """By photographer and by reader; four queries."""
    photos = _photos(sites, period, Dimension.PHOTOGRAPHER)
    names = _names({subject for subject, _level in photos})
    by_photographer = _quality("photographers", _("Photographs by photographer"), _("Photographer"), photos, names)
    ids = [site.pk for site in sites]
    found = sum_by_group(ids, period, Dimension.READER, _OF_READERS, max_days_by_week=MAX_DAYS_OF_READERS)
    signed = {subject: total(groups) for (measure, subject), groups in found.items() if measure is Measure.OUTCOMES}
    readers = {subject for _measure, subject in found}
    order = sorted(readers, key=lambda one: (-sum(signed.get(one, Counter()).values()), one))[:MAX_SUBJECTS]
    of_readers = _names(set(order))
    return [
        by_photographer,
        _signed_table(order, of_readers, signed, found),
        _reader_table("reader-model", Measure.MODEL_BLIND, order, of_readers, found),
        _reader_table("reader-colleague", Measure.COLLEAGUE, order, of_readers, found),
    ]


def _photos(sites: Sequence[Site], period: Period, dimension: Dimension) -> Counter[tuple[str, str]]:
    return sum_counts([site.pk for site in sites], period, dimension, [Measure.PHOTOS])[Measure.PHOTOS]


def _quality(code: str, title: str, first: str, photos: Counter[tuple[str, str]], names: Mapping[str, str]) -> Table:
    """Photographs of each subject, and how many of the graded ones are gradable and good."""
    numbers: Counter[str] = Counter()
    for (subject, _level), n in photos.items():
        numbers[subject] += n
    rows = []
    for subject, n in sorted(numbers.items(), key=lambda one: (-one[1], one[0]))[:MAX_SUBJECTS]:
        levels = {level: photos[subject, level.value] for level in QualityLevel}
        n_graded, n_good = sum(levels.values()), levels[QualityLevel.GOOD]
        gradable = Proportion(n_graded - levels[QualityLevel.UNGRADABLE], n_graded)
        rows.append((names.get(subject, subject), n, gradable, Proportion(n_good, n_graded)))
    return Table(
        code=code,
        title=title,
        head=(first, _("Photographs"), _("Gradable, of those graded"), _("Good, of those graded")),
        rows=tuple(rows),
        bars=tuple(Bar(row[0], row[1]) for row in rows),
    )


def _names(ids: Collection[str]) -> dict[str, str]:
    users = User.objects.in_bulk([uuid.UUID(one) for one in ids])
    return {str(pk): user.get_full_name() or user.get_username() for pk, user in users.items()}


def _signed_table(
    order: Sequence[str],
    names: Mapping[str, str],
    signed: Mapping[str, Counter[str]],
    found: Mapping[tuple[Measure, str], Groups],
) -> Table:
    rows = []
    for reader in order:
        outcomes = signed.get(reader, Counter())
        n_signed = sum(outcomes.values())
        referred: Cell = Proportion(sum(outcomes[one] for one in REFERRAL_OUTCOMES), n_signed)
        changes = total(found.get((Measure.CHANGES, reader), {}))
        cells: list[Cell] = [Proportion(changes[one], sum(changes.values())) for one in Change]
        if n_compared(found, Measure.CHANGES, reader) < MIN_EXAMS_COMPARED:
            cells = ["–" if not changes else few_exams_text(), *["–"] * (len(Change) - 1)]
        rows.append((names.get(reader, reader), n_signed, referred, *cells))
    return Table(
        code="readers",
        title=_("Signed exams by reader"),
        head=(
            _("Reader"),
            _("Signed exams"),
            _("Signed exams that refer"),
            *(str(CHANGE_LABELS[change]) for change in Change),
        ),
        rows=tuple(rows),
        bars=tuple(Bar(names.get(one, one), sum(signed[one].values())) for one in order if one in signed),
        note=_("Changes are of eyes that the reader read blind and signed."),
    )


def _reader_table(
    code: str,
    measure: Measure,
    order: Sequence[str],
    names: Mapping[str, str],
    found: Mapping[tuple[Measure, str], Groups],
) -> Table:
    of_model = measure is Measure.MODEL_BLIND
    rows = tuple(
        (names.get(reader, reader), *metric_cells(found[measure, reader], n_compared(found, measure, reader)))
        for reader in order
        if (measure, reader) in found
    )
    return Table(
        code=code,
        title=_("Model against the blind readings of each reader")
        if of_model
        else _("Each reader against a colleague who read the same exam"),
        head=(_("Reader"), *metric_head()),
        rows=rows,
        note=_("The reference is the reader: sensitivity and specificity are those of the model.")
        if of_model
        else _("The reference is the colleague. Neither is right for sure: a difference is no error of one of both."),
    )
