"""Readers of payers, their addresses and accesses: those that take a person return only what that person may see."""

from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from shared_apps.accounts.models import Account, Link, LinkPurpose
from tenant_apps.residents.models import Access, AccessRequest, Payer, PayerEmail, RemovedEmail
from tenant_apps.residents.states import AccessRequestState
from toolkit import clock
from toolkit.scope import Scope


def payers_of(account: Account) -> QuerySet[Payer]:
    """The payers whose invoices `account` may see."""
    return Payer.objects.filter(accesses__account=account, accesses__ended_at=None).order_by(
        "reference", "id"
    )


def payer_ids_of(account: Account) -> QuerySet[Access, int]:
    """The ids of these payers, for use inside another query."""
    return Access.objects.filter(account=account, ended_at=None).values_list("payer_id", flat=True)


def lapsed_accesses_of(account: Account) -> QuerySet[Access]:
    """Accesses of `account` that ended because its address was removed, to payers that it cannot see in any other
    way.
    """
    gone = Access.objects.filter(account=account, lapsed=True, ended_at__isnull=False)
    return gone.exclude(payer__in=payer_ids_of(account))


def is_known_to_billing(email: str) -> bool:
    """True when billing gave this address for at least one payer (docs/manual.md, M2)."""
    return PayerEmail.objects.filter(email=email).exists()


def waiting_access_requests_of(account: Account) -> QuerySet[AccessRequest]:
    """Undecided access requests of `account`. They reveal nothing about the payer."""
    return AccessRequest.objects.filter(account=account, state=AccessRequestState.WAITING).order_by("id")


def access_request_of(account: Account, public_id: UUID) -> AccessRequest:
    """One access request of `account`. Raises AccessRequest.DoesNotExist for an absent or forbidden one."""
    return AccessRequest.objects.exclude(state=AccessRequestState.ASKED).get(account=account, uuid=public_id)


def _known() -> Exists:
    """The account's address is one of the payer's."""
    return Exists(PayerEmail.objects.filter(payer=OuterRef("payer"), email=OuterRef("account__email")))


def _by_billing() -> Q:
    """Whether billing gave the access, or would give it: the payer has the account's address."""
    return Q(granted_by=None) | Q(_known())


def accesses_of_payer(payer: Payer) -> QuerySet[Access]:
    """The accesses to `payer` that have not ended, each with `by_billing`."""
    live = Access.objects.filter(payer=payer, ended_at=None).select_related("account")
    return live.annotate(by_billing=_by_billing()).order_by("id")


def shared_accesses(payer: Payer) -> QuerySet[Access]:
    """The accesses to `payer` that a person gave and billing would not."""
    return accesses_of_payer(payer).exclude(_by_billing())


def payer_for_resident(account: Account, public_id: UUID) -> Payer:
    """A payer whose invoices `account` may see. Raises Payer.DoesNotExist."""
    return payers_of(account).get(uuid=public_id)


def payer_to_share(account: Account, public_id: UUID) -> Payer:
    """The same, if `account` may invite others (an invited person may not). Raises Payer.DoesNotExist."""
    payer = payer_for_resident(account, public_id)
    own = Access.objects.filter(_by_billing(), payer=payer, account=account, ended_at=None)
    if not account.is_active or not own.exists():
        raise Payer.DoesNotExist
    return payer


def invitations_to(payer: Payer) -> QuerySet[Link]:
    """The open invitations, oldest first."""
    waits = Q(expires_at__gt=timezone.now()) | Q(expires_at=None, handled_at=None)
    return Link.objects.filter(waits, purpose=LinkPurpose.SHARE, about=payer.uuid, used_at=None).order_by(
        "id"
    )


def invitation_of(account: Account, payer: Payer, public_id: UUID) -> Link:
    """An invitation that `account` sent. Raises Link.DoesNotExist."""
    return invitations_to(payer).get(account=account, uuid=public_id)


def givers_of(accesses: list[Access]) -> dict[UUID, str]:
    """uuid of the account that gave one of `accesses` → its address; one statement."""
    given = {access.granted_by for access in accesses if access.granted_by}
    return dict(Account.objects.filter(uuid__in=given).values_list("uuid", "email")) if given else {}


# --- For staff: the door has checked the role; the scope says of which régies ----------------------


def _in(scope: Scope, path: str = "pk") -> Q:
    """The payers (at `path`) who have an invoice of the scope, drafts left out.

    `invoices` is the name that the room above gives to the relation.
    """
    if scope.is_whole:
        return Q()
    theirs = Payer.objects.filter(
        scope.q("invoices__product"), invoices__state__in=("published", "cancelled")
    )
    return Q(**{f"{path}__in": theirs.values("pk")})


