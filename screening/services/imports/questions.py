"""Questions about rows of people, as on the registration page, for many rows with a few queries."""

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.db.models.functions import Length

from screening.birth_dates import BirthDate
from screening.folding import are_same_names, fold_number, is_scientific, name_key
from screening.models import DataImport, Patient, StagedPerson
from screening.policy.imports import RowState

if TYPE_CHECKING:
    from screening.services.imports.people import PersonDraft

_DECIMAL = re.compile(r"\d+\.0+")
_PERSON = {"given_name", "family_name", "born_on"}
Named = tuple[str, tuple[str, str], BirthDate]
"""Number, names and birth of a person."""


class PersonQuestions:
    """Questions of a batch of rows: about similar numbers, the same names, zeros that are lost, other people."""

    def __init__(self, data_import: DataImport, drafts: "list[PersonDraft]") -> None:
        self.data_import = data_import
        self.drafts = [draft for draft in drafts if draft.patient is not None and not draft.problems]
        self.register = Patient.objects.filter(site=data_import.site)
        self.earlier = StagedPerson.objects.filter(data_import=data_import).exclude(state=RowState.REFUSED)

    def add(self) -> None:
        """Add the questions to the rows."""
        self._compare_numbers()
        self._compare_names()
        self._compare_zeros()
        self._compare_other_people()

    def _new(self) -> "list[PersonDraft]":
        return [draft for draft in self.drafts if not draft.is_known]

    def _compare_numbers(self) -> None:
        """A number that is another's but for blanks, dashes or capitals, in the register or in the file."""
        numbers: dict[str, set[str]] = defaultdict(set)
        folded = {fold_number(draft.mrn) for draft in self._new()}
        for rows in (self.register, self.earlier):
            for key, mrn in rows.filter(folded_mrn__in=folded).order_by().values_list("folded_mrn", "mrn"):
                numbers[key].add(mrn)
        for draft in self._new():
            if is_scientific(draft.mrn):
                draft.questions.append("scientific_number")
            if _DECIMAL.fullmatch(draft.mrn):
                draft.questions.append("decimal_number")
            key = fold_number(draft.mrn)
            if numbers[key] - {draft.mrn}:
                draft.questions.append("similar_number")
            numbers[key].add(draft.mrn)

    def _compare_names(self) -> None:
        """The same names with a birth that could be the same, under another number."""
        drafts = [draft for draft in self.drafts if not draft.is_known or _PERSON & set(draft.changes)]
        people: dict[str, list[Named]] = defaultdict(list)
        for key, person in self._people({_key(draft) for draft in drafts}):
            people[key].append(person)
        for draft in drafts:
            key, own = _key(draft), _named(draft)
            if any(_could_be_same(own, other) for other in people[key]):
                draft.questions.append("possible_duplicate")
            people[key].append(own)

    def _people(self, keys: set[str]) -> Iterable[tuple[str, Named]]:
        columns = ("name_key", "mrn", "family_name", "given_name", "born_on")
        in_register = self.register.filter(name_key__in=keys, merged_into__isnull=True).order_by()
        for key, mrn, family, given, born, age, on in in_register.values_list(
            *columns, "estimated_age", "age_estimated_on"
        ).iterator():
            yield key, (mrn, (family, given), BirthDate(born, age, on))
        for key, mrn, family, given, born in (
            self.earlier.filter(name_key__in=keys).order_by().values_list(*columns).iterator()
        ):
            yield key, (mrn, (family, given), BirthDate(born))

    def _compare_zeros(self) -> None:
        """A number of digits that is registered with zeros before it."""
        padded = self.register.filter(mrn__startswith="0").order_by()
        lengths = set(padded.annotate(n_chars=Length("mrn")).values_list("n_chars", flat=True).distinct())
        candidates: dict[str, set[str]] = {}
        for draft in self._new():
            if draft.mrn.isascii() and draft.mrn.isdigit() and not draft.mrn.startswith("0"):
                candidates[draft.mrn] = {draft.mrn.zfill(n) for n in lengths if n > len(draft.mrn)}
        wanted = set().union(*candidates.values())
        found = set(self.register.filter(mrn__in=wanted).values_list("mrn", flat=True)) if wanted else set()
        for draft in self._new():
            if candidates.get(draft.mrn, set()) & found:
                draft.questions.append("lost_zeros")

    def _compare_other_people(self) -> None:
        """A known number with other names and another birth."""
        changed = [draft for draft in self.drafts if draft.is_known and "born_on" in draft.changes]
        stored = {one.mrn: one for one in self.register.filter(mrn__in=[draft.mrn for draft in changed])}
        for draft in changed:
            before, after = stored[draft.mrn], _named(draft)
            is_same_name = are_same_names((before.family_name, before.given_name), after[1])
            if not is_same_name and not before.birth.could_be(after[2]):
                draft.questions.append("other_person")


def _key(draft: "PersonDraft") -> str:
    assert draft.patient is not None  # noqa: S101 (for the type)
    return name_key(draft.patient.family_name, draft.patient.given_name)


def _named(draft: "PersonDraft") -> Named:
    patient = draft.patient
    assert patient is not None  # noqa: S101 (for the type)
    return draft.mrn, (patient.family_name, patient.given_name), patient.birth


def _could_be_same(one: Named, other: Named) -> bool:
    return one[0] != other[0] and are_same_names(one[1], other[1]) and one[2].could_be(other[2])
