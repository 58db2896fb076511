"""The mails about a thread. Call these functions under the reader's language."""

from collections.abc import Sequence
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shared_apps.mail.content import Content, Sender
from shared_apps.mail.notices import Audience, Notice, declare
from tenant_apps.contact.files.attachments import File
from tenant_apps.contact.models import Message
from tenant_apps.invoices.documents.naming import named
from toolkit import clock


def _when(moment: datetime) -> str:
    local = timezone.localtime(moment)
    return _("%(day)s à %(hour)s") % {"day": clock.in_words(local.date()), "hour": f"{local:%H:%M}"}


def _joined(files: Sequence[File]) -> tuple[str, ...]:
    if not files:
        return ()
    return (
        _("Pièces jointes, à ouvrir sur le portail : %(names)s")
        % {"names": ", ".join(f.name for f in files)},
    )


def _about(message: Message) -> tuple[str, ...]:
    return (_("Facture n° %(number)s") % {"number": named(message.invoice)},) if message.invoice else ()


def _to_the_service(sender: Sender, *, message: Message) -> Content:
    """What a resident wrote, for the service."""
    root = message.thread or message
    subject = (
        _("Réponse d'un usager : %(subject)s") if message.thread else _("Message d'un usager : %(subject)s")
    )
    return Content(
        subject=subject % {"subject": root.subject},
        sentence=_("%(email)s a écrit le %(date)s :")
        % {"email": message.email, "date": _when(message.created_at)},
        button_label=_("Ouvrir et répondre sur le portail"),
        button_url=f"{sender.address}/gestion/messages/{root.uuid}/",
        more=_about(root) + tuple(message.body.splitlines()) + _joined(message.attached),
        why=_(
            "Répondez sur le portail : la réponse reste dans l'échange. Une réponse à ce courriel irait "
            "directement à l'usager, sans que le portail la garde."
        ),
    )


def _copy(sender: Sender, *, message: Message) -> Content:
    """The writer's own copy. An address that nobody has verified gets `_receipt` instead."""
    if message.account is None:
        return _receipt(sender, message)
    root = message.thread or message
    return Content(
        subject=_("Copie de votre message : %(subject)s") % {"subject": root.subject},
        sentence=_("Voici la copie du message que vous avez envoyé à %(town)s le %(date)s :")
        % {"town": sender.town, "date": _when(message.created_at)},
        button_label=_("Voir mon message"),
        button_url=f"{sender.address}/contact/messages/{root.uuid}/",
        more=_about(root) + tuple(message.body.splitlines()) + _joined(message.attached),
        why=_("Vous recevez ce message parce que vous en avez demandé une copie."),
    )


def _receipt(sender: Sender, message: Message) -> Content:
    """For an address that nobody has verified: nothing of what was typed, or the form could send anybody's words."""
    return Content(
        subject=_("Votre message est bien arrivé – %(town)s") % {"town": sender.town},
        sentence=_("Le service de facturation a reçu votre message le %(date)s. Il vous répondra par e-mail.")
        % {"date": _when(message.created_at)},
        why=_(
            "Vous recevez ce message parce que quelqu'un a écrit au service de facturation en donnant votre "
            "adresse. Si ce n'est pas vous, ne faites rien."
        ),
    )


def _answer(sender: Sender, *, message: Message, root: Message, has_account: bool) -> Content:
    """The town's answer, in full. A person without an account reads it only here."""
    why = (
        _("Vous recevez ce message parce que vous avez écrit au service de facturation depuis le portail.")
        if has_account
        else _(
            "Vous recevez ce message parce que cette adresse a été donnée en écrivant au service de facturation. "
            "Pour lui répondre, répondez à ce courriel."
        )
    )
    return Content(
        subject=_("Réponse à votre message : %(subject)s") % {"subject": root.subject},
        sentence=_("%(town)s répond à votre message du %(date)s :")
        % {"town": sender.town, "date": _when(root.created_at)},
        button_label=_("Voir l'échange et répondre") if has_account else "",
        button_url=f"{sender.address}/contact/messages/{root.uuid}/" if has_account else "",
        more=_about(root) + tuple(message.body.splitlines()) + _joined(message.attached),
        why=why,
    )


TO_THE_SERVICE = declare(
    Notice(
        kind="contact",
        title=gettext_lazy("Message d'un usager"),
        audience=Audience.SERVICE,
        when="somebody writes to the service, or answers it",
        words=_to_the_service,
        quotes=True,
        key="contact:{message}",
    )
)
COPY = declare(
    Notice(
        kind="contact-copy",
        title=gettext_lazy("Copie d'un message au service"),
        audience=Audience.TYPED,
        when="somebody wrote to the service: their copy, or without an account that it arrived",
        words=_copy,
        quotes=True,
        key="contact-copy:{message}",
    )
)
ANSWER = declare(
    Notice(
        kind="contact-answer",
        title=gettext_lazy("Réponse du service"),
        audience=Audience.PERSON,
        when="staff answer",
        words=_answer,
        quotes=True,
        key="contact-answer:{answer}",
    )
)
