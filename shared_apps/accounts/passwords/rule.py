"""The password rule of a town (CNIL 2022; docs/manual.md, M3)."""

import re
import unicodedata
from collections.abc import Iterable

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from shared_apps.accounts.errors import WeakPassword
from shared_apps.accounts.passwords.known import is_common, was_stolen
from toolkit import emails

MANUAL_MINIMUM = 5  # a town may go down to it (docs/manual.md, M3)
DEFAULT_MINIMUM = 12
LONGEST = 256
LISTS_FROM = 8  # with a shorter rule the lists would refuse half of the possible passwords
TAIL = 8  # characters, as many as a date: what people add to a word so that it is long enough
SHORTEST_WORD = 4
_SERVICE = ("mesfactures", "factures", "facture", "portail")
_ROWS = ("0123456789" * 3, "abcdefghijklmnopqrstuvwxyz")
_KEYBOARDS = ("azertyuiopqsdfghjklmwxcvbn", "qwertyuiopasdfghjklzxcvbnm")
_RUNS = [run for row in (*_ROWS, *_KEYBOARDS) for run in (row, row[::-1])]
_LOOKALIKES = str.maketrans("@4310$5!", "aaeiossi")


class PasswordRule:
    """At least `minimum` characters, and not the person's own address.

    From `LISTS_FROM` on, also nothing that attackers try first: the most used passwords, in any case and with
    up to `TAIL` digits or signs after them; runs and repetitions; the person's address, the town's name and ours with
    hardly anything more; and passwords that the operator's file lists as stolen, exactly as typed.
    """

    def __init__(self, minimum: int = DEFAULT_MINIMUM, *, town: Iterable[str] = ()) -> None:
        """`town`: the words that name it (its name, its address)."""
        self.minimum = max(minimum, MANUAL_MINIMUM)
        self.town = tuple(town)

    @property
    def sentence(self) -> str:
        """The rule in words, for the page where the password is typed."""
        sentences = [
            ngettext("Au moins %(n)d caractère.", "Au moins %(n)d caractères.", self.minimum)
            % {"n": self.minimum}
        ]
        if self.minimum < LISTS_FROM:
            sentences.append(_("N'employez pas votre adresse e-mail."))
        elif self.town:
            sentences.append(
                _(
                    "Sont refusés : les mots de passe courants, même suivis de chiffres, votre adresse et "
                    "le nom de la commune."
                )
            )
        else:
            sentences.append(
                _("Sont refusés : les mots de passe courants, même suivis de chiffres, et votre adresse.")
            )
        if self.minimum >= LISTS_FROM and settings.BREACHED_PASSWORDS:
            sentences.append(_("Ceux qui ont été volés sur d'autres sites le sont aussi."))
        return " ".join(sentences)

    def check(self, password: str, *, email: str = "") -> None:
        """Raises WeakPassword with the sentence to show. `email`: the person's address."""
        if len(password) < self.minimum:
            raise WeakPassword(
                ngettext(
                    "Le mot de passe doit contenir au moins %(n)d caractère.",
                    "Le mot de passe doit contenir au moins %(n)d caractères.",
                    self.minimum,
                )
                % {"n": self.minimum}
            )
        if len(password) > LONGEST:
            raise WeakPassword(_("Le mot de passe est trop long (256 caractères au plus)."))
        address = emails.sought(email) if email else ""
        if address and password.lower() in (address, address.partition("@")[0]):
            raise WeakPassword(
                _("Votre mot de passe ne peut pas être votre adresse : choisissez-en un autre.")
            )
        if self.minimum >= LISTS_FROM:
            self._check_guessed(password, address)

    def _check_guessed(self, password: str, address: str) -> None:
        if any(_is_known(spelling) for spelling in _spellings(password)):
            raise WeakPassword(
                _("Ce mot de passe est trop connu : choisissez-en un que personne ne devinera.")
            )
        if _is_made_of(_folded(password), _words(address, self.town)):
            raise WeakPassword(
                _(
                    "Ce mot de passe reprend votre adresse, le nom de la commune ou celui du portail : "
                    "choisissez-en un que personne ne devinera."
                )
            )
        if was_stolen(password):
            raise WeakPassword(
                _(
                    "Ce mot de passe fait partie de ceux qui ont été volés sur d'autres sites : "
                    "choisissez-en un autre."
                )
            )


def _folded(text: str) -> str:
    """Letters without accents and digits, in lower case."""
    plain = unicodedata.normalize("NFKD", text.lower())
    return "".join(sign for sign in plain if sign.isalnum())


def _spellings(password: str) -> set[str]:
    """Spellings to search in a list: lower case, no blanks, no accents, without the tail, `0` as `o`."""
    whole = {password.lower(), _folded(password)}
    found = whole | {spelling.translate(_LOOKALIKES) for spelling in whole}
    for spelling in whole:
        stem = re.sub(r"[\W\d_]+$", "", spelling)
        if len(stem) >= SHORTEST_WORD and len(spelling) - len(stem) <= TAIL:
            found |= {stem, stem.translate(_LOOKALIKES)}
    return found


def _is_known(spelling: str) -> bool:
    """Whether it is in a list, a keyboard run, or a repetition of these or of up to three characters."""
    if len(spelling) < SHORTEST_WORD:
        return False  # most of the password is something else
    unit = spelling[: (spelling + spelling).find(spelling, 1)]
    if len(unit) < SHORTEST_WORD or any(unit in run for run in _RUNS):
        return True
    return any(is_common(word) for word in {unit, spelling})


def _words(address: str, town: Iterable[str]) -> set[str]:
    """Words of the person's address and of the town's name, folded, in parts and whole."""
    local, _at, domain = address.partition("@")
    names = [local, *domain.split(".")[:-1], *town]
    parts = [part for name in names for part in (name, *re.split(r"[\W\d_]+", name))]
    return {*_SERVICE, *(word for part in parts if len(word := _folded(part)) >= SHORTEST_WORD)}


def _is_made_of(folded: str, words: set[str]) -> bool:
    """True when little remains without these words: at most three letters, and no more characters than a date."""
    rest = folded
    for word in sorted(words, key=len, reverse=True):
        rest = rest.replace(word, "")
    letters = sum(sign.isalpha() for sign in rest)
    return rest != folded and letters < SHORTEST_WORD and len(rest) <= TAIL
