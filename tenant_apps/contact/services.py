"""The only writers of messages."""

from django.db import transaction
from django.utils import formats, timezone
from django.utils.translation import gettext as _

from shared_apps.accounts.models import Account
from shared_apps.audit import services as audit
from shared_apps.mail.content import Content
from shared_apps.mail.services import queue_mail
from tenant_apps.contact.models import Message
from tenant_apps.invoices.models import Invoice
from tenant_apps.townhall.queries import contact_address, letterhead
from toolkit import emails
from toolkit.words import in_french


@transaction.atomic
@in_french
def send_message(
    *, actor: Account | None, email: str, subject: str, body: str, invoice: Invoice | None = None
) -> Message:
    """Keep what a resident wrote (M13) and mail it to the service of the invoice, or to the town's.

    The service answers with its own mailbox: Reply-To is the resident's address. `invoice` must be one
    that the actor may see; the door checked it.
    """
    message = Message.objects.create(
        account=actor,
        email=emails.normalise(email),
        invoice=invoice,
        subject=subject.strip(),
        body=body.strip(),
        sent_to=contact_address(invoice.product if invoice else None),
    )
    surroundings = letterhead()
    lines = tuple(message.body.splitlines())
    about = (_("Facture n° %(number)s") % {"number": invoice.number},) if invoice else ()
    queue_mail(
        kind="contact",
        to=message.sent_to,
        reply_to=message.email,
        content=Content(
            subject=_("Message d'un usager : %(subject)s") % {"subject": message.subject},
            sentence=_("%(email)s a écrit le %(date)s :")
            % {
                "email": message.email,
                "date": formats.date_format(timezone.localtime(message.created_at), "j F Y à H:i"),
            },
            button_label=_("Ouvrir dans le portail"),
            button_url=f"{surroundings['address']}/gestion/messages/{message.uuid}/",
            more=about + lines,
            why=_("Répondez à ce message : votre réponse ira directement à l'usager."),
        ),
        surroundings=surroundings,
        key=f"contact:{message.uuid}",
    )
    audit.record("message.sent", actor=actor or "visitor", obj=f"message:{message.uuid}")
    return message


@transaction.atomic
def mark_handled(*, actor: Account, message: Message) -> None:
    """Staff have dealt with it. Doing it twice changes nothing."""
    changed = Message.objects.filter(pk=message.pk, handled_at=None).update(
        handled_at=timezone.now(), handled_by=actor.audit_name
    )
    if changed:
        audit.record("message.handled", actor=actor, obj=f"message:{message.uuid}")
