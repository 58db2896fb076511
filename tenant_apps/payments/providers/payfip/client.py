"""Our client of PayFiP's web service: three calls with zeep, on the WSDL in this folder (docs/payfip.md §2).

The service has no login, certificate or signature: only an answer to our own question is proof. Anybody who knows
an unused idOp can open its page, so our logs and errors never contain one.
"""

import logging
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from threading import local
from typing import Any
from urllib.parse import urlencode

import requests
from django.utils.translation import gettext_lazy as _
from lxml import etree
from zeep import Client, Plugin, Settings
from zeep.exceptions import Error as ZeepError
from zeep.exceptions import Fault

from tenant_apps.payments.errors import ProviderUnavailable
from tenant_apps.payments.providers.base import (
    Call,
    CallbackAddress,
    Capabilities,
    Notification,
    Outcome,
    PaymentRequest,
    ReportedStatus,
    Started,
    Status,
    differences,
)
from tenant_apps.payments.providers.payfip import fields, words
from tenant_apps.payments.providers.payfip.contract import CONTRACT
from tenant_apps.payments.providers.payfip.transport import BoundedTransport
from tenant_apps.payments.providers.schedule import Schedule
from toolkit.clock import PARIS
from toolkit.money import from_cents

BINDING = (
    "{http://securite.service.tpa.cp.finances.gouv.fr/services/mas_securite/"
    "contrat_paiement_securise/PaiementSecuriseService}PaiementSecuriseServiceSoapBinding"
)
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
RESULTS = {
    "P": Outcome.PAID_CARD,
    "V": Outcome.PAID_DEBIT,
    "R": Outcome.REFUSED_CARD,
    "Z": Outcome.REFUSED_DEBIT,
    "A": Outcome.ABANDONED,
}
WAITING = {"P1": Outcome.UNKNOWN, "P3": Outcome.USED, "P4": Outcome.TOO_OLD, "P5": Outcome.PENDING}
# The errors of zeep on well-formed XML that is no answer (an empty Body, a wrong type).
STUMBLES = (ValueError, TypeError, LookupError, AttributeError)
IDOP = r"[A-Za-z0-9-]{6,64}"
OPENING_MEANS = ("card", "debit")  # after one X payment by each, the product is open on the next working day
# docs/payfip.md §2. An idOp can be opened within fifteen minutes, then the answer is P4. An opened page (P3) ends five
# minutes later (decision 0030), an unanswered attempt (P5) after two hours (docs/manual.md, M11).
TREASURY_SCHEDULE = Schedule(
    opening=timedelta(minutes=15),
    opened=timedelta(minutes=20),
    reserved_for=timedelta(minutes=120),
    abandon_again=timedelta(minutes=2),
    after_failure=timedelta(minutes=30),
    forgets_overnight=True,
)
# Fields that a forged notification may have. PayFiP itself sends only the idOp.
CLAIMS = ("resultrans", "montant", "numcli", "refdet", "numauto", "saisie")
LONGEST = 100  # characters kept of a field that anybody can send
log = logging.getLogger(__name__)


class ServiceFault(Exception):
    """A SOAP Fault of the service: its class, code and text."""

    def __init__(self, kind: str, code: str, words: str) -> None:
        super().__init__(f"{kind} {code}")
        self.kind, self.code, self.words = kind, code, words

    @property
    def is_functional(self) -> bool:
        return self.kind == "FonctionnelleErreur" and self.code != "999"


