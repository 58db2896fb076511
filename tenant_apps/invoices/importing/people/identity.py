"""Whether a cell is a payer's code.

Names, spreadsheet errors and filler words are not codes: two families could share them.
"""

import re

from django.utils.translation import gettext as _

from toolkit.reading.errors import FieldError
from toolkit.reading.fields import fold, text

LONGEST = 40
# Titles used over names as well as over codes (titles.key_of_title).
MAY_BE_NAMES = frozenset({"famille", "redevable", "client"})
_NOTHING = frozenset(
    {
        *(
            "neant",
            "aucun",
            "aucune",
            "rien",
            "vide",
            "nc",
            "nr",
            "na",
            "nd",
            "null",
            "none",
            "nan",
            "undefined",
        ),
        *("inconnu", "inconnue", "sanscode", "sans", "nonrenseigne", "divers", "x", "xx", "xxx", "test"),
    }
)


def payer_code(raw: str, *, title: str, may_be_name: bool) -> str:
    """The code in the cell `raw` of the column `title`. Raises FieldError when it cannot be a payer's code.

    `may_be_name`: the title says a family, not a code, so that words alone are a name.
    """
    code = text(raw, longest=LONGEST, required=True)
    bare = fold(code)
    if not bare.strip("0") or bare in _NOTHING:
        raise FieldError(
            _(
                "contient « %(code)s », qui n'est le code de personne : plusieurs familles se partageraient ce "
                "dossier. Donnez à chacune son code."
            )
            % {"code": code}
        )
    if is_a_name(code, may_be_name=may_be_name):
        raise FieldError(
            _(
                "contient un nom (« %(code)s ») et non un code : deux familles du même nom seraient confondues. Dans "
                "votre logiciel, ajoutez à l'export le code ou le numéro du redevable (colonne lue : « %(title)s »)."
            )
            % {"code": code, "title": title}
        )
    return code


def is_a_name(code: str, *, may_be_name: bool) -> bool:
    """Whether it is a name. « MARTIN Paul » always is; « MARTIN » only under a title that is used over names.

    MARTIN01 and FAM-12 are codes.
    """
    words = [word for word in re.split(r"[\s,]+", code) if len(re.sub(r"[\W\d_]", "", word)) >= 2]
    plain = [word for word in words if not re.search(r"\d", word)]
    has_digit = re.search(r"\d", code) is not None
    if may_be_name:
        return len(plain) >= 2 or (not has_digit and bool(words))
    return len(plain) >= 2 and not has_digit
