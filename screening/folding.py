"""Folding of names and numbers: texts that people would call the same become equal.

Folded texts are for search and comparison only. Records keep what was typed.
"""

import re
import unicodedata

MAX_FOLDED_CHARS = 200
"""Longer folded texts are cut. NB: compatibility decomposition makes up to 18 characters of one."""
MAX_SEARCH_TERMS = 8
_APOSTROPHES = "'’‘‛`´ʹʻʼʽʾʿ׳՚＇"
_ZWNJ, _ZWJ = "\u200c", "\u200d"
_DELETED = dict.fromkeys(map(ord, _APOSTROPHES))
_SPLIT = dict.fromkeys(map(ord, _APOSTROPHES + _ZWNJ), " ")
_DASHES = frozenset("\u00ad\u02d7\u2043\u2212\u30fc\uff70")
"""Signs of other categories than Pd (dash punctuation) that are typed or shown as a dash."""
_IGNORED = frozenset("\u034f\u115f\u1160\u2800\u3164")
"""Characters without ink that are neither blanks (Z) nor formats (Cf)."""
_DIRECTION_MARKS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
_PASTED = _DIRECTION_MARKS | _IGNORED | {"\u00ad", "\u200b", "\u2060"}
"""Removed from names: with the soft hyphen, the blank without width and the word joiner."""
_SAME_LETTER = {
    "ı": "i", "ø": "o", "đ": "d", "ð": "d", "ł": "l", "ħ": "h", "æ": "ae", "œ": "oe", "þ": "th", "ŋ": "n",
    "ي": "ی", "ى": "ی", "ئ": "ی", "ك": "ک", "ة": "ه", "ۀ": "ه", "ؤ": "و", "ٱ": "ا", "ـ": "",
}  # fmt: skip
"""Letters without a decomposition in Unicode. Arabic and Persian keyboards have two codes for yeh and kaf."""
_SYLLABLES = ("CJK UNIFIED IDEOGRAPH", "CJK COMPATIBILITY IDEOGRAPH", "HIRAGANA", "KATAKANA", "HANGUL SYLLABLE")
"""How the names of characters begin, in Unicode, that are no letters."""
_SEPARATORS = re.compile(r"[\s,;]+")
_SCIENTIFIC = re.compile(r"\d+([.,]\d+)?e[-+]?\d+")


