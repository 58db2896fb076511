"""CAMT.053, the bank statement of ISO 20022, streamed with lxml: no entity, no DTD, no network."""

from collections.abc import Generator, Iterator
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any, BinaryIO

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from lxml import etree

from tenant_apps.reconciliation.errors import CannotRead
from tenant_apps.reconciliation.reading import returns
from tenant_apps.reconciliation.reading.rows import ReadRow, UnreadableRow
from tenant_apps.reconciliation.reading.words import speaks_of_return
from tenant_apps.reconciliation.reading.xml import SETTINGS, children, forget, local, money, refuse_doctype
from toolkit.clock import PARIS


def account_of(stream: BinaryIO) -> str:
    """The account of the first statement in the file; empty when it cannot be read (`read` says why)."""
    stream.seek(0)
    try:
        for event, element in etree.iterparse(stream, events=("start", "end"), **SETTINGS):
            if event == "start" and element.getparent() is None:
                refuse_doctype(element)
            elif event == "end" and local(element) == "Acct":
                return _account(element)
    except (etree.XMLSyntaxError, CannotRead):
        pass
    return ""


def read(stream: BinaryIO) -> Generator[ReadRow | UnreadableRow, None, None]:
    """Yield each entry, or each transaction of a grouped entry that gives its own amount.

    A day without movement yields nothing. Raises CannotRead.
    """
    stream.seek(0)
    number, begun, is_statement, account = 0, False, False, ""
    try:
        for event, element in etree.iterparse(stream, events=("start", "end"), **SETTINGS):
            name = local(element)
            if event == "start":
                if not begun:
                    refuse_doctype(element)
                    begun = True
                is_statement = is_statement or name == "BkToCstmrStmt"
                continue
            parent = element.getparent()
            if name == "Acct" and parent is not None and local(parent) == "Stmt":
                account = _account(element)
            elif name == "Ntry":
                for row in _entry(element, account):
                    number += 1
                    yield row(number)
                forget(element)
    except etree.XMLSyntaxError as error:
        sentence = _("Ce relevé XML est coupé ou abîmé : %(error)s")
        raise CannotRead(sentence % {"error": str(error)[:120]}) from None
    if not number and not is_statement:
        raise CannotRead(
            gettext_lazy("Ce fichier XML n'est pas un relevé CAMT.053 : aucune écriture n'y figure.")
        )


def _account(element: Any) -> str:
    return _text(element, "Id", "IBAN") or _text(element, "Id", "Othr", "Id")


def _entry(entry: Any, account: str) -> Iterator[Any]:
    """Functions that make the rows of one entry, given their number."""
    outgoing = _text(entry, "CdtDbtInd") == "DBIT"
    days = (("BookgDt", "Dt"), ("BookgDt", "DtTm"), ("ValDt", "Dt"), ("ValDt", "DtTm"))
    total = _text(entry, "Amt")
    # CdtDbtInd is this entry's own direction: a reversal with DBIT takes a credit back.
    reversal = _text(entry, "RvslInd") in ("true", "1")
    details = [d for group in children(entry, "NtryDtls") for d in children(group, "TxDtls")]
    common: dict[str, Any] = {
        "day": next(filter(None, (_text(entry, *path) for path in days)), ""),
        "outgoing": outgoing,
        "booked": (_text(entry, "Sts", "Cd") or _text(entry, "Sts") or "BOOK") == "BOOK",
        "account": account,
        "bank_reference": _text(entry, "AcctSvcrRef") or _text(entry, "NtryRef"),
        "currency": _currency(entry),
    }
    extra = _text(entry, "AddtlNtryInf")
    amounts = [_transaction_amount(one) for one in details]
    whole = len(details) > 1 and _sum(amounts) != money(total)
    if len(details) < 2 or whole:
        parts = [_words(one) for one in details]
        doubt = _("Écriture groupée dont le détail ne donne pas le total.") if whole else ""
        one = details[0] if len(details) == 1 else None
        yield _maker(
            **common,
            amount=total,
            label=" ".join(filter(None, [*parts, extra])),
            payer=_payer(one),
            reference=_end_to_end(one),
            doubt=doubt,
            given_back=_given_back(entry, one if one is not None else entry, reversal),
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
            given_back=_given_back(entry, detail, reversal),
        )


def _given_back(entry: Any, detail: Any, reversal: bool) -> str | None:
    """Why the bank returns money, in words (empty when it gives no reason); None for any other entry."""
    code = _text(detail, "RtrInf", "Rsn", "Cd") or _text(detail, "RtrInf", "Rsn", "Prtry")
    words = _text(detail, "RtrInf", "AddtlInf")
    families = {_text(one, "BkTxCd", "Domn", "Fmly", "SubFmlyCd") for one in (entry, detail)}
    if not (reversal or children(detail, "RtrInf") or families & returns.FAMILIES):
        return None
    return returns.in_words(code, words or ("" if code else _words(detail)))


