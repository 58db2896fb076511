"""Compare the codes of a file with each other, then with the payers of the same source. Writes nothing.

Two people differ by their family name, or by first name, postal address and e-mail all together.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from django.utils.translation import gettext as _

from tenant_apps.invoices.importing.people.identity import bare_name
from tenant_apps.invoices.importing.people.names import same_family, same_name
from tenant_apps.invoices.importing.records.kinds import LABELS, InvoiceRow, PayerRow, RowProblem
from tenant_apps.invoices.models import Invoice
from tenant_apps.invoices.states import Asked, InvoiceState
from tenant_apps.residents.models import EmailSource, Payer, Source
from tenant_apps.residents.sources import bare_code, known_payers, payers_that_read
from toolkit.reading.fields import fold

Said = dict[str, Any]  # title, last_name, first_name, address, postcode, city: text; emails: a list
_PLAIN = ("title", "last_name", "first_name", "postcode", "city")
_NAMED = {"first_name": "first_name", "address": "address1", "emails": "email"}  # what differs → its column


@dataclass(slots=True)
class Person:
    """What the file says about one code, in all its rows. The last row that gives a value wins."""

    code: str
    line: int
    said: Said
    partial: bool  # the file has no column « Adresse (suite) »
    doubt: dict[str, Any] | None = None  # two rows that differ in one point, or that may be of two families
    by_name: bool = False  # the code is made from a name (decision 75)
    # Of a name: (day, subject, régie) → line and number of its first invoice.
    bills: dict[tuple[date, str, str], tuple[int, str]] = field(default_factory=dict)
    changes: bool = False
    asks: bool = False


@dataclass(slots=True)
class Finding:
    """A person of the file compared with the town. `payer`: the known payer of this code, or None."""

    person: Person
    payer: Payer | None = None
    looks_like: Payer | str | None = None  # a payer, or the code of an earlier row
    was: Said = field(default_factory=dict)
    changes: bool = False
    asks: str = ""
    reasons: list[dict[str, Any]] = field(default_factory=list)

    @property
    def whose(self) -> int | str:
        """The same value for all rows of one payer: the id of a known payer, else the code."""
        return self.payer.pk if self.payer else self.person.code

    def may_be(self, payer_id: int) -> bool:
        """Whether it is that payer, or so similar that a person is asked."""
        like = self.looks_like
        return payer_id in (self.payer and self.payer.pk, isinstance(like, Payer) and like.pk)


class People:
    """The codes met so far in one file of one source."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._people: dict[str, Person] = {}
        self._bare: dict[str, str] = {}  # simplified code → the first code with that form
        self._named: dict[str, str] | None = None  # the same of the payers that the town knows by name
        recognised = known_payers(source).exclude(also_written=[]).order_by("id")
        self._aliases = {
            code: reference
            for reference, codes in recognised.values_list("reference", "also_written")
            for code in codes
        }

    def __iter__(self) -> Iterator[Person]:
        return iter(self._people.values())

    def recognised(self, row: InvoiceRow | PayerRow) -> InvoiceRow | PayerRow:
        """The row with its payer's own code, when a person has said before that its code is another spelling of it."""
        code = self._aliases.get(row.payer, row.payer)
        return row if code == row.payer else replace(row, payer=code)

    def add(self, row: InvoiceRow | PayerRow) -> RowProblem | None:
        """Add a row. Returns the problem when it cannot be the same people as an earlier row of the same code."""
        said = said_by(row)
        person = self._people.get(row.payer)
        if person is None:
            partial = "address2" not in row.said
            person = Person(row.payer, row.line, said, partial, by_name=row.by_name)
            self._people[row.payer] = person
            self._bare.setdefault(_bare_of(person), row.payer)
            _add_bill(person, row)
            return None
        if said == person.said:  # the usual second invoice of a family
            _add_bill(person, row)
            return None
        names = _name(person.said), _name(said)
        known = all(last for last, _first in names)
        differ = _differences(person.said, said)
        if (known and not same_family(*names)) or (differ and (len(differ) > 1 or not known)):
            return _two_families(person, row, said, differ)
        if differ:
            (what,) = differ
            person.doubt = {
                "why": "lines",
                "lines": [person.line, row.line],
                "field": _NAMED[what],
                "values": [_words(person.said, what), _words(said, what)],
            }
        _add_bill(person, row)
        person.said = _merged(person.said, said)
        return None

    def find(self, codes: set[str]) -> dict[str, Finding]:
        """Compare these codes with the known payers of the source. Four SQL statements."""
        here = (
            known_payers(self._source)
            .filter(reference__in=codes)
            .prefetch_related("emails", "removed_emails")
        )
        known = {payer.reference: payer for payer in here}
        new = codes - known.keys()
        names = {code for code in new if self._people[code].by_name}
        alike = self._alike(new - names) | self._alike_names(names)
        again = self._bills_again({payer.pk: self._people[code] for code, payer in known.items()})
        found = {}
        for code in codes:
            person = self._people[code]
            finding = Finding(person, known.get(code))
            if finding.payer is None:
                finding.looks_like = alike.get(_bare_of(person)) or self._earlier(person)
            elif person.doubt is None:
                person.doubt = again.get(finding.payer.pk)
            _compare(finding)
            person.changes, person.asks = finding.changes, bool(finding.asks)
            found[code] = finding
        return found

    def _earlier(self, person: Person) -> str | None:
        first = self._bare[_bare_of(person)]
        return first if first != person.code else None

    def _alike_names(self, codes: set[str]) -> dict[str, Payer]:
        """Bare name → a known payer whose name is the same but for accents and punctuation.

        The names of the source are read once: only a source without codes has them.
        """
        if not codes:
            return {}
        if self._named is None:
            known = known_payers(self._source).order_by("-id").values_list("reference", flat=True)
            self._named = {bare_name(reference): reference for reference in known.iterator()}
        near = {found for code in codes if (found := self._named.get(bare_name(code)))}
        payers = known_payers(self._source).filter(reference__in=near)
        return {
            bare_name(payer.reference): payer for payer in payers.prefetch_related("emails", "removed_emails")
        }

    def _bills_again(self, people: dict[int, Person]) -> dict[int, dict[str, Any]]:
        """Payer → why it may be two families: this name has another invoice of that day and subject already."""
        named = {pk: person for pk, person in people.items() if person.by_name}
        if not named:
            return {}
        days = {day for person in named.values() for day, _subject, _product in person.bills}
        online = Invoice.objects.filter(payer_id__in=named, issued_on__in=days)
        online = online.exclude(state=InvoiceState.DRAFT)
        found: dict[int, dict[str, Any]] = {}
        for pk, day, subject, number in online.values_list("payer_id", "issued_on", "subject", "number"):
            for (own_day, own_subject, _product), (line, own) in named[pk].bills.items():
                if (own_day, own_subject) == (day, subject) and own != number:
                    found[pk] = {
                        **{"why": "again", "line": line, "number": number},
                        **{"day": f"{day:%d/%m/%Y}", "subject": subject},
                    }
        return found

    def _alike(self, codes: set[str]) -> dict[str, Payer]:
        """Simplified code → a known payer with that form, for codes that no payer has."""
        keys = {bare_code(code) for code in codes}
        near = (
            payers_that_read(self._source, keys).prefetch_related("emails", "removed_emails").order_by("-id")
        )
        return {bare_code(payer.reference): payer for payer in near} if keys else {}


