"""The states of an attempt to pay, as data: (from, to) → why (docs/payfip.md §2-§4)."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class AttemptState(models.TextChoices):
    """Finer than what the resident sees."""

    CREATED = "created", _("préparé")  # the row is committed before the Treasury is called
    STARTED = "started", _("en attente du Trésor public")  # an idOp (or a redirect) exists
    REPORTED = "reported", _("annoncé payé, à confirmer")  # TIPI: unsigned, until the accountant says so
    PAID = "paid", _("payé")
    REFUSED = "refused", _("refusé")
    ABANDONED = "abandoned", _("abandonné")
    EXPIRED = "expired", _("expiré")
    FAILED = "failed", _("non abouti")  # the Treasury refused to open it
    REVIEW = "review", _("à examiner")  # an answer that does not match or is not known


class TrialState(models.TextChoices):
    """A payment made to open a product. It is only ever a record: one way, from created to an end."""

    CREATED = "created", _("préparé")
    STARTED = "started", _("en attente du Trésor public")
    PAID = "paid", _("réussi")
    REFUSED = "refused", _("refusé")
    ABANDONED = "abandoned", _("abandonné")
    EXPIRED = "expired", _("sans réponse")
    FAILED = "failed", _("refusé à l'ouverture")
    REVIEW = "review", _("réponse inattendue")


LIVE = (AttemptState.CREATED, AttemptState.STARTED, AttemptState.REPORTED, AttemptState.REVIEW)

S = AttemptState
EDGES: dict[tuple[AttemptState, AttemptState], str] = {
    (S.CREATED, S.STARTED): "the Treasury gave an idOp",
    (S.CREATED, S.FAILED): "the Treasury refused the request; nobody can pay it",
    (S.CREATED, S.EXPIRED): "we died or lost the answer: an idOp nobody holds cannot be paid",
    (S.STARTED, S.PAID): "the look-up says P or V",
    (S.STARTED, S.REFUSED): "the look-up says R or Z",
    (S.STARTED, S.ABANDONED): "the look-up says A, twice",
    (S.STARTED, S.EXPIRED): "unknown for 120 minutes (P5), or used or too old (P3, P4)",
    (S.STARTED, S.REVIEW): "the answer does not match what was asked, or its code is not known",
    (S.STARTED, S.REPORTED): "TIPI came back with P or V, which nothing proves",
    (S.REPORTED, S.PAID): "staff or the accountant's list confirm it",
    (S.REPORTED, S.REFUSED): "staff say that no money came",
    (S.REFUSED, S.PAID): "the payer tried again and the look-up says P or V",
    (S.ABANDONED, S.PAID): "the payer came back to it and the look-up says P or V",
    (S.EXPIRED, S.PAID): "it was paid after all: expired is only what we show",
    (S.EXPIRED, S.REFUSED): "the Treasury's last word",
    (S.EXPIRED, S.ABANDONED): "the Treasury's last word",
    (S.EXPIRED, S.REVIEW): "a late answer that does not match",
    (S.EXPIRED, S.REPORTED): "TIPI came back late with P or V: the invoice must not be offered again",
    (S.REVIEW, S.PAID): "staff looked and accept it, or the look-up now matches",
    (S.REVIEW, S.REFUSED): "staff looked and no money came",
}
