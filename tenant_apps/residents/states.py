"""The states of access requests, as data: (from, to) → why."""

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
