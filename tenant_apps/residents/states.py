"""The states of access requests, as data: (from, to) → why; and those of files that arrive by themselves."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class AccessRequestState(models.TextChoices):
    """The state of an access request. Staff see it once its address is confirmed."""

    ASKED = "asked", _("adresse à confirmer")
    WAITING = "waiting", _("à décider")
    ACCEPTED = "accepted", _("acceptée")
    REFUSED = "refused", _("refusée")
    WITHDRAWN = "withdrawn", _("retirée")
    EXPIRED = "expired", _("sans réponse")


# An unconfirmed request has no final state: its row is deleted.
ACCESS_REQUEST_EDGES: dict[tuple[AccessRequestState, AccessRequestState], str] = {
    (AccessRequestState.ASKED, AccessRequestState.WAITING): "the account is known, and a person must decide",
    (
        AccessRequestState.ASKED,
        AccessRequestState.ACCEPTED,
    ): "the account is known, and the town lets the paper decide",
    (AccessRequestState.WAITING, AccessRequestState.ACCEPTED): "staff accept",
    (AccessRequestState.WAITING, AccessRequestState.REFUSED): "staff refuse, with a reason",
    (AccessRequestState.WAITING, AccessRequestState.WITHDRAWN): "who asked gives up",
    (AccessRequestState.WAITING, AccessRequestState.EXPIRED): "nobody decided in sixty days",
}


class ArrivalState(models.TextChoices):
    """Where a file of a source's folder is: it arrives, it is being imported, it is put away."""

    WAITING = "waiting", _("en cours d'arrivée")
    TAKEN = "taken", _("en cours d'import")
    DONE = "done", _("traité")
    REFUSED = "refused", _("refusé")


ARRIVAL_EDGES: dict[tuple[ArrivalState, ArrivalState], str] = {
    (
        ArrivalState.WAITING,
        ArrivalState.TAKEN,
    ): "it is whole, and an import is made of it in the same transaction",
    (ArrivalState.WAITING, ArrivalState.REFUSED): "no import can be made of it: the clerk is told why",
    (ArrivalState.TAKEN, ArrivalState.DONE): "its import is published, or waits for a person",
    (ArrivalState.TAKEN, ArrivalState.REFUSED): "its import was refused or interrupted: the clerk is told",
}
