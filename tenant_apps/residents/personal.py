"""What this room gives in a person's copy of their data, and what it erases (shared_apps.privacy.personal)."""

from collections.abc import Iterator, Mapping

from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from shared_apps.accounts.models import Account
from shared_apps.privacy.personal import Section
from tenant_apps.residents.models import Access, AccessRequest, EmailSource, PayerEmail, RemovedEmail
from tenant_apps.residents.queries import payer_ids_of
from tenant_apps.residents.states import AccessRequestState


def give(account: Account, addresses: frozenset[str]) -> Iterator[Section]:
    """The payers that the account may see, as the portal shows them, and the addresses of the person that they have.

    Nothing about others who see the same payers: neither their addresses nor their accounts.
    """
    live = Access.objects.filter(account=account, ended_at=None).select_related("payer").order_by("id")
    ended = Access.objects.filter(account=account).exclude(ended_at=None).order_by("id")
    yield Section(
        "dossiers",
        _("Mes dossiers"),
        [
            ("dossier", _("Dossier")),
            ("nom", _("Nom")),
            ("ville", _("Ville")),
            ("acces_depuis", _("Accès depuis")),
            ("par_l_adresse", _("Par l'adresse")),
            ("acces_termine_le", _("Accès terminé le")),
        ],
        [
            *(
                (one.payer.reference, one.payer.full_name, one.payer.city, one.granted_at, one.through, None)
                for one in live
            ),
            # The person may no longer see these payers.
            *(("", "", "", one.granted_at, one.through, one.ended_at) for one in ended),
        ],
    )
    known = PayerEmail.objects.filter(email__in=addresses, payer__in=payer_ids_of(account)).order_by("id")
    yield Section(
        "adresses",
        _("Mon adresse dans les dossiers"),
        [
            ("dossier", _("Dossier")),
            ("adresse", _("Adresse e-mail")),
            ("source", _("Source")),
            ("ajoutee_le", _("Ajoutée le")),
        ],
        known.annotate(dossier=F("payer__reference")).values_list("dossier", "email", "source", "added_at"),
    )
    gone = RemovedEmail.objects.filter(email__in=addresses).order_by("id")
    yield Section(
        "adresses-retirees",
        _("Mon adresse retirée de dossiers"),
        [("adresse", _("Adresse e-mail")), ("source", _("Source")), ("retiree_le", _("Retirée le"))],
        gone.values_list("email", "source", "removed_at"),
    )
    access_requests = AccessRequest.objects.filter(account=account).order_by("id")
    yield Section(
        "rattachements",
        _("Rattachements que j'ai demandés"),
        [
            ("demande_le", _("Demandé le")),
            ("adresse", _("Adresse e-mail")),
            ("facture", _("Facture")),
            ("decide_le", _("Décidé le")),
            ("motif", _("Motif")),
            ("etat", _("État")),
        ],
        [
            (*row, AccessRequestState(state).label)
            for *row, state in access_requests.values_list(
                "asked_at", "email", "number", "decided_at", "reason", "state"
            )
        ],
    )


def decided_access_requests() -> QuerySet[AccessRequest]:
    """Closed access requests. The accesses that they gave stay."""
    return AccessRequest.objects.exclude(state__in=[AccessRequestState.ASKED, AccessRequestState.WAITING])


def erase(account: Account, addresses: frozenset[str]) -> Mapping[str, int]:
    """End the accesses, and delete the addresses that the account added. Addresses from billing stay.

    Addresses that staff removed stay recorded as removed, so that no file brings them back.
    """
    ended = Access.objects.filter(account=account, ended_at=None).update(ended_at=timezone.now())
    Access.objects.filter(account=account).update(through="", lapsed=False)
    RemovedEmail.objects.filter(email__in=addresses, removed_by="").delete()
    mine = Q(account=account) | Q(email__in=addresses)
    # The worker is handling the locked ones: it looks the account up again.
    access_requests = (
        AccessRequest.objects.filter(mine).select_for_update(skip_locked=True).values_list("pk", flat=True)
    )
    AccessRequest.objects.filter(pk__in=list(access_requests)).delete()
    brought = PayerEmail.objects.filter(email__in=addresses).exclude(source=EmailSource.BILLING)
    return {"accesses": ended, "payer_emails": brought.delete()[0]}
