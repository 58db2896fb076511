"""The code of a product in billing files: make one from a label, and check one that a person typed."""

import re
import unicodedata
from collections.abc import Collection

from django.utils.translation import gettext as _

LONGEST = 30
_CODE = r"[A-Za-z0-9][A-Za-z0-9._/-]*"


def code_for(label: str, *, taken: Collection[str]) -> str:
    """A code for `label`, in capitals and hyphens and not in `taken` (in lower case): « REGIE-CANTINE »."""
    folded = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode().upper()
    return free_code(re.sub(r"[^A-Z0-9]+", "-", folded).strip("-") or "REGIE", taken=taken)


def free_code(wanted: str, *, taken: Collection[str]) -> str:
    """`wanted`, cut to the length of a code, with a number added if it is in `taken` (in lower case)."""
    code, number = wanted[:LONGEST].strip("-"), 1
    while code.lower() in taken:
        number += 1
        end = f"-{number}"
        code = wanted[: LONGEST - len(end)].strip("-") + end
    return code


def problem(code: str) -> str:
    """What is wrong with a code that a person typed, as a sentence; empty if nothing is."""
    if len(code) <= LONGEST and re.fullmatch(_CODE, code):
        return ""
    return _(
        "Un code compte de 1 à 30 lettres sans accent, chiffres, tirets ou points, sans espace, par exemple "
        "« CANTINE »."
    )
