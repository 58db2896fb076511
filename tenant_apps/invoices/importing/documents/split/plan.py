"""Which pages of one large PDF are which invoice's. Pure, and never a guess: a page that says nothing is nobody's."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property

from django.utils.translation import gettext as _

from tenant_apps.invoices.importing.documents.split.words import LABELS, Page
from tenant_apps.invoices.importing.records.fields import key_of


class How(StrEnum):
    """What tells where an invoice begins."""

    NUMBER = "number"
    BOOKMARK = "bookmark"
    COUNT = "count"
    ORDER = "order"  # by the order of the rows: a person must have looked


@dataclass(frozen=True)
class Part:
    """The pages of one invoice, from 0. `doubt`: why nobody gets them, in one French sentence."""

    number: str
    pages: tuple[int, ...]
    doubt: str = ""

    @cached_property
    def key(self) -> str:
        return key_of(self.number)


@dataclass(frozen=True)
class Plan:
    """How the PDF is split, why, and what is left over. `lost`: the pages of nobody, from 0."""

    how: How
    reason: str
    parts: tuple[Part, ...]
    lost: tuple[int, ...] = ()

    @property
    def must_be_confirmed(self) -> bool:
        """Whether a person must compare pages and invoices before anything is published."""
        return self.how == How.ORDER

    def problems(self) -> list[str]:
        """A sentence for each doubt, and one for the pages of nobody."""
        found = list(dict.fromkeys(part.doubt for part in self.parts if part.doubt))
        if self.lost:
            sentence = _(
                "Pages sans numéro de facture : %(pages)s. Elles ne sont données à personne ; vérifiez le PDF."
            )
            found.append(sentence % {"pages": in_words(self.lost)})
        return found


def in_words(pages: Sequence[int]) -> str:
    """« 3 à 5, 9 »: pages from 0, said from 1. At most ten groups."""
    groups: list[list[int]] = []
    for page in pages:
        if groups and groups[-1][1] == page - 1:
            groups[-1][1] = page
        else:
            groups.append([page, page])
    said = [
        f"{first + 1}"
        if first == last
        else _("%(first)d à %(last)d") % {"first": first + 1, "last": last + 1}
        for first, last in groups[:10]
    ]
    return ", ".join(said) + (", …" if len(groups) > 10 else "")


def label_of(pages: Sequence[Page]) -> int | None:
    """Which of LABELS tells these pages apart best: the one with the most different numbers. None without any."""
    apart = [
        len({one.numbers[place][0] for one in pages if len(one.numbers[place]) == 1})
        for place in range(len(LABELS))
    ]
    best = max(apart, default=0)
    return apart.index(best) if best else None


def planned(pages: Sequence[Page], bookmarks: Mapping[int, str], numbers: Sequence[str] = ()) -> Plan | None:
    """The split; None when nothing tells the invoices apart.

    `bookmarks`: page → the number in the title of the bookmark that begins there; empty when it has none. `numbers`:
    those of the rows, in their order, for a PDF whose pages say nothing.
    """
    label = label_of(pages)
    said = [one.numbers[label] if label is not None else () for one in pages]
    starts = _starts(bookmarks, said)
    if label is None or _tells_more(bookmarks, said):
        if starts and all(bookmarks.values()):
            return _by_titles(len(pages), bookmarks)
        return _by_order(len(pages), numbers)
    every = _every(said)
    followed = _followed(pages, said)
    how, reason = How.NUMBER, _("Le numéro de la facture est lu sur les pages.")
    follows = [bool(one) or followed[place] for place, one in enumerate(said)]
    if not all(follows) and starts:
        how, follows = How.BOOKMARK, [place not in starts for place in range(len(pages))]
        reason = _("Les signets disent où chaque facture commence ; son numéro est lu sur ses pages.")
    elif not all(follows) and every:
        how, follows = How.COUNT, [place % every > 0 for place in range(len(pages))]
        reason = _("Une facture toutes les %(n)d pages ; son numéro est lu sur la première.") % {"n": every}
    return _grouped(how, reason, said, follows, starts if how == How.BOOKMARK else frozenset())


def _starts(bookmarks: Mapping[int, str], said: Sequence[tuple[str, ...]]) -> frozenset[int]:
    """The pages where bookmarks say that an invoice begins; none when they contradict the numbers."""
    if len(bookmarks) < 2 or 0 not in bookmarks:
        return frozenset()
    current: set[str] = set()
    for place, numbers in enumerate(said):
        current = set(numbers) if place in bookmarks else current | set(numbers)
        if len(current) > 1:
            return frozenset()
    return frozenset(bookmarks)


def _tells_more(bookmarks: Mapping[int, str], said: Sequence[tuple[str, ...]]) -> bool:
    """Whether titles of bookmarks have a number for each invoice, and the pages that begin one do not."""
    titled = [number for number in bookmarks.values() if number]
    on_pages = sum(1 for place in bookmarks if len(said[place]) == 1)
    return len(set(titled)) == len(bookmarks) > on_pages


def _every(said: Sequence[tuple[str, ...]]) -> int:
    """n when each n-th page, from the first, and no other, has a number, each once; else 0."""
    numbered = [place for place, numbers in enumerate(said) if numbers]
    if len(numbered) < 2 or numbered[0] != 0:
        return 0
    step = numbered[1]
    once = len({said[place] for place in numbered}) == len(numbered)
    return step if once and len(said) % step == 0 and numbered == list(range(0, len(said), step)) else 0


def _followed(pages: Sequence[Page], said: Sequence[tuple[str, ...]]) -> list[bool]:
    """Whether each page says itself that it follows the one before, or has no words but those of many others."""
    common = Counter(
        one.digest for one, numbers in zip(pages, said, strict=True) if not numbers and one.digest
    )
    found = []
    for place, one in enumerate(pages):
        before = pages[place - 1].mark if place else None
        is_next = bool(one.mark and before and one.mark == (before[0] + 1, before[1]))
        is_back = place > 0 and one.digest != b"" and one.mark is None and common[one.digest] >= 2
        found.append(is_next or is_back)
    return found


def _by_titles(count: int, bookmarks: Mapping[int, str]) -> Plan:
    begins = sorted(bookmarks)
    parts = [
        Part(bookmarks[begin], tuple(range(begin, end)))
        for begin, end in zip(begins, [*begins[1:], count], strict=True)
    ]
    reason = _("Le numéro de chaque facture est dans les signets du PDF.")
    return Plan(How.BOOKMARK, reason, _without_doubles(parts), tuple(range(begins[0])))


def _by_order(count: int, numbers: Sequence[str]) -> Plan | None:
    if not numbers or count % len(numbers):
        return None
    each = count // len(numbers)
    parts = [
        Part(number, tuple(range(place * each, place * each + each))) for place, number in enumerate(numbers)
    ]
    sentence = _(
        "Aucun numéro n'est lisible : %(n)d pages par facture, dans l'ordre du fichier des factures. Comparez avant "
        "de publier."
    )
    return Plan(How.ORDER, sentence % {"n": each}, _without_doubles(parts))


def _grouped(
    how: How, reason: str, said: Sequence[tuple[str, ...]], follows: Sequence[bool], starts: frozenset[int]
) -> Plan:
    parts: list[Part] = []
    lost: list[int] = []
    in_doubt = True  # until the first number
    for place, numbers in enumerate(said):
        begins = (
            place in starts
            if starts
            else bool(numbers) and (not parts or in_doubt or parts[-1].number != numbers[0])
        )
        if len(numbers) > 1:
            sentence = _("La page %(page)d porte plusieurs numéros de facture : %(numbers)s.")
            words = {"page": place + 1, "numbers": ", ".join(numbers[:3])}
            parts += [Part(number, (place,), sentence % words) for number in numbers]
            in_doubt = True
        elif begins and numbers:
            parts.append(Part(numbers[0], (place,)))
            in_doubt = False
        elif begins:  # a bookmark, and no number on its first page
            number = next((one[0] for one in said[place : _end(place, starts, len(said))] if one), "")
            if number:
                parts.append(Part(number, (place,)))
            else:
                lost.append(place)
            in_doubt = not number
        elif parts and not in_doubt and (numbers or follows[place]):
            parts[-1] = replace(parts[-1], pages=(*parts[-1].pages, place))
        else:
            lost.append(place)
            if parts and not in_doubt:
                sentence = _(
                    "La page %(page)d suit la facture %(number)s sans porter de numéro : est-ce sa suite ? Donnez un "
                    "PDF par facture, ou un PDF dont chaque page porte le numéro."
                )
                words = {"page": place + 1, "number": parts[-1].number}
                parts[-1] = replace(parts[-1], doubt=sentence % words)
            in_doubt = True
    return Plan(how, reason, _without_doubles(parts), tuple(lost))


def _end(place: int, starts: frozenset[int], count: int) -> int:
    return next((page for page in range(place + 1, count) if page in starts), count)


def _without_doubles(parts: Sequence[Part]) -> tuple[Part, ...]:
    """The parts; those of one number that are not together are in doubt."""
    pages: dict[str, list[int]] = {}
    times: Counter[str] = Counter()
    for part in parts:
        pages.setdefault(part.key, []).extend(part.pages)
        times[part.key] += 1
    sentence = _("Le numéro %(number)s est à plusieurs endroits du PDF (pages %(pages)s).")
    return tuple(
        replace(part, doubt=sentence % {"number": part.number, "pages": in_words(sorted(pages[part.key]))})
        if times[part.key] > 1 and not part.doubt
        else part
        for part in parts
    )