def _bare_of(person: Person) -> str:
    return bare_name(person.code) if person.by_name else bare_code(person.code)


def _add_bill(person: Person, row: InvoiceRow | PayerRow) -> None:
    """Remember an invoice of a name. Two of one day, for one thing, may be of two families of that name."""
    if not row.by_name or not isinstance(row, InvoiceRow):  # a person without invoice has none
        return
    bill = (row.issued_on, row.subject, row.product)
    first, _number = person.bills.setdefault(bill, (row.line, row.number))
    if first != row.line and person.doubt is None:
        person.doubt = {
            **{"why": "twice", "lines": [first, row.line]},
            **{"day": f"{row.issued_on:%d/%m/%Y}", "subject": row.subject},
        }


def said_by(row: InvoiceRow | PayerRow) -> Said:
    """What a row says about its payer: only the fields for which it has a cell."""
    said: Said = {name: getattr(row, name) for name in _PLAIN if name in row.said}
    if "address1" in row.said:
        said["address"] = row.address
    if "email" in row.said:
        said["emails"] = list(row.emails)
    return said


def said_of(payer: Payer) -> Said:
    """What billing has said about a payer until now, under the same keys."""
    said: Said = {name: getattr(payer, name) for name in (*_PLAIN, "address")}
    emails = (one.email for one in payer.emails.all() if one.source == EmailSource.BILLING)
    return said | {"emails": sorted(emails)}


def _not_billing_s(payer: Payer) -> set[str]:
    """The payer's addresses that a file does not change: other people gave them, or staff removed them."""
    others = {one.email for one in payer.emails.all() if one.source != EmailSource.BILLING}
    return others | {one.email for one in payer.removed_emails.all() if one.removed_by}


