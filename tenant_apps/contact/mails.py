"""The mails about a thread. Call these functions under the reader's language."""

from collections.abc import Sequence
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from shared_apps.mail.content import Content
from tenant_apps.contact.files.attachments import File
from tenant_apps.contact.models import Message
from tenant_apps.invoices.naming import named
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


def to_the_service(*, message: Message, address: str) -> Content:
    """To the service: what a resident wrote."""
    root = message.thread or message
    subject = (
        _("Réponse d'un usager : %(subject)s") if message.thread else _("Message d'un usager : %(subject)s")
    )
    return Content(
        subject=subject % {"subject": root.subject},
        sentence=_("%(email)s a écrit le %(date)s :")
        % {"email": message.email, "date": _when(message.created_at)},
        button_label=_("Ouvrir et répondre sur le portail"),
        button_url=f"{address}/gestion/messages/{root.uuid}/",
        more=_about(root) + tuple(message.body.splitlines()) + _joined(message.attached),
        why=_(
            "Répondez sur le portail : la réponse reste dans l'échange. Une réponse à ce courriel irait "
            "directement à l'usager, sans que le portail la garde."
        ),
    )


def copy(*, message: Message, town: str, address: str) -> Content:
    """To the resident: a copy of their message."""
    root = message.thread or message
    return Content(
        subject=_("Copie de votre message : %(subject)s") % {"subject": root.subject},
        sentence=_("Voici la copie du message que vous avez envoyé à %(town)s le %(date)s :")
        % {"town": town, "date": _when(message.created_at)},
        button_label=_("Voir mon message"),
        button_url=f"{address}/contact/messages/{root.uuid}/",
        more=_about(root) + tuple(message.body.splitlines()) + _joined(message.attached),
        why=_("Vous recevez ce message parce que vous en avez demandé une copie."),
    )


def receipt(*, message: Message, town: str) -> Content:
    """To an unverified address, without the typed text: otherwise anybody could send text through the form."""
    return Content(
        subject=_("Votre message est bien arrivé – %(town)s") % {"town": town},
        sentence=_("Le service de facturation a reçu votre message le %(date)s. Il vous répondra par e-mail.")
        % {"date": _when(message.created_at)},
        why=_(
            "Vous recevez ce message parce que quelqu'un a écrit au service de facturation en donnant votre "
            "adresse. Si ce n'est pas vous, ne faites rien."
        ),
    )


def answer(*, message: Message, root: Message, town: str, address: str, has_account: bool) -> Content:
    """To the resident: the full answer. Somebody without an account reads it only here."""
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
        % {"town": town, "date": _when(root.created_at)},
        button_label=_("Voir l'échange et répondre") if has_account else "",
        button_url=f"{address}/contact/messages/{root.uuid}/" if has_account else "",
        more=_about(root) + tuple(message.body.splitlines()) + _joined(message.attached),
        why=why,
    )
