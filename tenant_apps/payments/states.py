"""The states of an attempt to pay, and the changes that are allowed with their reasons (docs/payfip.md §2-§4)."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class AttemptState(models.TextChoices):
    """The state of an attempt. The resident sees fewer states than these."""

    CREATED = "created", _("préparé")  # committed before the provider is called
    STARTED = "started", _("en attente de réponse")  # an operation (or a redirect) exists
    REPORTED = "reported", _("annoncé payé, à confirmer")  # only an unsigned message says so
    PAID = "paid", _("payé")
    REFUSED = "refused", _("refusé")
    ABANDONED = "abandoned", _("abandonné")
    EXPIRED = "expired", _("expiré")
    FAILED = "failed", _("non abouti")  # the provider refused to open it
    REVIEW = "review", _("à examiner")  # the answer does not match the request, or its code is unknown


class TestPaymentState(models.TextChoices):
    """The state of a test payment. It goes from created to one of the last states, and never back."""

    CREATED = "created", _("préparé")
    STARTED = "started", _("en attente de réponse")
    PAID = "paid", _("réussi")
    REFUSED = "refused", _("refusé")
    ABANDONED = "abandoned", _("abandonné")
    EXPIRED = "expired", _("sans réponse")
    FAILED = "failed", _("refusé à l'ouverture")
    REVIEW = "review", _("réponse inattendue")


LIVE = (AttemptState.CREATED, AttemptState.STARTED, AttemptState.REPORTED, AttemptState.REVIEW)

S = AttemptState
EDGES: dict[tuple[AttemptState, AttemptState], str] = {
    (S.CREATED, S.STARTED): "the provider gave an operation",
    (S.CREATED, S.FAILED): "the provider refused the request; nobody can pay it",
    (S.CREATED, S.EXPIRED): "we died or lost the answer: an operation nobody holds cannot be paid",
    (S.STARTED, S.PAID): "the look-up says paid",
    (S.STARTED, S.REFUSED): "the look-up says refused",
    (S.STARTED, S.ABANDONED): "the look-up says abandoned, twice",
    (
        S.STARTED,
        S.EXPIRED,
    ): "unknown for too long (two hours at the Treasury), or its page was used or too old",
    (S.STARTED, S.REVIEW): "the answer does not match what was asked, or its code is not known",
    (S.STARTED, S.REPORTED): "the payer came back with « paid », which nothing proves",
    (S.REPORTED, S.PAID): "staff or the accountant's list confirm it",
    (S.REPORTED, S.REFUSED): "staff say that no money came",
    (S.REFUSED, S.PAID): "the payer tried again and the look-up says paid",
    (S.ABANDONED, S.PAID): "the payer came back to it and the look-up says paid",
    (S.EXPIRED, S.PAID): "it was paid after all: expired is only what we show",
    (S.EXPIRED, S.REFUSED): "the provider's last word",
    (S.EXPIRED, S.ABANDONED): "the provider's last word",
    (S.EXPIRED, S.REVIEW): "a late answer that does not match",
    (S.EXPIRED, S.REPORTED): "the payer came back late with « paid »: the invoice must not be offered again",
    (S.REVIEW, S.PAID): "staff looked and accept it, or the look-up now matches",
    (S.REVIEW, S.REFUSED): "staff looked and no money came",
}
