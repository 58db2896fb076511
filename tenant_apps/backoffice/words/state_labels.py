"""The CSS classes of the label that shows a state."""

from django.db.models import Model

from shared_apps.mail.models import MailState, OutgoingMail
from tenant_apps.invoices.models import Batch
from tenant_apps.invoices.states import BatchState
from tenant_apps.payments.models import Attempt, TestPayment
from tenant_apps.payments.payability.words import State
from tenant_apps.payments.states import LIVE, AttemptState, TestPaymentState
from tenant_apps.reconciliation.models import StatementRow
from tenant_apps.reconciliation.states import StatementRowState
from tenant_apps.residents.models import AccessRequest
from tenant_apps.residents.states import AccessRequestState

# A state that is not listed gets the plain label.
LABEL_CLASSES: dict[type[Model], dict[str, str]] = {
    Batch: {
        BatchState.PUBLISHED: "tag-good",
        BatchState.REFUSED: "tag-bad",
        BatchState.FAILED: "tag-bad",
        BatchState.READY: "tag-now",
    },
    Attempt: {
        **dict.fromkeys((state.value for state in LIVE), "tag-now"),
        AttemptState.PAID: "tag-paid",
        AttemptState.REVIEW: "tag-bad",
        AttemptState.FAILED: "tag-bad",
    },
    TestPayment: {
        TestPaymentState.PAID: "tag-good",
        TestPaymentState.STARTED: "tag-now",
        TestPaymentState.REVIEW: "tag-bad",
        TestPaymentState.FAILED: "tag-bad",
    },
    AccessRequest: {AccessRequestState.ACCEPTED: "tag-good", AccessRequestState.WAITING: "tag-now"},
    OutgoingMail: {MailState.SENT: "tag-good", MailState.FAILED: "tag-bad"},
    StatementRow: {
        **dict.fromkeys(StatementRowState.values, "tag-bad"),
        StatementRowState.MATCHED: "tag-good",
        StatementRowState.DOUBTFUL: "tag-now",
        StatementRowState.IGNORED: "",
        StatementRowState.KNOWN: "",
    },
}
_STANDINGS = {"paid": "tag-paid", "late": "tag-bad", "wait": "tag-now"}


def label_classes(thing: Model | State) -> str:
    """« tag tag-good », for a row that has a state, or for the state of an invoice in words."""
    if isinstance(thing, State):
        chosen = _STANDINGS.get(thing.kind, "")
    else:
        chosen = LABEL_CLASSES[type(thing)].get(thing.state, "")  # type: ignore[attr-defined]
        if isinstance(thing, StatementRow) and thing.twin_id and chosen == "tag-bad":
            chosen = "tag-now"  # staff must answer it; it is not an error
    return f"tag {chosen}".rstrip()