class PayFiP:
    """The client of the web service. It is thread-safe: each thread has its own HTTP session and zeep client."""

    name = "payfip"
    capabilities = Capabilities(
        is_online=True,
        can_be_asked=True,
        opens_popup=False,
        limits=fields.LIMITS,
        opening_means=OPENING_MEANS,
    )
    schedule = TREASURY_SCHEDULE
    labels = words.TreasuryLabels()
    reasons = words.TreasuryReasons()
    personal_fields = fields.PERSONAL
    secret_fields = frozenset({"idop", "idOp"})
    test_debt = fields.NO_DEBT

    def __init__(self, *, service_url: str, payment_url: str, timeout: float = 15) -> None:
        self._service_url, self._payment_url, self._timeout = service_url, payment_url, timeout
        self._threads = local()
        self.callback_addresses = (
            CallbackAddress("payfip-notification", "payfip/notification/", self._read_call),
        )

    def product_problem(self, merchant: str) -> str:
        """What is wrong with a numcli, which has six digits; empty when it is correct."""
        return fields.product_problem(merchant)

    def identify(self, merchant: str) -> tuple[str, ...]:
        """The lines that the Treasury shows for a numcli (recupererDetailClient), without empty ones."""
        return tuple(line for line in self.client_details(merchant) if line)

    def callback_path(self, token: str) -> str:
        """The path of urlnotif, the same for all attempts: the call names the idOp."""
        return "payfip/notification/"

    def start(self, request: PaymentRequest) -> Started:
        """Open a payment (creerPaiementSecurise). Raises ProviderRefused, even before the call.

        Raises ProviderUnavailable without a usable answer.
        """
        asked = fields.creation(request)
        try:
            idop = _text(self._call("creerPaiementSecurise", asked), "idOp")
        except ServiceFault as fault:
            if fault.is_functional:
                raise fields.refusal(fault.code, fault.words) from None
            raise _unavailable(fault.kind, fault.code, fault.words) from None
        if not re.fullmatch(IDOP, idop):  # we put it in an address and a column, so we refuse an unusual one
            raise _unavailable("no usable idOp", "", "")
        return Started(url=self.page(idop), operation=idop)

    def page(self, operation: str) -> str:
        """The Treasury's payment page of an idOp. It opens once, within fifteen minutes."""
        return f"{self._payment_url}?{urlencode({'idop': operation})}"

    def fetch_status(self, operation: str) -> Status:
        """Ask for the result (recupererDetailPaiementSecurise); changes nothing. Raises ProviderUnavailable."""
        try:
            answer = self._call("recupererDetailPaiementSecurise", {"idOp": operation})
        except ServiceFault as fault:
            if fault.kind == "FonctionnelleErreur" and fault.code in WAITING:
                return Status(WAITING[fault.code], raw={"fault": fault.code, "words": fault.words})
            raise _unavailable(fault.kind, fault.code, fault.words) from None
        found = {name: _text(answer, name) for name in DETAIL}
        if not any(found.values()):
            raise _unavailable("an answer that says nothing", "", "")
        if found["idOp"] not in ("", operation):
            # Attempts on one invoice have the same reference and amount; only the idOp distinguishes them.
            log.error("PayFiP answered about another operation than the one asked about")
            return Status(Outcome.OTHER, raw={"idOp": "another operation", "resultrans": found["resultrans"]})
        return read_detail(found)

    def read_notification(self, given: Mapping[str, str], *, token: str = "") -> ReportedStatus | None:
        """The result that a call claims beside its idOp, kept as evidence and never applied; None without one."""
        said = {name: clean(str(given[name])) for name in CLAIMS if name in given}
        return ReportedStatus(self.read_answer(said)) if said else None

    def read_answer(self, raw: Mapping[str, str]) -> Status:
        """The Status of a kept answer or of a kept fault."""
        if "fault" in raw:
            return Status(WAITING.get(raw["fault"], Outcome.OTHER), raw=raw)
        return read_detail(raw)

    def compare(self, asked: PaymentRequest, status: Status) -> list[str]:
        """The names of those of numcli, refdet, montant and saisie that differ."""
        return differences(asked, status, merchant=words.MERCHANT)

    def _read_call(self, call: Call) -> Notification | None:
        """Read the idOp of a GET or POST call, named `idop` or `idOp`, in the query or in the body."""
        said = dict(call.fields)
        idop = said.pop("idop", "") or said.pop("idOp", "")
        return Notification(idop, said) if idop else None

    def client_details(self, numcli: str) -> tuple[str, str, str]:
        """The three lines that the Treasury shows for a numcli (recupererDetailClient).

        Raises ProductRefused (unknown number) or ProviderUnavailable.
        """
        try:
            answer = self._call("recupererDetailClient", {"numCli": numcli})
        except ServiceFault as fault:
            if fault.is_functional:
                raise fields.refusal(fault.code, fault.words) from None
            raise _unavailable(fault.kind, fault.code, fault.words) from None
        return (_text(answer, "libelleN1"), _text(answer, "libelleN2"), _text(answer, "libelleN3"))

    def _call(self, operation: str, argument: dict[str, str]) -> Any:
        """Make one call, without retrying. Raises ServiceFault, or ProviderUnavailable without a usable answer."""
        try:
            answer = getattr(self._service(), operation)(arg0=argument)
        except Fault as fault:
            raise _service_fault(fault) from None
        except (ZeepError, etree.LxmlError, requests.RequestException, *STUMBLES) as error:
            raise _unavailable(type(error).__name__, "", "") from None
        if answer is None:
            raise _unavailable("empty answer", "", "")
        return answer

    def _service(self) -> Any:
        """The zeep proxy of this thread."""
        found = getattr(self._threads, "service", None)
        if found is None:
            client = Client(
                str(CONTRACT),
                transport=BoundedTransport(timeout=self._timeout),
                plugins=[KnownFieldsOnly()],
                # Strict: zeep must not repair a truncated envelope into an answer with missing fields.
                settings=Settings(strict=True, forbid_dtd=True, xsd_ignore_sequence_order=True),
            )
            found = self._threads.service = client.create_service(BINDING, self._service_url)
        return found


