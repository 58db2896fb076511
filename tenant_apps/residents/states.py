"""The states of claims, as data: (from, to) → why."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class ClaimState(models.TextChoices):
    """Where a claim is. Staff see it once the address is confirmed."""

    ASKED = "asked", _("adresse à confirmer")
    WAITING = "waiting", _("à décider")
    ACCEPTED = "accepted", _("acceptée")
    REFUSED = "refused", _("refusée")
    WITHDRAWN = "withdrawn", _("retirée")
    EXPIRED = "expired", _("sans réponse")


# An unconfirmed claim has no final state: its row is deleted.
CLAIM_EDGES: dict[tuple[ClaimState, ClaimState], str] = {
    (ClaimState.ASKED, ClaimState.WAITING): "the account is known, and a person must decide",
    (ClaimState.ASKED, ClaimState.ACCEPTED): "the account is known, and the town lets the paper decide",
    (ClaimState.WAITING, ClaimState.ACCEPTED): "staff accept",
    (ClaimState.WAITING, ClaimState.REFUSED): "staff refuse, with a reason",
    (ClaimState.WAITING, ClaimState.WITHDRAWN): "who asked gives up",
    (ClaimState.WAITING, ClaimState.EXPIRED): "nobody decided in sixty days",
}
