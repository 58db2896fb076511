"""What is heard at the Treasury's callback host (docs/payfip.md §2-§3). It proves nothing: the poller looks, now."""

from collections.abc import Mapping

from django.utils import timezone
from django.utils.translation import gettext_noop as _  # kept in rows: toolkit.words

from tenant_apps.invoices.models import Invoice
from tenant_apps.payments.control.auditing import plan_audit
from tenant_apps.payments.control.findings import report
from tenant_apps.payments.locking import lock_attempt
from tenant_apps.payments.models import Attempt, FindingKind
from tenant_apps.payments.online.moves import note
from tenant_apps.payments.online.returns import ENOUGH, read_callback
from tenant_apps.payments.online.trials import hear_trial_bell, read_trial_callback
from tenant_apps.payments.providers.payfip.client import RESULTS
from tenant_apps.payments.queries import last_attempt
from tenant_apps.payments.states import AttemptState
from tenants.databases.postgresql.again import atomic_again
from tenants.work import agenda

CLAIMS = ("resultrans", "montant", "numcli", "refdet", "numauto", "saisie")
LONGEST = 100


@atomic_again
def hear_payfip_bell(token: str, fields: Mapping[str, str]) -> None:
    """A notification: the attempt is looked at now. One that rings after the end changes nothing."""
    attempt = Attempt.objects.filter(idop=token).first() if claimed(fields) else None
    if attempt is not None:  # first: it takes the invoices, which come before the attempt
        keep_claim(attempt, fields, source="notification")
    found = Attempt.objects.filter(idop=token).exclude(state=AttemptState.PAID)
    if not found.update(next_check_at=timezone.now()):
        hear_trial_bell(token)
    agenda.wake("payments")
    plan_audit()  # the attempt may be of last month


def hear_tipi_bell(token: str, fields: Mapping[str, str]) -> None:
    """TIPI's urlcl: unsigned, so at best « reported »; see `callback`."""
    if not read_trial_callback(token=token, fields=fields):
        read_callback(token=token, fields=fields)


def hear_return(*, invoice: Invoice, fields: Mapping[str, str]) -> None:
    """The payer's browser came back and says more than an idOp. The caller has asked the Treasury already."""
    attempt = last_attempt(invoice) if claimed(fields) else None
    if attempt is not None:
        keep_claim(attempt, fields, source="return")


def claimed(fields: Mapping[str, str]) -> dict[str, str]:
    """What a message pretends about a payment; PayFiP itself sends an idOp and nothing else."""
    return {
        name: "".join(c if c.isprintable() else "\ufffd" for c in str(fields[name])[:LONGEST])
        for name in CLAIMS
        if name in fields
    }


@atomic_again
def keep_claim(attempt: Attempt, fields: Mapping[str, str], *, source: str) -> None:
    """Somebody told us a result instead of letting us ask: kept as evidence, shown to staff, never applied."""
    said = claimed(fields)
    outcome = RESULTS.get(said.get("resultrans", ""))
    claims_money = outcome is not None and outcome.is_paid
    if not said:
        return
    attempt = lock_attempt(attempt.pk).attempt  # somebody may be settling it at this moment
    if claims_money and attempt.state == AttemptState.PAID:
        return
    if attempt.events.count() < ENOUGH:
        note(attempt, source=source, note=_("Un résultat a été affirmé : non appliqué."), raw=said)
    if claims_money:
        report(FindingKind.CLAIM, about=str(attempt.uuid), attempt=attempt, details=said)