class KnownFieldsOnly(Plugin):
    """A zeep plugin that ignores unknown fields, so that a new field does not make an answer unreadable."""

    def ingress(self, envelope: Any, http_headers: Any, operation: Any) -> tuple[Any, Any]:
        """Remove the children of `return` that the WSDL does not have, and what zeep cannot read."""
        etree.strip_tags(envelope, etree.ProcessingInstruction)  # one inside a value would cut the value
        envelope = _prefixed(envelope)
        for result in envelope.iter("return"):
            for child in list(result):
                if child.tag not in KNOWN:
                    result.remove(child)
        return envelope, http_headers


def _prefixed(envelope: Any) -> Any:
    """The envelope with a namespace prefix. Without one, zeep does not find the detail of a fault."""
    if envelope.nsmap.get(None) != SOAP:
        return envelope
    rewritten = etree.Element(envelope.tag, nsmap={"soap": SOAP})
    for part in list(envelope):
        body = etree.SubElement(rewritten, part.tag)
        for content in list(part):
            inner = etree.SubElement(body, content.tag)
            inner.text = content.text
            inner.extend(list(content))
    return rewritten


DETAIL = (
    *("dattrans", "exer", "heurtrans", "idOp", "mel", "montant", "numauto"),
    *("numcli", "objet", "refdet", "resultrans", "saisie"),
)


KNOWN = frozenset((*DETAIL, "libelleN1", "libelleN2", "libelleN3"))


def read_detail(answer: Mapping[str, str]) -> Status:
    """The Status of the fields of an answer. An unknown or missing code is OTHER, which staff must decide."""
    return Status(
        outcome=RESULTS.get(answer.get("resultrans", ""), Outcome.OTHER),
        amount=read_amount(answer.get("montant", "")),
        reference=answer.get("refdet") or None,
        merchant=answer.get("numcli") or None,
        mode=answer.get("saisie") or None,
        paid_at=paris_time(answer.get("dattrans", ""), answer.get("heurtrans", "")),
        authorization=answer.get("numauto", ""),
        raw={name: value for name, value in answer.items() if name != "idOp" and value},
    )


def clean(value: str) -> str:
    """`value` cut to LONGEST, without NUL characters, which the database refuses."""
    return "".join(c if c.isprintable() else "\ufffd" for c in value[:LONGEST])


def paris_time(dattrans: str, heurtrans: str) -> datetime | None:
    """DDMMYYYY and HHMM in Paris time as an aware datetime; None when missing, malformed or impossible."""
    if len(dattrans) != 8 or len(heurtrans) != 4:
        return None
    try:
        found = datetime.strptime(f"{dattrans} {heurtrans}", "%d%m%Y %H%M")  # noqa: DTZ007 - given its zone below
    except ValueError:
        return None
    return found.replace(tzinfo=PARIS) if 2000 <= found.year < 2100 else None


def read_amount(montant: str) -> Decimal | None:
    """Cents, as the Treasury writes them, in euros; None for an amount that we never ask."""
    return from_cents(int(montant)) if re.fullmatch(r"[0-9]{1,9}", montant) else None


def _text(answer: Any, name: str) -> str:
    """A field of an answer. If an operation returns a single field, zeep gives its value alone."""
    value = answer if isinstance(answer, str) else getattr(answer, name, None)
    return "" if value is None else str(value).strip()


def _service_fault(fault: Fault) -> Exception:
    """A ServiceFault, or ProviderUnavailable when the fault is not one of the service's four."""
    detail = fault.detail
    if detail is None or not hasattr(detail, "iter"):
        return _unavailable("a fault without detail", "", str(fault.message or "")[:200])
    for element in detail.iter():
        kind = etree.QName(element).localname if isinstance(element.tag, str) else ""
        if kind in FAULTS:
            words = {etree.QName(child).localname: (child.text or "").strip() for child in element}
            said = words.get("libelle") or words.get("message") or words.get("descriptif") or ""
            return ServiceFault(kind, words.get("code", ""), said[:200])
    return _unavailable("an unknown fault", "", str(fault.message or "")[:200])


FAULTS = (
    "FonctionnelleErreur",
    "TechDysfonctionnementErreur",
    "TechIndisponibiliteErreur",
    "TechProtocolaireErreur",
)


def _unavailable(kind: str, code: str, words: str) -> ProviderUnavailable:
    log.warning("PayFiP gave no usable answer: %s %s", kind, code)
    return ProviderUnavailable(
        _(
            "Le service de paiement du Trésor public ne répond pas. "
            "Rien n'a été débité : réessayez dans une demi-heure."
        ),
        code=code or kind,
        detail=words,
    )
