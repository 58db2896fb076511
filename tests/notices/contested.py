"""A new kind of message, as a room would add it: this module and no other."""

from uuid import UUID

from shared_apps.audit.models import AuditEntry
from shared_apps.mail.content import Content, Sender
from shared_apps.mail.notices import Audience, Choice, Notice, On, Said
from tenant_apps.invoices.models import Invoice
from tenant_apps.notices.services import plan_for
from tenant_apps.residents.models import Access


def _words(sender: Sender, *, number: str) -> Content:
    return Content(
        subject=f"La facture n° {number} ne se paie pas en ligne – {sender.town}",
        sentence="Le service l'examine.",
        button_label="Voir mes factures",
        button_url=f"{sender.address}/factures/",
        why="Vous recevez ce message parce que cette facture est dans votre compte.",
    )


def _invoice(uuid: UUID) -> Invoice:
    return Invoice.objects.get(uuid=uuid)


def _plan(entry: AuditEntry) -> None:
    invoice = _invoice(UUID(entry.object.removeprefix("invoice:")))
    seers = Access.objects.filter(payer=invoice.payer_id, ended_at=None).select_related("account")
    told = {one.account.email: one.account.reads for one in seers}
    plan_for(CONTESTED, about=invoice.uuid, told=told)


def _tell(uuid: UUID, addresses: list[str]) -> dict[str, Said]:
    invoice = _invoice(uuid)
    return dict.fromkeys(addresses, CONTESTED.about(number=invoice.number)) if invoice.online_hold else {}


CONTESTED = Notice(
    kind="contested",
    title="Facture contestée",
    audience=Audience.PAYER,
    when="an invoice can no longer be paid online",
    words=_words,
    key="contested:{about}:{email}",
    choices=(
        Choice(
            "contested",
            "une facture ne peut plus être payée en ligne",
            90,
            offered=lambda townhall: (
                "une de mes factures ne se paie plus en ligne" if townhall.mailed_codes else None
            ),
        ),
    ),
    on=On("invoice.held", _plan, _tell),
    unsubscribe=True,
    called_off=True,
    keys_about=lambda invoice: [
        CONTESTED.key_of(about=invoice.uuid, email=one.account.email)
        for one in Access.objects.filter(payer=invoice.payer_id).select_related("account")
    ],
)
