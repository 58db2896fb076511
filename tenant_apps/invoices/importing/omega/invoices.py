"""Objects of JVS Omega → records. Who is who: the number of the contract. What is owed: the net amount."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, BinaryIO

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tenant_apps.invoices.importing.records import fields as billing
from tenant_apps.invoices.importing.records.kinds import LABELS, CreditRow, Record, RowProblem
from tenant_apps.invoices.importing.records.rows import Rows
from tenant_apps.invoices.importing.records.rules import Reading
from toolkit.clock import PARIS
from toolkit.money import format_euros
from toolkit.reading import fields
from toolkit.reading.errors import FieldError
from toolkit.reading.json_items import Item, Number, items_of
from toolkit.reading.text import encoding_of

KEYS = (
    *(
        "facture_id",
        "exercice",
        "nofacture",
        "datefact",
        "datech",
        "ttc",
        "nap",
        "solde",
        "preleve",
        "annulee",
    ),
    *("avoir", "budget", "numcontrat", "nompers", "mail"),
)
_NO = frozenset({"", "0", "n", "non", "no", "false", "faux", "0.0", "0.00"})
_YES = frozenset({"1", "o", "oui", "y", "yes", "true", "vrai", "x"})
_REASON = "Facture annulée par le service qui l'a émise"  # the resident reads it
_SHOWN = 5  # numbers that a notice names


class Invoices:
    """Reads the objects of one file."""

    def __init__(self, reading: Reading) -> None:
        self._rules, self._corrections = reading.rules, reading.corrections
        self._rows = Rows(reading, payer_title="numcontrat")
        self._budget: str | None = None
        self._settled: list[str] = []
        self._settled_count = 0
        self._unread: dict[str, None] = {}

    def read(self, file: BinaryIO) -> Iterator[Record]:
        """Yield the records in the order of the list. Raises FileError."""
        for line, item in enumerate(items_of(file, self._rules.encoding or encoding_of(file)), 1):
            try:
                yield from self._record(line, item)
            except _Refused as error:
                for problem in self._rows.refuse(line, str(error)):
                    yield replace(problem, field=error.key, value=error.value[:80], cells=error.cells)
        yield from self._notices()

    def _record(self, line: int, item: Item) -> Iterator[Record]:
        said = self._said(item)
        self._check_budget(said.get("budget", ""))
        cancelled, _day = _answer(said, "annulee")
        if cancelled:
            yield self._credit(line, said, number=said.get("nofacture", ""), amount=None, reason=_REASON)
            return
        if credit := self._is_credit(said):
            yield self._avoir(line, said, "" if credit == _CREDIT else credit)
            return
        by_debit, debit_on = _answer(said, "preleve")
        cells = {
            "number": said.get("nofacture", ""),
            "issued_on": _day_text(said.get("datefact", "")),
            "due_on": _day_text(said.get("datech", "")),
            "subject": self._rules.subject or f"Facture {said.get('nofacture', '')}".strip(),
            "fiscal_year": said.get("exercice", ""),
            "payer": said.get("numcontrat", ""),
            "by_debit": "1" if by_debit else "",
            "debit_on": debit_on,
        }
        if any(sign.isalpha() for sign in said.get("nompers", "")):
            cells["last_name"] = said["nompers"]
        if "mail" in said:
            cells["email"] = said["mail"]
        amount = self._owed(line, said, cells)
        if amount is not None:
            yield from self._rows.make(line, {**cells, "amount": amount})

    def _said(self, item: Item) -> dict[str, str]:
        """The known values of an object, as texts. Raises _Refused."""
        if item.twice:
            sentence = _(
                "Cette facture a deux fois la valeur « %(key)s » : laquelle est la bonne ? Exportez de nouveau."
            )
            key = "" if _is_half(item.twice) else item.twice[:40]
            raise _Refused(sentence % {"key": key}, key)
        if not isinstance(item.value, dict):
            raise _Refused(_("Ce n'est pas une facture : un objet JSON est attendu ici."))
        found: dict[str, str] = {}
        for name, value in item.value.items():
            key = name.strip().lower()
            if key not in KEYS:
                if len(self._unread) < 50 and not _is_half(name):
                    self._unread[name[:40]] = None
                continue
            if key in found:
                sentence = _(
                    "Cette facture a deux fois la valeur « %(key)s » : laquelle est la bonne ? Exportez de nouveau."
                )
                raise _Refused(sentence % {"key": key}, key)
            found[key] = _text(key, value)
        return found

    def _check_budget(self, budget: str) -> None:
        """A contract's number is of its budget: in another one it may be somebody else's."""
        if self._budget is None:
            self._budget = budget
        if budget != self._budget:
            sentence = _(
                "« budget » (« %(other)s ») n'est pas celui du début du fichier (« %(one)s ») : un même numéro de "
                "contrat peut y être une autre personne. Envoyez un budget à la fois, chacun avec sa provenance."
            )
            words = {"one": self._budget[:40], "other": budget[:40]}
            raise _Refused(sentence % words, "budget", budget)

    # --- how much ---------------------------------------------------------------------------------

    def _owed(self, line: int, said: Mapping[str, str], cells: Mapping[str, str]) -> str | None:
        """What the invoice asks for, as a text; None when nothing is left to pay. Raises _Refused.

        Of an invoice that is partly paid already only a person knows whether the rest was paid here or elsewhere.
        """
        net = _money(said, "nap")
        total, rest = _money(said, "ttc"), _money(said, "solde")
        asked = net if net is not None else total
        if asked is None:
            return ""
        if net is not None and total is not None and net > total > 0:
            sentence = _(
                "« nap » (« %(net)s ») dépasse « ttc » (« %(total)s ») : il contient peut-être une autre facture, qui "
                "serait demandée deux fois. Corrigez-le dans votre logiciel."
            )
            raise _Refused(sentence % {"net": net, "total": total}, "nap", f"{net}")
        if asked == 0 or rest == 0:
            self._leave_out(said)
            return None
        if rest is None or rest == asked or asked < 0:
            return f"{asked}"
        if "amount" in self._corrections.get(line, {}):
            return f"{rest}"
        sentence = _(
            "« solde » (« %(rest)s ») n'est pas « nap » (« %(net)s ») : une partie est déjà réglée, ou un report y "
            "est compté. Écrivez ici le montant qui reste à payer, ou laissez cette facture de côté si elle est déjà "
            "sur le portail."
        )
        words, shown = (
            {"rest": rest, "net": asked},
            {**cells, "amount": ""},
        )  # whatever is written is a correction
        raise _Refused(sentence % words, LABELS["amount"], f"{rest}", shown)

    def _leave_out(self, said: Mapping[str, str]) -> None:
        self._settled_count += 1
        if len(self._settled) < _SHOWN:
            self._settled.append(said.get("nofacture", "")[:40])

    # --- credits ----------------------------------------------------------------------------------

    def _is_credit(self, said: Mapping[str, str]) -> str:
        """Empty: none. _CREDIT: a credit that names no invoice. Else the number of the invoice. Raises _Refused."""
        raw = said.get("avoir", "").strip()
        if raw.lower() in _NO:
            return ""
        if raw.lower() in _YES:
            return _CREDIT
        if isinstance(said["avoir"], Number) or _is_amount(raw):
            sentence = _(
                "« avoir » (« %(value)s ») n'est ni oui, ni non, ni le numéro d'une facture : nous ne savons pas ce "
                "qui est à déduire. Faites l'avoir depuis la facture (« Réduire ou annuler »)."
            )
            raise _Refused(sentence % {"value": raw[:40]}, "avoir", raw)
        return raw

    def _avoir(self, line: int, said: Mapping[str, str], number: str) -> Record:
        """A credit of the invoice `number`; when it names none, a notice for a person."""
        amount = next(filter(None, (_money(said, key) for key in ("nap", "ttc", "solde"))), None)
        own = said.get("nofacture", "")
        if not number or amount is None:
            sentence = _(
                "L'avoir n° %(number)s (%(amount)s) ne dit pas quelle facture il réduit : il n'est pas appliqué. "
                "Faites-le depuis la facture (« Réduire ou annuler »)."
            )
            words = {"number": own[:40], "amount": format_euros(abs(amount)) if amount is not None else "–"}
            return RowProblem(line, "avoir", own[:80], sentence % words, is_error=False)
        return self._credit(
            line, said, number=number, amount=abs(amount), reason=f"Avoir {own}".strip()[:300]
        )

    def _credit(
        self, line: int, said: Mapping[str, str], *, number: str, amount: Decimal | None, reason: str
    ) -> CreditRow:
        try:
            name = "nofacture"
            own = fields.text(fields.identifier(number), longest=40, required=True)
            name = "datefact"
            issued = fields.day(_day_text(said["datefact"])) if said.get("datefact") else date.min
            name = "exercice"
            year = billing.year(said.get("exercice", ""), issued.year)
            if year == date.min.year:
                raise FieldError(_("est vide : cette valeur est nécessaire."))
        except FieldError as error:
            raise _Refused(f"« {name} » {error}", name, said.get(name, "")) from None
        prefix = self._rules.prefix
        return CreditRow(
            line=line,
            number=own if own.startswith(prefix) else prefix + own,
            fiscal_year=year,
            amount=amount,
            reason=reason,
            product=self._rules.product,
        )

    # --- the end of the file ------------------------------------------------------------------------

    def _notices(self) -> Iterator[RowProblem]:
        if count := self._settled_count:
            sentence = ngettext(
                "%(n)d facture n'a plus rien à payer : elle est laissée de côté (%(numbers)s).",
                "%(n)d factures n'ont plus rien à payer : elles sont laissées de côté (%(numbers)s).",
                count,
            )
            more = "…" if count > len(self._settled) else ""
            words = {"n": count, "numbers": ", ".join(self._settled) + more}
            yield RowProblem(None, LABELS["amount"], "", sentence % words, is_error=False)
        if self._unread:
            sentence = _("Ces valeurs du fichier ne sont pas lues : %(names)s.")
            names = ", ".join(f"« {name} »" for name in list(self._unread)[:12])
            yield RowProblem(None, "", "", sentence % {"names": names}, is_error=False)


_CREDIT = "\x00"


class _Refused(Exception):
    """An object that cannot be read: its sentence, the key, the value, and the texts that a clerk may correct."""

    def __init__(
        self, sentence: str, key: str = "", value: str = "", cells: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(sentence)
        self.key, self.value, self.cells = key, value, cells or {}


def _text(key: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, str):
        if _is_half(value):
            raise _Refused(_("« %(key)s » contient des caractères illisibles.") % {"key": key}, key)
        return value
    sentence = _("« %(key)s » contient une liste ou un objet au lieu d'une valeur.")
    raise _Refused(sentence % {"key": key}, key)


def _is_half(text: str) -> bool:
    r"""Whether it has half of a sign (« \ud83d »), which no database takes."""
    return any("\ud800" <= sign <= "\udfff" for sign in text)


def _answer(said: Mapping[str, str], key: str) -> tuple[bool, str]:
    """Yes or no, and the day when the value is one: a cancellation or a debit has a day. Raises _Refused."""
    raw = said.get(key, "").strip()
    if raw.lower() in _NO:
        return False, ""
    if raw.lower() in _YES:
        return True, ""
    try:
        return True, f"{fields.day(_day_text(raw)):%Y-%m-%d}"
    except FieldError:
        sentence = _("« %(key)s » (« %(value)s ») n'est ni oui ni non : corrigez-le dans votre logiciel.")
        raise _Refused(sentence % {"key": key, "value": raw[:40]}, key, raw) from None


def _day_text(raw: str) -> str:
    """A time with a zone is the day that it is in Paris; anything else is left as it is."""
    if len(raw) > 10 and (raw.endswith("Z") or "+" in raw):
        try:
            moment = datetime.fromisoformat(raw.strip())
        except ValueError:
            return raw
        return f"{moment.astimezone(PARIS):%Y-%m-%d}" if moment.tzinfo else raw
    return raw


def _is_amount(raw: str) -> bool:
    try:
        return bool(fields.amount(raw.lstrip("-"))) and any(sign in raw for sign in ",.")
    except FieldError:
        return False


def _money(said: Mapping[str, str], key: str) -> Decimal | None:
    """Euros, zero and less too; None when it is not said. Raises _Refused.

    A number of JSON may carry the noise of binary fractions (36.900000000000006): it is the cent beside it.
    """
    raw = said.get(key, "")
    if not raw.strip():
        return None
    found: Decimal | None = None
    if isinstance(raw, Number):
        try:
            found = Decimal(raw)
        except InvalidOperation:
            found = None
    else:
        bare = raw.strip().removeprefix("-").strip()
        try:
            found = Decimal("0.00") if not bare.strip("0., ") else fields.amount(bare)
        except FieldError as error:
            raise _Refused(f"« {key} » {error}", key, raw) from None
        if raw.strip().startswith("-"):
            found = -found
    if found is None or not found.is_finite() or abs(found) > fields.LARGEST:
        sentence = _("« %(key)s » (« %(value)s ») n'est pas un montant : corrigez-le dans votre logiciel.")
        raise _Refused(sentence % {"key": key, "value": raw[:40]}, key, raw)
    cents = found.quantize(Decimal("0.01"))
    if abs(found - cents) > Decimal("0.000001"):
        sentence = _(
            "« %(key)s » (« %(value)s ») a plus de deux décimales : corrigez-le dans votre logiciel."
        )
        raise _Refused(sentence % {"key": key, "value": raw[:40]}, key, raw)
    return cents
