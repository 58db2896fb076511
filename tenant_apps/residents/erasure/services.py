"""« Effacer mes données » (GDPR, article 17): asked by the resident, decided by a manager within a month.

The request is a column of the account (docs/decisions/0034): a table would have one row in years.
"""

from datetime import date, datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from shared_apps.accounts import services as accounts
from shared_apps.accounts.erasing import addresses_of
from shared_apps.accounts.models import Account, Role
from shared_apps.audit import services as audit
from shared_apps.mail.notifying import notify
from shared_apps.privacy import personal
from tenant_apps.products.queries import contact_address
from tenant_apps.residents.emails.billing import lock_addresses
from tenant_apps.residents.errors import AnswerMissing, NoRequest
from tenant_apps.residents.mails import erasure as mails
from tenant_apps.residents.models import AccessRequest, EmailSource, PayerEmail
from tenant_apps.residents.states import AccessRequestState
from toolkit import clock

MONTHS = 1  # to answer (GDPR, article 12.3)


def answer_before(asked_at: datetime) -> date:
    """The last day for the town's answer."""
    return clock.months_after(timezone.localtime(asked_at), MONTHS).date()


@transaction.atomic
def request_erasure(*, actor: Account) -> None:
    """Ask for one's own erasure; the person and the service get a message. Twice changes nothing.

    Raises NotWhileImpersonating for an operator in somebody's place.
    """
    accounts.refuse_impersonator(actor)
    account = _locked(actor)
    if account.erasure_asked_at is not None or account.erased_at is not None:
        return
    account.erasure_asked_at = timezone.now()
    account.erasure_refused_at, account.erasure_answer = None, ""
    account.save(update_fields=["erasure_asked_at", "erasure_refused_at", "erasure_answer"])
    audit.record("erasure.asked", actor=actor, obj=account.audit_name)
    until = answer_before(account.erasure_asked_at)
    notify(mails.ERASURE_ASKED.about(until=until), to=account.email, language=account.reads)
    said = mails.ERASURE_TO_ANSWER.about(account=account.uuid, until=until)
    notify(said, to=contact_address(None), language=settings.LANGUAGE_CODE)


@transaction.atomic
def cancel_erasure(*, actor: Account) -> None:
    """The person withdraws the request. Twice changes nothing."""
    accounts.refuse_impersonator(actor)
    account = _locked(actor)
    if account.erasure_asked_at is None or account.erased_at is not None:
        return
    account.erasure_asked_at = None
    account.save(update_fields=["erasure_asked_at"])
    audit.record("erasure.cancelled", actor=actor, obj=account.audit_name)


@transaction.atomic
def refuse_erasure(*, actor: audit.Actor, account: Account, answer: str) -> None:
    """Refuse, with a reason that the person receives. Raises AnswerMissing; NoRequest when none waits."""
    if not answer.strip():
        raise AnswerMissing
    locked = _locked(account)
    if locked.erasure_asked_at is None or locked.erased_at is not None:
        raise NoRequest
    locked.erasure_asked_at, locked.erasure_refused_at = None, timezone.now()
    locked.erasure_answer = answer.strip()[:500]
    locked.save(update_fields=["erasure_asked_at", "erasure_refused_at", "erasure_answer"])
    audit.record("erasure.refused", actor=actor, obj=locked.audit_name)
    said = mails.ERASURE_REFUSED.about(answer=locked.erasure_answer)
    notify(said, to=locked.email, language=locked.reads)


@transaction.atomic
def accept_erasure(*, actor: audit.Actor, account: Account) -> dict[str, int]:
    """Erase the person in one transaction. Returns the number of rows per kind; empty the second time.

    Money stays, and its audit stays right. A simultaneous sign-in, payment or link either comes first, and
    is erased too, or finds no account. Raises NoRequest when the person has withdrawn.
    """
    lock_addresses()
    waiting = AccessRequest.objects.filter(account=account.pk, state=AccessRequestState.WAITING).order_by(
        "pk"
    )
    list(
        waiting.select_for_update().values_list("pk")
    )  # before the account, in the same order as deciding an access request
    locked = _locked(account)
    if locked.erased_at is not None:
        return {}
    if locked.erasure_asked_at is None:
        raise NoRequest
    name, address, language = locked.audit_name, locked.email, locked.reads
    gone = personal.erase(locked, addresses_of(locked))
    audit.record("account.erased", actor=actor, obj=name, new=gone)
    notify(mails.ERASED.about(), to=address, language=language, once={"account": locked.uuid})
    return gone


def _locked(account: Account) -> Account:
    return Account.objects.select_for_update().get(pk=account.pk, role=Role.RESIDENT)


# --- For staff: the door has checked the role -----------------------------------------------------


def waiting_erasures() -> QuerySet[Account]:
    """The requests that wait for an answer, the oldest first."""
    return Account.objects.filter(erasure_asked_at__isnull=False, erased_at=None).order_by(
        "erasure_asked_at", "pk"
    )


def erasure_for_staff(public_id: UUID) -> Account:
    """The account of a request that waits, with how many payers it sees. Raises Account.DoesNotExist."""
    seen = Count("accesses", filter=Q(accesses__ended_at=None))
    return waiting_erasures().annotate(payers=seen).get(uuid=public_id)


def is_in_billing(account: Account) -> bool:
    """Whether billing's files hold an address of that account: only billing can remove it there."""
    return PayerEmail.objects.filter(email__in=addresses_of(account), source=EmailSource.BILLING).exists()
