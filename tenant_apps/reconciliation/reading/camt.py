"""CAMT.053, the banks' own statement (ISO 20022), streamed with lxml: no entity, no DTD, no network."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, BinaryIO

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from lxml import etree

from tenant_apps.reconciliation.errors import CannotRead
from tenant_apps.reconciliation.reading.rows import BadRow, Row

_SETTINGS: dict[str, Any] = {
    "resolve_entities": False,
    "load_dtd": False,
    "no_network": True,
    "huge_tree": False,
    "remove_comments": True,
    "remove_pis": True,
}


def looks_like_camt(stream: BinaryIO) -> bool:
    """True for XML; `read` says what is wrong with it."""
    stream.seek(0)
    start = stream.read(64).lstrip(b"\xef\xbb\xbf \r\n\t")
    stream.seek(0)
    return start.startswith(b"<")


def read(stream: BinaryIO) -> Iterator[Row | BadRow]:
    """Each entry, or each transaction of a batch that says its own amount. Raises CannotRead."""
    stream.seek(0)
    number, seen, account = 0, False, ""
    try:
        for event, element in etree.iterparse(stream, events=("start", "end"), **_SETTINGS):
            name = _local(element)
            if event == "start":
                if not seen:
                    _refuse_doctype(element)
                    seen = True
                continue
            if name == "Acct":
                account = _text(element, "Id", "IBAN") or _text(element, "Id", "Othr", "Id")
            elif name == "Ntry":
                for row in _entry(element, account):
                    number += 1
                    yield row(number)
                _forget(element)
    except etree.XMLSyntaxError as error:
        sentence = _("Ce relevé XML est coupé ou abîmé : %(error)s")
        raise CannotRead(sentence % {"error": str(error)[:120]}) from None
    if not number:
        raise CannotRead(
            gettext_lazy("Ce fichier XML n'est pas un relevé CAMT.053 : aucune écriture n'y figure.")
        )


def _refuse_doctype(root: Any) -> None:
    if root.getroottree().docinfo.doctype:
        raise CannotRead(gettext_lazy("Ce fichier XML contient une DTD : un relevé de banque n'en a pas."))


def _entry(entry: Any, account: str) -> Iterator[Any]:
    """Makers of rows, which want their number."""
    outgoing = _text(entry, "CdtDbtInd") == "DBIT"
    day = _text(entry, "BookgDt", "Dt") or _text(entry, "BookgDt", "DtTm") or _text(entry, "ValDt", "Dt")
    total = _text(entry, "Amt")
    common: dict[str, Any] = {
        "day": day,
        # RvslInd changes nothing: CdtDbtInd is this entry's own side, a DBIT reversal gives a credit back.
        "outgoing": outgoing,
        "booked": (_text(entry, "Sts", "Cd") or _text(entry, "Sts") or "BOOK") == "BOOK",
        "bank_reference": " ".join(
            filter(None, [account, _text(entry, "AcctSvcrRef") or _text(entry, "NtryRef")])
        ),
        "currency": _currency(entry),
    }
    details = [d for group in _all(entry, "NtryDtls") for d in _all(group, "TxDtls")]
    extra = _text(entry, "AddtlNtryInf")
    amounts = [_transaction_amount(one) for one in details]
    whole = len(details) > 1 and _sum(amounts) != _money(total)
    if len(details) < 2 or whole:
        parts = [_words(one) for one in details]
        doubt = _("écriture groupée dont le détail ne donne pas le total") if whole else ""
        one = details[0] if len(details) == 1 else None
        yield _maker(
            **common,
            amount=total,
            label=" ".join(filter(None, [*parts, extra])),
            payer=_payer(one),
            reference=_end_to_end(one),
            doubt=doubt,
        )
        return
    for detail, amount in zip(details, amounts, strict=True):
        yield _maker(
            **common,
            amount=amount,
            label=_words(detail) or extra,
            payer=_payer(detail),
            reference=_end_to_end(detail),
            doubt="",
        )


def _maker(
    *,
    day: str,
    outgoing: bool,
    booked: bool,
    bank_reference: str,
    currency: str,
    amount: str,
    label: str,
    payer: str,
    reference: str,
    doubt: str,
) -> Any:
    raw = {
        "date": day,
        "montant": amount,
        "libellé": label[:300],
        "donneur d'ordre": payer,
        "référence": reference,
    }

    def make(number: int) -> Row | BadRow:
        shown = {name: text for name, text in raw.items() if text}
        money = _money(amount)
        if not booked:
            return BadRow(number, _("Cette écriture n'est pas encore comptabilisée par la banque."), shown)
        if money is None or money <= 0:
            return BadRow(
                number, _("« Amt » (« %(value)s ») n'est pas un montant.") % {"value": amount[:20]}, shown
            )
        if currency not in ("", "EUR"):
            return BadRow(
                number, _("« Amt » est en %(currency)s et non en euros.") % {"currency": currency}, shown
            )
        try:
            booked_on = date.fromisoformat(day[:10])
        except ValueError:
            sentence = _("« BookgDt » (« %(value)s ») n'est pas une date.")
            return BadRow(number, sentence % {"value": day[:20]}, shown)
        return Row(
            number=number,
            booked_on=booked_on,
            amount=money,
            outgoing=outgoing,
            payer_name=payer[:140],
            label=" ".join(filter(None, [label, reference]))[:300],
            bank_reference=f"{bank_reference} {reference}".strip()[:120],
            doubt=doubt,
            raw=shown,
        )

    return make


def _transaction_amount(detail: Any) -> str:
    return (
        _text(detail, "Amt")
        or _text(detail, "AmtDtls", "TxAmt", "Amt")
        or _text(detail, "AmtDtls", "InstdAmt", "Amt")
    )


def _sum(amounts: list[str]) -> Decimal | None:
    found = [_money(amount) for amount in amounts]
    return None if None in found else sum((one for one in found if one is not None), Decimal("0.00"))


def _money(text: str) -> Decimal | None:
    """ISO 20022 amounts have a point; nothing below the cent in euros."""
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return None
    # The bound first: what is longer than Decimal's precision cannot be quantized at all.
    if not amount.is_finite() or abs(amount) > 99_999_999 or amount != amount.quantize(Decimal("0.01")):
        return None
    return amount.quantize(Decimal("0.01"))


def _words(detail: Any) -> str:
    lines = [one.text or "" for info in _all(detail, "RmtInf") for one in _all(info, "Ustrd")]
    structured = [
        _text(one, "CdtrRefInf", "Ref") for info in _all(detail, "RmtInf") for one in _all(info, "Strd")
    ]
    return " ".join(" ".join([*lines, *structured, _text(detail, "AddtlTxInf")]).split())


def _end_to_end(detail: Any) -> str:
    found = _text(detail, "Refs", "EndToEndId") if detail is not None else ""
    return "" if found == "NOTPROVIDED" else found


def _payer(detail: Any) -> str:
    if detail is None:
        return ""
    return _text(detail, "RltdPties", "Dbtr", "Nm") or _text(detail, "RltdPties", "Dbtr", "Pty", "Nm")


def _currency(entry: Any) -> str:
    found = _all(entry, "Amt")
    return str(found[0].get("Ccy", "")) if found else ""


def _local(element: Any) -> str:
    """The name whatever the namespace: the versions of the message differ by it."""
    return str(etree.QName(element).localname) if isinstance(element.tag, str) else ""


def _all(element: Any, name: str) -> list[Any]:
    return [child for child in element if _local(child) == name]


def _text(element: Any, *path: str) -> str:
    for name in path:
        found = _all(element, name)
        if not found:
            return ""
        element = found[0]
    return " ".join((element.text or "").split())


def _forget(element: Any) -> None:
    """A statement of a year must not stay in memory entry by entry."""
    element.clear()
    while element.getprevious() is not None:
        del element.getparent()[0]
