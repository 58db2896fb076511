"""A resident who pays, over real HTTP; and what must be true of each payment in the end."""

import re
import threading
import uuid
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests

from tests.demo import wait
from tests.faults.stack import Stack

EMAIL = "resident@example.net"


@dataclass
class Payer:
    """Signs in once."""

    stack: Stack
    session: requests.Session = field(default_factory=requests.Session)

    def sign_in(self) -> "Payer":
        self._post("/", {"email": EMAIL, "password": "facture"}, page="/")
        return self

    def pay(self, invoice: "Bill") -> str | None:
        """Press the button; the idOp in the address one is sent to, or None for a refusal (409)."""
        path = f"/factures/{invoice.uuid}/payer/"
        answer = self._post(path, {}, page=path)
        if answer.status_code != 302:
            assert answer.status_code == 409, (answer.status_code, answer.text[:2000])
            return None
        return parse_qs(urlsplit(answer.headers["Location"]).query)["idop"][0]

    def press_and_lose_the_answer(self, invoice: "Bill") -> threading.Thread:
        """The same in the background, for a web that is about to die."""
        path = f"/factures/{invoice.uuid}/payer/"
        token = self._token(path)

        def go() -> None:
            try:
                self._send(path, {"csrfmiddlewaretoken": token})
            except requests.RequestException:
                """As it was to be."""

        thread = threading.Thread(target=go, daemon=True)
        thread.start()
        return thread

    def comes_back(self, invoice: "Bill") -> int:
        """The page after the payment; 0 when nobody answers."""
        try:
            return self.session.get(
                self.stack.url(f"/factures/{invoice.uuid}/retour/"), headers=self.stack.host(), timeout=30
            ).status_code
        except requests.RequestException:
            return 0

    def _post(self, path: str, data: dict[str, str], *, page: str) -> requests.Response:
        return self._send(path, {"csrfmiddlewaretoken": self._token(page), **data})

    def _token(self, page: str) -> str:
        found = self.session.get(self.stack.url(page), headers=self.stack.host(), timeout=30)
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', found.text)
        assert token, (found.status_code, found.text[:2000])
        return token[1]

    def _send(self, path: str, data: dict[str, str]) -> requests.Response:
        return self.session.post(
            self.stack.url(path), data=data, headers=self.stack.host(), timeout=60, allow_redirects=False
        )


@dataclass(frozen=True)
class Bill:
    """An invoice of the resident."""

    stack: Stack
    pk: int
    uuid: str
    number: str
    reference: str
    amount: Decimal

    def attempts(self) -> list[tuple[str, str | None]]:
        """(state, idop), the oldest first."""
        return self.stack.ask(  # type: ignore[return-value]
            "SELECT state, operation FROM payments_attempt WHERE invoice_id = %s ORDER BY id", self.pk
        )

    def state(self) -> str:
        """Of the last attempt."""
        return next(iter(self.attempts()[-1:]), ("", ""))[0]

    def paid(self) -> Decimal:
        ((paid,),) = self.stack.ask("SELECT paid FROM invoices_invoice WHERE id = %s", self.pk)
        return Decimal(paid)

    def receipts(self) -> list[tuple[str, bool]]:
        """(state, maybe_twice) of the receipts in the outbox."""
        return self.stack.ask(  # type: ignore[return-value]
            "SELECT m.state, m.maybe_twice FROM mail_outgoingmail m JOIN payments_payment p "
            "ON m.key LIKE 'receipt:' || p.uuid || ':%%' JOIN payments_attempt a ON a.id = p.attempt_id "
            "WHERE a.invoice_id = %s",
            self.pk,
        )

    def caught(self) -> list[dict[str, Any]]:
        """The receipts that really arrived."""
        return [
            mail
            for mail in self.stack.mails()
            if "règlement est enregistré" in mail["subject"] and self.number in mail["text"]
        ]

    def _told(self) -> bool:
        states = [state for state, _ in self.receipts()]
        if states == ["sending"]:  # by a worker that is dead: ten minutes later another one takes it
            self.stack.later()
        return states == ["sent"]

    def settles(self, *, may_repeat: bool | None = False) -> None:
        """Nobody clicks: paid once, to the cent, told once (twice and marked if it `may_repeat`; None: perhaps)."""
        wait(lambda: self.paid() == self.amount and self.receipts())
        wait(lambda: self._told())
        payments = self.stack.ask(
            "SELECT p.amount, p.provider_reference FROM payments_payment p "
            "JOIN payments_allocation a ON a.payment_id = p.id WHERE a.invoice_id = %s",
            self.pk,
        )
        paid = [idop for state, idop in self.attempts() if state == "paid"]
        assert payments == [(self.amount, paid[0])], payments
        at_the_treasury = [o for o in self.stack.operations(self.reference) if o["result"] in ("P", "V")]
        assert [o["idop"] for o in at_the_treasury] == paid  # its truth is ours
        ((_, twice),) = self.receipts()
        assert may_repeat is None or twice == may_repeat
        copies = self.caught()
        assert len(copies) == 1 or (twice and len(copies) == 2), [mail["subject"] for mail in copies]


def pays(stack: Stack, idop: str | None, **options: object) -> None:
    """As if the payer had pressed « Payer » on the Treasury's page; it notifies us unless `notify` is 0."""
    stack.simulator("POST", f"operations/{idop}/pay", **options)


def new_bill(stack: Stack) -> Bill:
    """One more invoice for the resident, like those of the demonstration."""
    mark = uuid.uuid4().hex[:10].upper()
    ((pk, public_id, amount),) = stack.ask(
        "INSERT INTO invoices_invoice SELECT (jsonb_populate_record(i, jsonb_build_object("
        "'id', nextval(pg_get_serial_sequence('invoices_invoice', 'id')), 'uuid', gen_random_uuid(), "
        "'number', %s::text, 'reference', %s::text, 'due_on', current_date + 30, "
        "'amount', 10 + (random() * 90)::int))).* "
        "FROM invoices_invoice i WHERE number = '2016-001-000096' RETURNING id, uuid, amount",
        f"F-{mark}",
        f"2016{mark}",
    )
    return Bill(stack, pk, str(public_id), f"F-{mark}", f"2016{mark}", Decimal(amount))