def _compare(finding: Finding) -> None:
    """Fill in what changes for a known payer, and what a person must look at."""
    person, said = finding.person, finding.person.said
    if person.doubt:
        finding.reasons.append(person.doubt)
    like = finding.looks_like
    beside = finding.payer or (like if isinstance(like, Payer) else None)
    if beside is not None:
        had = said_of(beside)
        if person.partial and said.get("address") and had["address"].split("\n")[0] == said["address"]:
            said["address"] = had["address"]  # the file has no second address line: keep the known one
        had["emails"] = sorted({*had["emails"], *(_not_billing_s(beside) & set(said.get("emails") or ()))})
        finding.was = {name: had[name] for name in said}
        finding.changes = any(_differs(name, had[name], said[name]) for name in said)
        if reason := _another(had, said):
            finding.reasons.append(reason)
    if like is not None:
        finding.reasons.append(
            {
                "why": "looks",
                "code": like.reference if isinstance(like, Payer) else like,
                "alike": _alike(finding),
                "by_name": person.by_name,
            }
        )
    finding.asks = Asked.CODE if like is not None else Asked.PERSON if finding.reasons else ""


def _alike(finding: Finding) -> bool:
    """Whether the names agree and nothing else is doubtful. Such codes may be answered all at once."""
    like = finding.looks_like
    if not isinstance(like, Payer) or finding.reasons or finding.person.by_name:
        return False
    return bool(like.last_name and finding.person.said.get("last_name"))


def _another(had: Said, said: Said) -> dict[str, Any] | None:
    """Why the known payer may be another person: the family name, or everything that tells relatives apart."""
    old, new = _name(had), _name({**had, **said})
    if old[0] and (not new[0] or not same_family(old, new)):
        why = "name"
    elif len(_differences(had, said)) > 1 and "first_name" in _differences(had, said):
        why = "person"
    else:
        return None
    return {
        "why": why,
        "old": " ".join(filter(None, reversed(old))),
        "new": " ".join(filter(None, reversed(new))),
    }


def _name(said: Said) -> tuple[str, str]:
    return said.get("last_name") or "", said.get("first_name") or ""


def _differences(one: Said, other: Said) -> list[str]:
    """Which of first name, postal address and e-mail both descriptions give, with different values."""
    differ = []
    firsts = one.get("first_name"), other.get("first_name")
    if all(firsts) and not same_name(*firsts):  # type: ignore[arg-type]
        differ.append("first_name")
    places = _words(one, "address"), _words(other, "address")
    if all(places) and fold(places[0]) != fold(places[1]):
        differ.append("address")
    addresses = set(one.get("emails") or ()), set(other.get("emails") or ())
    if all(addresses) and not addresses[0] & addresses[1]:
        differ.append("emails")
    return differ


def _differs(name: str, old: Any, new: Any) -> bool:
    return sorted(old) != sorted(new) if name == "emails" else bool(old != new)


def _merged(one: Said, other: Said) -> Said:
    """Values of the later row win where it gives one; e-mail addresses are added."""
    said = one | {name: value for name, value in other.items() if value or name not in one}
    if one.get("emails") and other.get("emails"):
        said["emails"] = list(dict.fromkeys([*one["emails"], *other["emails"]]))
    return said


def _words(said: Said, what: str) -> str:
    if what == "emails":
        return ", ".join(said.get("emails") or ())
    if what == "address":
        parts = (said.get("address"), said.get("postcode"), said.get("city"))
        return " ".join(" ".join(filter(None, parts)).split())
    return said.get(what) or ""


def _two_families(person: Person, row: InvoiceRow | PayerRow, said: Said, differ: list[str]) -> RowProblem:
    """The error for a code that two families share in one file: both rows, and what each says."""
    names = [" ".join(filter(None, reversed(_name(one)))) for one in (person.said, said)]
    shown = [
        ", ".join(filter(None, [name, *(_words(one, what) for what in differ if what != "first_name")]))
        for name, one in zip(names, (person.said, said), strict=True)
    ]
    sentence = _(
        "Le code « %(code)s » est donné à deux personnes : à la ligne %(first)d, %(one)s ; à la ligne %(second)d, "
        "%(other)s. L'une verrait les factures de l'autre : donnez à chacune son code."
    )
    words = {"code": row.payer, "first": person.line, "second": row.line, "one": shown[0], "other": shown[1]}
    return RowProblem(
        row.line, LABELS["payer"], row.payer, sentence % {k: _short(v) for k, v in words.items()}
    )


def _short(value: Any) -> Any:
    return value[:120] if isinstance(value, str) else value