def _maker(
    *,
    day: str,
    outgoing: bool,
    booked: bool,
    account: str,
    bank_reference: str,
    currency: str,
    amount: str,
    label: str,
    payer: str,
    reference: str,
    doubt: str,
    given_back: str | None,
) -> Any:
    raw = {
        "date": day,
        "montant": f"-{amount}" if outgoing else amount,
        "libellé": label[:300],
        "donneur d'ordre": payer,
        "référence": reference,
        "motif du retour": given_back or "",
        "compte": account,
    }

    def make(number: int) -> ReadRow | UnreadableRow:
        shown = {name: text for name, text in raw.items() if text}
        euros = money(amount)
        if not booked:
            return UnreadableRow(
                number, _("Cette écriture n'est pas encore comptabilisée par la banque."), shown
            )
        if euros is None or euros <= 0:
            return UnreadableRow(
                number, _("« Amt » (« %(value)s ») n'est pas un montant.") % {"value": amount[:20]}, shown
            )
        if currency not in ("", "EUR"):
            return UnreadableRow(
                number, _("« Amt » est en %(currency)s et non en euros.") % {"currency": currency}, shown
            )
        booked_on = _day(day)
        if booked_on is None:
            sentence = _("« BookgDt » (« %(value)s ») n'est pas une date.")
            return UnreadableRow(number, sentence % {"value": day[:20]}, shown)
        returned = outgoing and (given_back is not None or speaks_of_return(label))
        reason = given_back if given_back is not None else returns.in_words("", label)
        again = _("La banque annule ou rend une opération antérieure : ce n'est pas un règlement ordinaire.")
        return ReadRow(
            number=number,
            booked_on=booked_on,
            amount=euros,
            outgoing=outgoing,
            returned=returned,
            return_reason=reason[:200] if returned else "",
            payer_name=payer[:140],
            label=" ".join(filter(None, [label, reference]))[:300],
            account=account,
            bank_reference=f"{bank_reference} {reference}".strip()[:120],
            doubt=doubt or (again if given_back is not None and not outgoing else ""),
            raw=shown,
        )

    return make


def _day(text: str) -> date | None:
    """A date, or the date in Paris of a time: banks write times in UTC."""
    try:
        if len(text) > 10:
            moment = datetime.fromisoformat(text)
            return moment.astimezone(PARIS).date() if moment.tzinfo else moment.date()
        return date.fromisoformat(text[:10])
    except ValueError:
        try:  # XML allows a zone after a date without time
            return date.fromisoformat(text[:10])
        except ValueError:
            return None


def _transaction_amount(detail: Any) -> str:
    return (
        _text(detail, "Amt")
        or _text(detail, "AmtDtls", "TxAmt", "Amt")
        or _text(detail, "AmtDtls", "InstdAmt", "Amt")
    )


def _sum(amounts: list[str]) -> Decimal | None:
    found = [money(amount) for amount in amounts]
    return None if None in found else sum((one for one in found if one is not None), Decimal("0.00"))


def _words(detail: Any) -> str:
    """All texts of a transaction, in order. A number cut between two lines is also given in one piece."""
    infos = children(detail, "RmtInf")
    lines = [" ".join((one.text or "").split()) for info in infos for one in children(info, "Ustrd")]
    structured = [text for info in infos for one in children(info, "Strd") for text in _structured(one)]
    said = [*lines, *_rejoined(lines), *structured, _text(detail, "AddtlTxInf")]
    return " ".join(" ".join(dict.fromkeys(filter(None, said))).split())


def _structured(remittance: Any) -> list[str]:
    """The creditor's reference, the numbers of the documents, and the additional texts."""
    numbers = [_text(one, "Nb") for one in children(remittance, "RfrdDocInf")]
    added = [" ".join((one.text or "").split()) for one in children(remittance, "AddtlRmtInf")]
    return [_text(remittance, "CdtrRefInf", "Ref"), *numbers, *added]


def _rejoined(lines: list[str]) -> list[str]:
    """« 2026-T- » at the end of a line and « 0008 » at the start of the next are one number."""
    found = []
    for one, other in pairwise(lines):
        if not one or not other:
            continue
        whole = one.split()[-1] + other.split()[0]
        if sum(sign.isalnum() for sign in whole) >= 6 and any(sign.isdigit() for sign in whole):
            found.append(whole)
    return found


def _end_to_end(detail: Any) -> str:
    found = _text(detail, "Refs", "EndToEndId") if detail is not None else ""
    return "" if found == "NOTPROVIDED" else found


def _payer(detail: Any) -> str:
    """The debtor, and the person he pays for when the bank names both."""
    if detail is None:
        return ""
    names = []
    for role in ("Dbtr", "UltmtDbtr"):
        names.append(_text(detail, "RltdPties", role, "Nm") or _text(detail, "RltdPties", role, "Pty", "Nm"))
    return " / ".join(dict.fromkeys(filter(None, names)))


def _currency(entry: Any) -> str:
    found = children(entry, "Amt")
    return str(found[0].get("Ccy", "")) if found else ""


def _text(element: Any, *path: str) -> str:
    for name in path:
        found = children(element, name)
        if not found:
            return ""
        element = found[0]
    return " ".join((element.text or "").split())