def payers_for_staff(scope: Scope, *, words: str = "") -> QuerySet[Payer]:
    """The payers of `scope` by name. Each of `words` must occur in name, reference, town or e-mail address
    (also in a removed address, because its owner may ask why).
    """
    known = Payer.objects.filter(_in(scope), is_draft=False).select_related("source")
    payers = known.prefetch_related("emails").order_by("last_name", "first_name", "id")
    for word in words.split()[:6]:
        payers = payers.filter(
            Q(last_name__icontains=word)
            | Q(first_name__icontains=word)
            | Q(reference__icontains=word)
            | Q(city__icontains=word)
            | Q(pk__in=PayerEmail.objects.filter(email__icontains=word).values("payer_id"))
            | Q(pk__in=RemovedEmail.objects.filter(email__icontains=word).values("payer_id"))
        )
    return payers


def payer_for_staff(scope: Scope, public_id: UUID) -> Payer:
    """One payer. Raises Payer.DoesNotExist."""
    payers = Payer.objects.filter(_in(scope)).select_related("source").prefetch_related("emails")
    return payers.get(uuid=public_id)


def access_for_staff(payer: Payer, public_id: UUID) -> Access:
    """The latest access of the account `public_id` to `payer`, ended or not. Raises Access.DoesNotExist."""
    accesses = Access.objects.filter(payer=payer, account__uuid=public_id)
    found = accesses.order_by(F("ended_at").desc(nulls_first=True), "-id").first()
    if found is None:
        raise Access.DoesNotExist
    return found


def accesses_to(payer: Payer) -> QuerySet[Access]:
    """Every access to `payer`, each with `by_billing` and `known`; those that have not ended first."""
    again = Access.objects.filter(payer=OuterRef("payer"), account=OuterRef("account"), ended_at=None)
    return (
        Access.objects.filter(payer=payer)
        .exclude(Q(lapsed=True, ended_at__isnull=False) & Q(Exists(again)))
        .select_related("account")
        .annotate(by_billing=_by_billing(), known=_known())
        .order_by(F("ended_at").asc(nulls_first=True), "id")
    )


def _access_requests(scope: Scope) -> QuerySet[AccessRequest]:
    """The access requests with an invoice of `scope`, which must be of the payer."""
    if scope.is_whole:
        return AccessRequest.objects.all()
    return AccessRequest.objects.filter(
        scope.q("payer__invoices__product"), payer__invoices__uuid=F("invoice")
    )


def access_requests_for_staff(scope: Scope, *, state: str = "") -> QuerySet[AccessRequest]:
    """Access requests whose address is confirmed, the newest first."""
    found = (
        _access_requests(scope)
        .exclude(state=AccessRequestState.ASKED)
        .select_related("account", "payer")
        .order_by("-id")
    )
    return found.filter(state=state) if state else found


def waiting_access_requests(scope: Scope) -> int:
    """How many access requests wait for staff."""
    return _access_requests(scope).filter(state=AccessRequestState.WAITING).count()


def access_request_for_staff(scope: Scope, public_id: UUID) -> AccessRequest:
    """One of them. Raises AccessRequest.DoesNotExist."""
    return access_requests_for_staff(scope).get(uuid=public_id)


def earlier_access_requests(scope: Scope, access_request: AccessRequest) -> QuerySet[AccessRequest]:
    """Earlier access requests of the same account for the same payer."""
    return access_requests_for_staff(scope).filter(
        account=access_request.account, payer=access_request.payer, id__lt=access_request.pk
    )


def addresses_taken(access_request: AccessRequest) -> QuerySet[RemovedEmail]:
    """Addresses that staff took from the payer and that belong to the person who asks, or gave them access before."""
    before = Access.objects.filter(account=access_request.account, payer=access_request.payer).values(
        "through"
    )
    asks = Q(email=access_request.email) | Q(email__in=before)
    return (
        RemovedEmail.objects.filter(asks, payer=access_request.payer).exclude(removed_by="").order_by("email")
    )


def guessed_payers(scope: Scope) -> QuerySet[Payer]:
    """Payers whose access requests are locked for now, because somebody tried several invoices."""
    return Payer.objects.filter(_in(scope), access_requests_locked_until__gt=clock.now()).order_by(
        "access_requests_locked_until", "id"
    )