def fold_number(text: str) -> str:
    """Fold a medical record number: compatibility forms, case, blanks, kinds of dashes, scripts of digits.

    Leading zeros and the position of dashes count: ``1-23``, ``12-3`` and ``123`` stay different.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return "".join(_fold_number_char(char) for char in folded)[:MAX_FOLDED_CHARS]


def is_scientific(number: str) -> bool:
    """Whether a number looks like 1.2E+10, which spreadsheets make of long numbers."""
    return _SCIENTIFIC.fullmatch(fold_number(number)) is not None


def fold_name(text: str) -> str:
    """Fold a name: case, accents, apostrophes and joiners are ignored; its terms are separated by single blanks."""
    decomposed = unicodedata.normalize("NFKD", text.translate(_DELETED)).casefold()
    kept = "".join(_fold_name_char(char) for char in unicodedata.normalize("NFKD", decomposed))
    return " ".join(unicodedata.normalize("NFC", kept).translate(_DELETED).split())[:MAX_FOLDED_CHARS]


def name_key(*names: str) -> str:
    """Key that is equal if ``are_same_names``, and for few other names: the folded letters in alphabetical order."""
    return "".join(sorted(fold_name(" ".join(names)).replace(" ", "")))


def are_same_names(names: tuple[str, str], others: tuple[str, str]) -> bool:
    """Whether two pairs of names are the same, in any order and field, with or without hyphens and blanks.

    Names without any letter or digit are never the same.
    """
    one, other = [fold_name(name) for name in names], [fold_name(name) for name in others]
    terms, other_terms = sorted(" ".join(one).split()), sorted(" ".join(other).split())
    if terms == other_terms:
        return bool(terms)
    compact = "".join(one).replace(" ", "")
    return compact in {"".join(pair).replace(" ", "") for pair in (other, other[::-1])}


def index_terms(*names: str) -> frozenset[str]:
    """Terms under which a person with these names is found; a search compares their beginnings.

    A compound has those of its components and the whole: al, khatib and alkhatib.
    """
    terms: set[str] = set()
    for name in names:
        for chunk in _SEPARATORS.split(name):
            components = fold_name(chunk).split()
            terms |= {*components, *fold_name(chunk.translate(_SPLIT)).split(), "".join(components)}
        terms.add(fold_name(name).replace(" ", ""))
    return frozenset(term for term in terms if term)


def search_terms(text: str) -> list[tuple[str, list[str]]]:
    """For each chunk of a search text: the chunk as one term, and its components if it has several."""
    chunks = [fold_name(chunk).split() for chunk in _SEPARATORS.split(text)]
    found = [("".join(components), components if len(components) > 1 else []) for components in chunks if components]
    return found[:MAX_SEARCH_TERMS]


def is_too_short_for_names(text: str) -> bool:
    """Whether each term of a search text is one letter or digit, which starts a large share of all names.

    A Chinese, Japanese or Korean character is a name or a syllable of one.
    """
    terms = fold_name(text).split()
    return bool(terms) and all(is_one_letter(term) for term in terms)


def is_one_letter(term: str) -> bool:
    """Whether a folded term is one letter or digit of a script with letters."""
    return len(term) == 1 and not unicodedata.name(term, "").startswith(_SYLLABLES)


def clean_name(text: str) -> str:
    """A name without the invisible characters that pasting adds; joiners inside a word are kept.

    Blanks of any width become one plain blank. Control characters are not removed: see ``is_writable``.
    """
    kept = ""
    for char in text:
        if char in (_ZWNJ, _ZWJ):
            kept += char if kept and unicodedata.category(kept[-1])[0] in "LM" else ""
        elif char not in _PASTED:
            kept += " " if unicodedata.category(char) == "Zs" else char
    return re.sub(" {2,}", " ", kept.strip())


def clean_number(text: str) -> str:
    """A medical record number as typed, without blanks around it and without direction marks."""
    return "".join(char for char in text if char not in _DIRECTION_MARKS).strip()


def is_writable(text: str, *, allows_joiners: bool) -> bool:
    """Whether a person can read and type a text: no control, format, private or unassigned characters, one line."""
    joiners = (_ZWNJ, _ZWJ) if allows_joiners else ()
    kinds = (unicodedata.category(char) for char in text if char not in joiners)
    return not any(kind[0] == "C" or kind in {"Zl", "Zp"} for kind in kinds)


def _fold_number_char(char: str) -> str:
    kind = unicodedata.category(char)
    if kind == "Pd" or char in _DASHES:
        return "-"
    if kind[0] in "ZC" or char in _IGNORED:
        return ""
    return _ascii_digit(char)


def _fold_name_char(char: str) -> str:
    kind = unicodedata.category(char)
    if kind == "Cf" or char in _IGNORED or _is_variation_selector(char) or _is_accent(char):
        return ""
    if kind[0] in "LM" or char.isdecimal():
        return _SAME_LETTER.get(char, _ascii_digit(char))
    return " "


def _ascii_digit(char: str) -> str:
    digit = unicodedata.decimal(char, None)
    return char if digit is None else str(digit)


def _is_accent(char: str) -> bool:
    """Accents of Latin, Greek and Cyrillic, points of Hebrew and Arabic.

    Not the vowels of Indic scripts, the virama and the tone marks of Thai: these make other names. The numbers are
    combining classes of Unicode.
    """
    combining = unicodedata.combining(char)
    return 10 <= combining <= 36 or 200 <= combining <= 240


def _is_variation_selector(char: str) -> bool:
    return "\ufe00" <= char <= "\ufe0f" or "\U000e0100" <= char <= "\U000e01ef" or "\u180b" <= char <= "\u180f"
