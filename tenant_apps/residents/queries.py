"""Who is known to billing, and what an account may see."""

from uuid import UUID

from django.db.models import F, Q, QuerySet

from shared_apps.accounts.models import Account
from tenant_apps.residents.models import Access, Claim, Payer, PayerEmail
from tenant_apps.residents.states import ClaimState
from toolkit import clock, emails


def payers_of(account: Account) -> QuerySet[Payer]:
    """The payers whose invoices `account` may see."""
    return Payer.objects.filter(accesses__account=account, accesses__ended_at=None).order_by("reference")


def payer_ids_of(account: Account) -> QuerySet[Access, int]:
    """The same as ids, for use inside another query."""
    return Access.objects.filter(account=account, ended_at=None).values_list("payer_id", flat=True)


def is_known_to_billing(email: str) -> bool:
    """True when billing gave this address for at least one payer (M2)."""
    return PayerEmail.objects.filter(email=emails.normalise(email)).exists()


def waiting_claims_of(account: Account) -> QuerySet[Claim]:
    """What `account` asked for and nobody has decided; says nothing of the payer, which is not theirs yet."""
    return Claim.objects.filter(account=account, state=ClaimState.WAITING).order_by("id")


def claim_of(account: Account, public_id: UUID) -> Claim:
    """One claim of theirs. Raises Claim.DoesNotExist for an absent and for a forbidden one alike."""
    return Claim.objects.exclude(state=ClaimState.ASKED).get(account=account, uuid=public_id)


# --- For staff: the door has checked the role -----------------------------------------------------


def payers_for_staff(*, words: str = "") -> QuerySet[Payer]:
    """The town's payers by name. Every one of `words` must be found: name, reference, town, e-mail address."""
    payers = Payer.objects.prefetch_related("emails").order_by("last_name", "first_name", "id")
    for word in words.split()[:6]:
        payers = payers.filter(
            Q(last_name__icontains=word)
            | Q(first_name__icontains=word)
            | Q(reference__icontains=word)
            | Q(city__icontains=word)
            | Q(pk__in=PayerEmail.objects.filter(email__icontains=word).values("payer_id"))
        )
    return payers


def payer_for_staff(public_id: UUID) -> Payer:
    """One payer. Raises Payer.DoesNotExist."""
    return Payer.objects.prefetch_related("emails").get(uuid=public_id)


def accesses_to(payer: Payer) -> QuerySet[Access]:
    """Who may, or could, see the invoices of `payer`; live accesses first."""
    return (
        Access.objects.filter(payer=payer)
        .select_related("account")
        .order_by(F("ended_at").asc(nulls_first=True), "id")
    )


def claims_for_staff(*, state: str = "") -> QuerySet[Claim]:
    """Claims whose address is confirmed, the newest first."""
    found = Claim.objects.exclude(state=ClaimState.ASKED).select_related("account", "payer").order_by("-id")
    return found.filter(state=state) if state else found


def waiting_claims() -> int:
    """How many wait for staff."""
    return Claim.objects.filter(state=ClaimState.WAITING).count()


def claim_for_staff(public_id: UUID) -> Claim:
    """One of them. Raises Claim.DoesNotExist."""
    return claims_for_staff().get(uuid=public_id)


def earlier_claims(claim: Claim) -> QuerySet[Claim]:
    """What the same account asked about the same payer before."""
    return claims_for_staff().filter(account=claim.account, payer=claim.payer, id__lt=claim.pk)


def guessed_payers() -> QuerySet[Payer]:
    """Payers that no paper can claim for now, because somebody tried several."""
    return Payer.objects.filter(claims_locked_until__gt=clock.now()).order_by("claims_locked_until", "id")
