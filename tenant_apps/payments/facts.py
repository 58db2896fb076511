"""The facts of the trail that this room records: what happens to money."""

from django.utils.translation import gettext_lazy as _

from shared_apps.audit.saying import (
    AMOUNT,
    ANSWER,
    INVOICE,
    INVOICES,
    REASON,
    day,
    how_many,
    moment,
    money,
    one_of,
)
from shared_apps.audit.verbs import Fact, Key, declare
from tenant_apps.payments.models import FindingKind, Means
from tenant_apps.payments.states import TestPaymentState
from tenant_apps.products.models import Mode

UNALLOCATED = Key("unallocated", _("non affecté"), money)
MEANS = Key("means", _("moyen"), one_of(Means))

declare(
    Fact("attempt.created", _("Paiement en ligne commencé"), after=(INVOICE, INVOICES)),
    Fact("attempt.reported", _("Paiement en ligne signalé par le Trésor public")),
    Fact("attempt.held", _("Paiement en ligne à examiner"), after=(REASON,)),
    Fact("attempt.confirmed", _("Paiement en ligne confirmé par le service")),
    Fact("attempt.refused_by_staff", _("Paiement en ligne refusé par le service")),
    Fact(
        "payment.received",
        _("Règlement en ligne enregistré"),
        after=(AMOUNT, INVOICE, Key("allocated", _("affecté"), money), INVOICES),
    ),
    Fact(
        "payment.booked",
        _("Règlement saisi au guichet"),
        after=(AMOUNT, MEANS, Key("paid_on", _("réglé le"), day), INVOICES),
    ),
    Fact("payment.cancelled", _("Règlement annulé"), before=(AMOUNT, INVOICES), after=(REASON,)),
    Fact(
        "payment.allocated",
        _("Règlement affecté"),
        before=(UNALLOCATED,),
        after=(AMOUNT, UNALLOCATED, INVOICE),
    ),
    Fact(
        "payment.refunded",
        _("Règlement remboursé"),
        before=(UNALLOCATED,),
        after=(AMOUNT, MEANS, REASON, Key("on", _("le"), day)),
    ),
    Fact("allocation.let_go", _("Somme libérée d'une facture"), before=(INVOICE, AMOUNT), after=(AMOUNT,)),
    Fact("invoice.declared_paid", _("« J'ai réglé » déclaré")),
    Fact(
        "declaration.refused",
        _("« J'ai réglé » refusé"),
        before=(Key("declared_at", _("déclaré le"), moment),),
        after=(ANSWER,),
    ),
    Fact(
        "deposit.closed",
        _("Remise close"),
        after=(
            Key("number", _("bordereau")),
            Key("total", _("total"), money),
            Key("count", _("règlements"), how_many),
            MEANS,
            Key("product", _("régie")),
        ),
    ),
    Fact(
        "money.audited",
        _("Comptes vérifiés"),
        after=(Key("differences", _("différences"), how_many),),
    ),
    Fact("money.finding", _("Constat"), after=(Key("kind", _("nature"), one_of(FindingKind)),)),
    Fact("finding.closed", _("Constat clos"), after=(ANSWER,)),
    Fact("trial.created", _("Paiement d'essai commencé"), after=(Key("mode", _("étape"), one_of(Mode)),)),
    Fact(
        "trial.ended",
        _("Paiement d'essai terminé"),
        after=(Key("state", _("état"), one_of(TestPaymentState)),),
    ),
    room=__name__,
    objects={
        "payment": _("règlement"),
        "attempt": _("paiement en ligne"),
        "deposit": _("remise"),
        "finding": _("constat"),
        "trial": _("paiement d'essai"),
    },
)
