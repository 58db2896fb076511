"""Queue a message in the caller's transaction; the worker sends it (mail.sending.delivery)."""

from collections.abc import Collection, Iterable, Mapping

from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _

from shared_apps.audit import services as audit
from shared_apps.mail import notices
from shared_apps.mail.content import Content, one_line, sendable
from shared_apps.mail.errors import TooOld
from shared_apps.mail.models import MailProblem, MailState, OutgoingMail
from shared_apps.mail.notices import SECRET_LIFE
from tenants.work import agenda
from toolkit import emails


def queue(mail: OutgoingMail) -> OutgoingMail | None:
    """Write one composed message to the outbox; the worker sends it once the transaction commits.

    With a key that exists already nothing is written and None is returned. Rooms do not call this: they declare a
    kind and call `notifying.notify`.
    """
    if mail.key is None:
        mail.save()
    else:
        OutgoingMail.objects.bulk_create([mail], ignore_conflicts=True)
        if not OutgoingMail.objects.filter(uuid=mail.uuid).exists():
            return None
    wake()
    return mail


def compose(
    *,
    kind: str,
    to: str,
    content: Content,
    letterhead: Mapping[str, object],
    key: str | None = None,
    reply_to: str = "",
    secret: bool = False,
    products: Collection[int] | None = None,
) -> OutgoingMail:
    """Build a message in the reader's language, without storing it (see `queue`, `queue_all`).

    `letterhead` is the town's letterhead, `products` the ids of those that it is about (None: not known). Refuse here
    what no server accepts, while the caller can still say so: raises emails.BadAddress for `to` and `reply_to`.
    Characters that no message may hold are replaced.
    """
    context = {**letterhead, "content": content}
    return OutgoingMail(
        kind=kind,
        key=key,
        to=emails.normalise(to),
        reply_to=emails.normalise(reply_to) if reply_to else "",
        subject=one_line(content.subject)[:200],
        text=sendable(render_to_string("mail/message.txt", context).strip() + "\n"),
        html=sendable(render_to_string("mail/message.html", context)),
        unsubscribe_url=content.unsubscribe_url,
        secret=secret,
        product_ids=None if products is None else sorted(products),
        next_try_at=timezone.now(),
    )


def queue_all(mails: Iterable[OutgoingMail]) -> None:
    """Write many composed messages to the outbox in one statement; the worker sends them after the commit.

    A message whose key exists already is skipped.
    """
    OutgoingMail.objects.bulk_create(mails, ignore_conflicts=True)
    wake()


@transaction.atomic
def requeue_mail(*, actor: audit.Actor, mail: OutgoingMail) -> OutgoingMail:
    """« Renvoyer »: queue a failed message again, with all its tries. Does nothing to any other message.

    Raises TooOld when its `?LIEN=` or code has expired: the person must ask for a new one.
    """
    locked = OutgoingMail.objects.select_for_update().get(pk=mail.pk)
    if locked.state != MailState.FAILED:
        return locked
    if not locked.to:
        raise TooOld(_("La personne a été effacée : son adresse n'est plus connue."))
    notice = notices.find(locked.kind)
    life = notice.secret if notice and notice.secret else SECRET_LIFE
    if locked.secret and locked.created_at <= timezone.now() - life:
        raise TooOld(
            _(
                "Ce message contient un lien qui n'est plus valable, ou un code trop ancien : "
                "la personne peut en demander un autre."
            )
        )
    locked.state, locked.tries, locked.next_try_at = MailState.QUEUED, 0, timezone.now()
    locked.problem = ""
    locked.save(update_fields=["state", "tries", "next_try_at", "problem"])
    audit.record("mail.requeued", actor=actor, obj=f"mail:{locked.uuid}")
    wake()
    return locked


def stop_waiting() -> None:
    """Stop waiting messages in a copy of a town: the original sends them. Uses the caller's transaction."""
    OutgoingMail.objects.filter(state__in=[MailState.QUEUED, MailState.SENDING]).update(
        state=MailState.FAILED, problem=MailProblem.COPY
    )


def drop_waiting(*, kinds: Collection[str], to: Collection[str]) -> list[OutgoingMail]:
    """Delete the unsent messages to these addresses, failed ones too. Uses the caller's transaction.

    Returns the deleted messages. One that is being sent counts as sent.
    """
    if not to:
        return []
    found = OutgoingMail.objects.filter(to__in=to, kind__in=kinds).exclude(state=MailState.SENT)
    waiting = list(found.select_for_update().only("kind", "key", "state", "to"))
    OutgoingMail.objects.filter(pk__in=[mail.pk for mail in waiting]).delete()
    if waiting:
        audit.record(
            "mail.dropped", actor=audit.SYSTEM, new={"messages": len(waiting), "kinds": sorted(kinds)}
        )
    return waiting


def wake() -> None:
    """Have the worker look at the outbox as soon as this transaction commits."""
    agenda.wake("mail")
