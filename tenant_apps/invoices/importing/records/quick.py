"""Reads the records in which nothing is unusual, several times as fast as `Rows`, and with the same result.

Everything that has an odd sign, a doubt, or a fault is left to `Rows`: what is here says None more often than it must.
"""

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import TypeVar

from tenant_apps.invoices.importing.records import fields as billing
from tenant_apps.invoices.importing.records.doubts import Doubts
from tenant_apps.invoices.importing.records.kinds import OF_PAYER, InvoiceRow
from toolkit import emails
from toolkit.reading.errors import FieldError

_BETWEEN = "\x1f"
# No sign that a text loses or that says something else: no #REF!, no ="…", no entity, no accent that may be broken.
_PLAIN = re.compile('[\x1f -"$-<>-~\u00a0\u202f€°’–«»œŒÀ-ÁÄÆ-ÖØ-öø-ÿ]*').fullmatch
_NUMBER = re.compile(r"[0-9A-Za-z]{1,20}(?:-[0-9A-Za-z]{1,20})*").fullmatch
_CODE = re.compile(r"[A-Za-z]{0,8}-?0*[1-9][0-9]{0,15}").fullmatch
_AMOUNT = re.compile(
    "([0-9]{1,5}|[0-9]{1,2}[ \u00a0\u202f][0-9]{3})(?:[.,]([0-9]{1,2}))?(?:[ \u00a0\u202f]?€)?"
).fullmatch
_REFERENCE = re.compile(r"[0-9A-Z]{6,30}").fullmatch
_ADDRESS = re.compile(
    r"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*@(?:[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*\.)+[A-Za-z]{2,63}"
).fullmatch
_POSTCODE = re.compile(r"[0-9]{5}").fullmatch
_FIXED = ("\u00a0", "\u202f")  # spaces of amounts; elsewhere they become usual ones
_MONTH = re.compile(r"[A-Za-z]{3,4}-[0-9]{2}|[0-9]{1,2}-[A-Za-z]{3,4}").match  # what Excel writes for 2026/1
_LETTERS = re.compile(r"[^\W\d_]|[ .'-]").sub
_MOST_KEPT = 5000  # values of a kind that are remembered
K = TypeVar("K")
V = TypeVar("V")


class Quick:
    """Reads one file's plain records. `read` gives None for a record that `Rows` must look at."""

    def __init__(self, doubts: Doubts) -> None:
        self._doubts = doubts
        self._days: dict[str, date | None] = {}
        self._years: dict[str, int | None] = {}
        self._titles: dict[str, bool] = {}
        self._products: dict[str, str | None] = {}
        self._said: dict[tuple[str, ...], frozenset[str]] = {}

    def read(self, line: int, cells: Mapping[str, str], *, may_guess_year: bool) -> InvoiceRow | None:
        """The invoice; None when anything is unusual. `may_guess_year`: the file's owner knows that we do."""
        texts = _BETWEEN.join(cells.values())
        if not _PLAIN(texts) or texts.count(_BETWEEN) != len(cells) - 1:
            return None
        if "  " in texts or " \x1f" in texts or "\x1f " in texts or texts[0] == " " or texts[-1] == " ":
            return None
        if "â€" in texts or ("&" in texts and billing.has_entity(texts)):
            return None
        get = cells.get
        written = get("amount", "")
        if not written.isascii() and any(texts.count(sign) != written.count(sign) for sign in _FIXED):
            return None
        if written.isascii() and ("\u00a0" in texts or "\u202f" in texts):
            return None
        number, payer, subject = get("number", ""), get("payer", ""), get("subject", "")
        issued_on, due_on = self._day(get("issued_on", "")), self._day(get("due_on", ""))
        amount = _AMOUNT(written)
        if amount is None or issued_on is None or due_on is None or due_on < issued_on:
            return None
        if not _NUMBER(number) or len(number) > 40 or not _CODE(payer) or len(payer) > 40:
            return None
        if not subject or len(subject) > 160 or (_MONTH(number) or _MONTH(payer)):
            return None
        if due_on < self._doubts.oldest or issued_on > self._doubts.latest:
            return None
        whole = amount[1] if amount[1].isdigit() else amount[1][:-4] + amount[1][-3:]
        euros = Decimal(f"{whole}.{amount[2] or '0':0<2}")
        if not euros or get("by_debit") or get("debit_on"):
            return None
        year = (
            self._year(said)
            if (said := get("fiscal_year", ""))
            else issued_on.year
            if may_guess_year
            else None
        )
        if year is None:
            return None
        reference = get("reference", "")
        if reference:
            if not _REFERENCE(reference):
                return None
        else:
            reference = number.replace("-", "").upper()
            if not reference.startswith(str(year)):
                reference = f"{year}{reference}"
            if len(reference) > 30:
                return None
            reference = reference.rjust(6, "0")
        email, postcode, title = get("email", ""), get("postcode", ""), get("title", "")
        if email and (len(email) > 64 or "--" in email or not _ADDRESS(email)):
            return None
        if postcode and not _POSTCODE(postcode):
            return None
        last_name, first_name, city = get("last_name", ""), get("first_name", ""), get("city", "")
        if len(last_name) > 80 or len(first_name) > 80 or len(city) > 80 or not self._is_title(title):
            return None
        address, more = get("address1", ""), get("address2", "")
        document, product = get("document", ""), self._product(get("product", ""))
        if len(address) > 120 or len(more) > 120 or len(document) > 200 or product is None:
            return None
        return InvoiceRow(
            line,
            number,
            issued_on,
            due_on,
            euros,
            subject,
            year,
            reference,
            payer,
            title,
            last_name,
            first_name,
            f"{address}\n{more}" if address and more else address or more,
            postcode,
            city,
            (emails.lowered(email),) if email else (),
            product,
            document,
            self._said_by(cells),
        )

    def _day(self, raw: str) -> date | None:
        if raw in self._days:
            return self._days[raw]
        found = None
        if raw and not billing.is_serial(raw):
            try:
                found = billing.day(raw)
            except FieldError:
                found = None
        return _remembered(self._days, raw, found)

    def _year(self, raw: str) -> int | None:
        if raw in self._years:
            return self._years[raw]
        try:
            found: int | None = billing.year(raw, 0)
        except FieldError:
            found = None
        return _remembered(self._years, raw, found)

    def _product(self, raw: str) -> str | None:
        if not raw or raw in self._products:
            return self._products.get(raw, "")
        try:
            found: str | None = billing.product(raw)
        except FieldError:
            found = None
        return _remembered(self._products, raw, found)

    def _is_title(self, raw: str) -> bool:
        if not raw or raw in self._titles:
            return self._titles.get(raw, True)
        return _remembered(self._titles, raw, len(raw) <= 20 and not _LETTERS("", raw))

    def _said_by(self, cells: Mapping[str, str]) -> frozenset[str]:
        names = tuple(cells)
        found = self._said.get(names)
        return found if found is not None else _remembered(self._said, names, OF_PAYER & cells.keys())


def _remembered(known: dict[K, V], key: K, value: V) -> V:
    if len(known) >= _MOST_KEPT:
        known.clear()
    known[key] = value
    return value
