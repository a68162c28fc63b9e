"""Words for the right and the left eye, in names of files and in tables of labels. Standard library only.

One list: label readers use it here, and the page of an exam sends it to ``static/capture/``.
"""

import re
import unicodedata
from pathlib import PurePath

from ml.vocabulary import Laterality

_RIGHT = (
    "od r re rt rgt right righteye dx dexter oculusdexter "  # English, Latin
    "droit droite oeildroit derecho derecha ojoderecho direito direita dreta destra destro "  # Romance
    "rechts rechte rechtes rechter rechtesauge rechteroog "  # German, Dutch
    "højre høyre hoger oikea prawe prawy prawa pravo prave "  # Nordic, Slavic
    "правый право права правое δεξι δεξια δεξιος "
    "右 右眼 右目 우 우안 يمين اليمنى ימין راست"
)
_LEFT = (
    "os l le li lt lft left lefteye sin sx sinister oculussinister "
    "og oi oe gauche oeilgauche izquierdo izquierda ojoizquierdo esquerdo esquerda esquerra sinistra sinistro "
    "links linke linkes linker linkesauge linkeroog "
    "venstre vanster vasen lewe lewy lewa levo leve "
    "левый лево лева левое αριστερο αριστερα αριστερος "
    "左 左眼 左目 좌 좌안 يسار اليسرى שמאל چپ"
)
#: Lower case: oculus dexter and sinister as several languages abbreviate them (Spanish OI, French OG, Portuguese OE),
#: right and left in whole words, and the letters that cameras add.
EYE_NAMES: dict[Laterality, frozenset[str]] = {
    Laterality.RIGHT: frozenset(_RIGHT.split()),
    Laterality.LEFT: frozenset(_LEFT.split()),
}
_LETTERS = re.compile(r"[^\W\d_]+")


def laterality_in_text(text: str) -> Laterality | None:
    """The eye that a text names, such as ``OD``, ``left eye`` or ``ojo derecho``; None if it names none or both."""
    found = set(_LETTERS.findall(_folded(text)))
    named = [eye for eye, known in EYE_NAMES.items() if found & _FOLDED[eye]]
    return named[0] if len(named) == 1 else None


def laterality_in_file_name(name: str) -> Laterality | None:
    """The eye that the name of a file names in a separate word: ``IMG_OD_1.jpg`` does, ``world.jpg`` does not."""
    return laterality_in_text(PurePath(name).stem)


def _folded(text: str) -> str:
    """Lower case, without accents, in compatibility form: digits, underscores and signs separate words."""
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(c for c in decomposed if not unicodedata.category(c).startswith("M")).lower()


_FOLDED = {eye: frozenset(map(_folded, names)) for eye, names in EYE_NAMES.items()}
