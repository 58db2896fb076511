"""Whether two spellings name the same family. Files drop accents, œ and ł, and change the order of words."""

import re
import unicodedata
from collections.abc import Iterator

# Letters that NFKD does not split: some software spells them out, other software drops them.
_SPELLED = {
    "œ": "oe",
    "æ": "ae",
    "ß": "ss",
    "ł": "l",
    "ø": "o",
    "đ": "d",
    "ð": "d",
    "þ": "th",
    "ı": "i",
    "ħ": "h",
}
_CIVILITIES = frozenset(
    {
        *(
            "m",
            "mr",
            "mrs",
            "mm",
            "mme",
            "mmes",
            "mlle",
            "mlles",
            "monsieur",
            "messieurs",
            "madame",
            "mesdames",
        ),
        *(
            "mademoiselle",
            "melle",
            "dr",
            "docteur",
            "me",
            "maitre",
            "famille",
            "fam",
            "et",
            "ou",
            "indivision",
        ),
    }
)
# Words between a name in use and a name at birth.
_JOINTS = frozenset(
    {"nee", "ne", "epouse", "epoux", "ep", "veuve", "veuf", "vve", "dit", "dite", "divorcee", "div"}
)
_PARTICLES = frozenset(
    {"de", "d", "du", "des", "la", "le", "les", "l", "von", "van", "den", "der", "el", "al", "ben"}
)


def forms(name: str) -> Iterator[frozenset[str]]:
    """The words of a name, in each spelling that software uses: lower case, without accents and civility."""
    lower = unicodedata.normalize("NFKC", name).lower()
    for spelled in (True, False):
        letters = "".join((_SPELLED[sign] if spelled else "") if sign in _SPELLED else sign for sign in lower)
        plain = unicodedata.normalize("NFKD", letters)
        plain = "".join(sign for sign in plain if not unicodedata.combining(sign))
        words = re.sub(r"\bst(e?)\b", r"saint\1", re.sub(r"[^\w]+|_", " ", plain)).split()
        yield frozenset(words) - _CIVILITIES - _JOINTS


def plain_words(name: str) -> list[str]:
    """All words of a name in their order: lower case, without accents and punctuation, `œ` as oe."""
    lower = unicodedata.normalize("NFKC", name).lower()
    plain = unicodedata.normalize("NFKD", "".join(_SPELLED.get(sign, sign) for sign in lower))
    return re.sub(r"[^\w]+|_", " ", "".join(s for s in plain if not unicodedata.combining(s))).split()


def same_name(one: str, other: str) -> bool:
    """Whether the words are the same, or all words of one are in the other. Spaces and hyphens do not matter."""
    return any(_agree(a, b) for a in forms(one) for b in forms(other))


def _agree(one: frozenset[str], other: frozenset[str]) -> bool:
    if one == other:
        return True
    if not (one - _PARTICLES) or not (other - _PARTICLES):
        return False
    return one <= other or other <= one or _joined(one, other) or _joined(other, one)


def _joined(one: frozenset[str], other: frozenset[str]) -> bool:
    """« LEGOFF » and « LE GOFF »: one is the words of the other, written without spaces."""
    if len(one) != 1 or not 2 <= len(other) <= 4:
        return False
    (word,) = one
    return sorted(word) == sorted("".join(other)) and all(part in word for part in other)


def same_family(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """Compare two (last name, first name). Also true when one file swaps the two."""
    if same_name(one[0], other[0]):
        return True
    whole = (" ".join(one), " ".join(other))
    return any(a == b and len(a) > 1 for a in forms(whole[0]) for b in forms(whole[1]))
