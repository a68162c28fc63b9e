"""Words for the field of a photograph in names of files. One list: the page of an exam sends it to its script."""

import re
from pathlib import PurePath

FIELD_NAMES = {
    "macula": ("macula", "macular", "mac", "fovea", "makula", "mácula"),
    "disc": ("disc", "disk", "papilla", "papille", "papila", "onh", "optic"),
}
"""Lower case, by the value of ``FundusImage.Field``. Letters that also name an eye, such as OD, are none of them."""
_LETTERS = re.compile(r"[^\W\d_]+")


def field_in_file_name(name: str) -> str:
    """The field that the name of a file has as a separate word; empty if it has none or both."""
    terms = set(_LETTERS.findall(PurePath(name).stem.lower()))
    found = [field for field, known in FIELD_NAMES.items() if terms & set(known)]
    return found[0] if len(found) == 1 else ""
