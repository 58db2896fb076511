"""One spelling per address: what people type becomes the form that is stored and compared, or is refused in words.

The stored form is lower-case ASCII, with the domain as mail servers write it (`xn--…`, IDNA 2008). So Python, the
database and any mail server read it in the same way (decision 41).
"""

import re
import unicodedata

import idna
from django.utils.translation import gettext as _

LONGEST = 254  # RFC 5321, the whole address
NOBODY = "@"  # never stored: an invalid address is looked up as this
_LOCAL = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_WHOLE_LOCAL = re.compile(_LOCAL)
# Non-ASCII letters that a domain may have: those of the .fr registry, which are not mistaken for one another.
_LETTERS = "àáâãäåæçèéêëìíîïñòóôõöùúûüýÿœß"
_BOTH = _LETTERS + _LETTERS.upper()
_TYPED = frozenset(_BOTH + unicodedata.normalize("NFD", _BOTH))  # Apple's files hold é as e and an accent


class BadAddress(ValueError):
    """Not a valid address, or not an acceptable one; `str()` is the sentence to show beside the field."""


def normalise(typed: str) -> str:
    """The normal form of an address, whatever its case and the spelling of its domain. Raises BadAddress.

    Addresses that look like another one (ı, ſ, the Kelvin sign, full-width letters, invisible characters) are
    refused, and so are those that some servers refuse: an accent before the @, quotes, more than 254 characters.
    """
    address = typed.strip()
    _refuse_blanks(address)
    _refuse_strange(address, but=_TYPED)
    local, _at, domain = address.rpartition("@")
    whole = f"{_local(local)}@{_domain(domain)}"
    if len(whole) > LONGEST:
        raise BadAddress(_("Cette adresse e-mail est trop longue : vérifiez-la."))
    return whole


def lowered(plain: str) -> str:
    """The normal form of an address that is plain ASCII, without anything that `normalise` refuses."""
    return plain.lower()


def sought(typed: str) -> str:
    """The form under which to look an address up; NOBODY for an invalid one."""
    try:
        return normalise(typed)
    except BadAddress:
        return NOBODY


def is_valid(typed: str) -> bool:
    """True when `typed` is an address that we accept."""
    return sought(typed) != NOBODY


def masked(address: str) -> str:
    """Enough to recognise a known address: alice@example.net → a…@example.net."""
    name, _at, domain = address.partition("@")
    return f"{name[:1]}…@{domain}"


def _local(typed: str) -> str:
    """The part before the @, in lower case: servers do not distinguish case."""
    _refuse_strange(typed, but=frozenset())
    local = typed.lower()
    if len(local) > 64 or not _WHOLE_LOCAL.fullmatch(local):
        raise BadAddress(_incomplete())
    return local


def _domain(typed: str) -> str:
    """The domain, as A-labels."""
    composed = unicodedata.normalize("NFC", typed).lower()
    _refuse_strange(composed, but=frozenset(_LETTERS))
    kept = [_label(label) for label in composed.split(".")]
    if len(kept) < 2 or not re.fullmatch(r"[a-z]{2,63}|xn--.+", kept[-1]):
        raise BadAddress(_incomplete())
    return ".".join(kept)


def _label(label: str) -> str:
    if not label.isascii():
        try:
            label = idna.encode(label).decode()
        except UnicodeError:
            raise BadAddress(_incomplete()) from None
    if not _LABEL.fullmatch(label):
        raise BadAddress(_incomplete())
    if label[2:4] == "--":  # only `xn--` has a meaning, and browsers write it themselves
        try:
            letters = idna.decode(label) if label.startswith("xn--") else ""
            known = idna.encode(letters).decode() == label
        except UnicodeError:
            known = False
        if not known:
            raise BadAddress(_incomplete())
        _refuse_strange(letters, but=frozenset(_LETTERS))
    return label


def _refuse_strange(typed: str, *, but: frozenset[str]) -> None:
    """Refuse a strange character, and name it, so that the person finds it."""
    for sign in "" if typed.isascii() else typed:
        if not sign.isascii() and sign not in but:
            sentence = _(
                "Cette adresse e-mail contient « %(sign)s », qui ne s'écrit pas dans une adresse ou ressemble à un "
                "autre signe. Tapez-la au clavier, sans accent avant le @."
            )
            raise BadAddress(sentence % {"sign": sign})


def _refuse_blanks(address: str) -> None:
    if " " in address:
        raise BadAddress(_("Cette adresse e-mail contient une espace : écrivez-la sans."))
    if not address.isprintable():  # separators, controls, surrogates, unassigned
        raise BadAddress(
            _(
                "Cette adresse e-mail contient un signe invisible, sans doute copié avec elle. "
                "Tapez-la au clavier, sans la coller."
            )
        )


def _incomplete() -> str:
    return _("Cette adresse e-mail n'est pas complète : elle ressemble à nom@exemple.fr.")
