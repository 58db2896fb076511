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
    (S.CREATED, S.EXPIRED): "our call got no answer: nobody got an operation, so nobody can pay it",
    (S.STARTED, S.PAID): "the provider answers: paid",
    (S.STARTED, S.REFUSED): "the provider answers: refused",
    (S.STARTED, S.ABANDONED): "the provider answers twice: abandoned",
    (
        S.STARTED,
        S.EXPIRED,
    ): "no result in time (two hours at the Treasury), or its page was used or too old",
    (S.STARTED, S.REVIEW): "the answer does not match the request, or its code is unknown",
    (S.STARTED, S.REPORTED): "an unsigned report says paid",
    (S.REPORTED, S.PAID): "staff or the accountant's list confirm the money",
    (S.REPORTED, S.REFUSED): "staff say that no money came",
    (S.REFUSED, S.PAID): "the payer tried again, and the provider answers: paid",
    (S.ABANDONED, S.PAID): "the payer came back to the page, and the provider answers: paid",
    (S.EXPIRED, S.PAID): "the provider answers late: paid",
    (S.EXPIRED, S.REFUSED): "the provider answers late: refused",
    (S.EXPIRED, S.ABANDONED): "the provider answers late: abandoned",
    (S.EXPIRED, S.REVIEW): "a late answer that does not match",
    (S.EXPIRED, S.REPORTED): "an unsigned report says paid late: the invoice must not be paid twice",
    (S.REVIEW, S.PAID): "staff accept it, or a new answer matches the request",
    (S.REVIEW, S.REFUSED): "staff say that no money came",
}
