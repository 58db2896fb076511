"""A paper invoice as a proof: its number, its amount and its payment reference (decision 36).

A stranger must learn nothing from the answer or from its duration: neither which of the three is wrong, nor whether
the invoice exists. So every copy is looked up by the same SQL statements and counted the same number of times,
whatever is found. What would take longer (an account, a message) is left to the worker (residents.access_requests).
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.db import transaction

from shared_apps.accounts.errors import TooManyTries
from shared_apps.accounts.models import Account
from shared_apps.accounts.throttling import throttle
from shared_apps.audit import services as audit
from tenant_apps.invoices.models import Invoice
from tenant_apps.invoices.states import InvoiceState
from tenant_apps.products import references
from tenant_apps.products.queries import products
from tenant_apps.residents.access_requests import services
from tenant_apps.residents.access_requests.services import Outcome
from tenant_apps.residents.models import AccessRequest, Payer
from tenant_apps.townhall.models import AccessRequestMode
from tenant_apps.townhall.queries import current_townhall
from toolkit import clock

MONTHS = 24  # an older invoice proves nothing
GUESSES = 5  # wrong copies for one number, one reference or one payer, within throttle.WINDOW
WRONG = throttle.Limit("claim", GUESSES)
# extra counters, so that every copy costs the same number of statements
NOBODY = throttle.Limit("claim-nobody", throttle.UNBOUNDED)
LOCK = timedelta(hours=1)
MOST = 4  # payers that are counted for one copy, or extra counters in their place


@dataclass(frozen=True)
class InvoiceCopy:
    """The three values that a person copied from a paper invoice. `amount` in euros."""

    number: str
    amount: Decimal
    reference: str


@transaction.atomic
def request_access(*, actor: Account, copy: InvoiceCopy) -> Outcome | None:
    """Ask for access to the payer of that invoice, for a signed-in resident.

    None when the copy proves nothing, whatever the reason. Raises NotWhileImpersonating.
    """
    invoice = _proved(copy)
    if invoice is None:
        return None
    return services.open_access_request(
        actor=actor, payer_id=invoice.payer_id, invoice=invoice.uuid, number=invoice.number
    )


@transaction.atomic
def request_access_by_mail(*, email: str, copy: InvoiceCopy) -> None:
    """The same without a session. A right copy sends a message to `email`; the caller's answer is always the same."""
    invoice = _proved(copy)
    services.ask_by_mail(
        email=email,
        payer_id=invoice.payer_id if invoice else None,
        invoice=invoice.uuid if invoice else None,
        number=invoice.number if invoice else "",
    )


def confirm_access_request(*, token: str, password: str = "") -> Outcome:
    """Use the link of an access request (residents.access_requests)."""
    return services.confirm_access_request(token=token, password=password, holds=_holds)


def accept_access_request(*, actor: audit.Actor, access_request: AccessRequest) -> AccessRequest:
    """Accept an access request, for staff (residents.access_requests)."""
    return services.accept_access_request(actor=actor, access_request=access_request, holds=_holds)


def _holds(access_request: AccessRequest) -> bool:
    """Whether the invoice of the access request is still online, with the same payer."""
    if access_request.invoice is None:
        return False
    online = Invoice.objects.filter(state=InvoiceState.PUBLISHED)
    return online.filter(uuid=access_request.invoice, payer=access_request.payer_id).exists()


def _proved(copy: InvoiceCopy) -> Invoice | None:
    """The invoice that the copy proves, or None.

    A wrong copy counts against its number, its reference and the payers near it. It is counted before it is compared,
    so that copies sent at the same time count as separate guesses.
    """
    is_open = current_townhall().payer_claims != AccessRequestMode.OFF
    near = _near(copy)
    typed = [f"number:{_bare(copy.number)}", f"reference:{_bare(copy.reference)}"]
    payers = {invoice.payer_id: invoice.payer for invoice in near}
    keys = [*typed, *(f"payer:{pk}" for pk in payers)][: 2 + MOST]
    padding = [(NOBODY, str(place)) for place in range(2 + MOST - len(keys))]
    try:
        with throttle.take(*((WRONG, key) for key in keys), *padding) as tries:
            right = next((invoice for invoice in near if _is(invoice, copy)), None)
            locked = any(_is_locked(payer) for payer in payers.values())
            if right is not None and is_open and not locked:
                tries.succeed()
                return right
    except TooManyTries:
        return None
    if GUESSES in tries.counts[: len(keys)]:
        _lock(list(payers.values()))
    return None


def _near(copy: InvoiceCopy) -> list[Invoice]:
    """Recent invoices online with that reference (this includes the right one), then those with that number."""
    today = clock.today()
    number, reference = _number(copy.number), references.canonical(copy.reference)
    years = range(today.year - MONTHS // 12 - 1, today.year + 2)
    ours = list(products().values_list("pk", flat=True))  # first column of the indexes
    recent = Invoice.objects.filter(
        product__in=ours, state=InvoiceState.PUBLISHED, issued_on__gte=_oldest(today)
    ).select_related("payer")
    same_reference = recent.filter(reference=reference).order_by("id")
    same_number = recent.filter(fiscal_year__in=years, number__in=_cases(number)).order_by("-id")[:MOST]
    return list({invoice.pk: invoice for invoice in (*same_reference, *same_number)}.values())


def _cases(typed: str) -> list[str]:
    return [typed, typed.upper(), typed.lower()]


def _is(invoice: Invoice, copy: InvoiceCopy) -> bool:
    """Whether the three values are those of the invoice. The amount may be the one before or after an avoir."""
    return (
        _bare(invoice.number) == _bare(copy.number)
        and _bare(invoice.reference) == _bare(copy.reference)
        and copy.amount in (invoice.original_amount, invoice.amount)
    )


def _number(typed: str) -> str:
    return re.sub(r"^n\s*[°º]\s*", "", " ".join(typed.split()), flags=re.IGNORECASE)


def _bare(typed: str) -> str:
    """Only letters and digits, in lower case: spaces and hyphens do not matter."""
    plain = unicodedata.normalize("NFKC", _number(typed)).lower()
    return re.sub(r"[\W_]+", "", plain)


def _oldest(today: date) -> date:
    month = today.year * 12 + today.month - 1 - MONTHS
    return date(month // 12, month % 12 + 1, min(today.day, 28))


def _is_locked(payer: Payer) -> bool:
    return payer.access_requests_locked_until is not None and payer.access_requests_locked_until > clock.now()


def _lock(payers: list[Payer]) -> None:
    """Refuse access requests for these payers for `LOCK`.

    An empty list costs the same SQL statements and records the same fact.
    """
    until = clock.now() + LOCK
    Payer.objects.filter(pk__in=[0, *(payer.pk for payer in payers)]).update(
        access_requests_locked_until=until
    )
    audit.record(
        "claims.locked",
        actor=audit.SYSTEM,
        obj=f"payer:{payers[0].uuid}" if payers else "",
        new={"payers": sorted(payer.pk for payer in payers), "until": until.isoformat()},
    )
