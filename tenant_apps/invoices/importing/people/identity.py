"""Whether a cell is a payer's code.

Names, spreadsheet errors and filler words are not codes: two families could share them.
"""

import hashlib
import re

from django.utils.translation import gettext as _

from tenant_apps.invoices.importing.people.names import plain_words
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


LONGEST_NAME = 200
_MARK = 8  # signs of each of the two marks behind a long name
_LONG = re.compile(rf"(.*)-([0-9A-F]{{{_MARK}}})[0-9A-F]{{{_MARK}}}")


def code_of_name(raw: str) -> str:
    """The code that stands for a name, of a source whose files have no codes (decision 75). Raises FieldError.

    The same name gives the same code in every file: upper case, single spaces, plain apostrophes. Accents stay: MULLER
    and MÜLLER may be two families; `bare_name` finds them alike, so that a person is asked. A long name is cut, with a
    mark of its bare form and one of itself.
    """
    name = text(raw, longest=LONGEST_NAME, required=True).replace("’", "'").upper()
    bare = _bare(name)
    if sum(sign.isalpha() for sign in bare) < 2 or bare.replace(" ", "") in _NOTHING:
        raise FieldError(
            _(
                "contient « %(name)s », qui n'est le nom de personne : plusieurs familles se partageraient ce "
                "dossier. Écrivez le nom de la famille."
            )
            % {"name": name[:80]}
        )
    if len(name) <= LONGEST:
        return name
    return f"{name[: LONGEST - 2 * _MARK - 1].rstrip()}-{_mark(bare)}{_mark(name)}"


def bare_name(code: str) -> str:
    """A code made from a name, without accents and punctuation. Equal results may be one family."""
    found = _LONG.fullmatch(code)
    return f"{_bare(found[1])} {found[2]}" if found else _bare(code)


def _bare(name: str) -> str:
    return " ".join(plain_words(name))


def _mark(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:_MARK].upper()
