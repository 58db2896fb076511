"""What happens to payers: who sees them, under which addresses, and what is erased."""

from django.utils.translation import gettext_lazy as _

from shared_apps.audit.saying import (
    ADDRESS,
    NAME,
    PAYERS,
    REASON,
    a_list_of,
    how_many,
    named_anything,
    one_of,
    truth,
)
from shared_apps.audit.verbs import Fact, Key, declare
from shared_apps.mail import notices
from tenant_apps.residents.states import AccessRequestState

REFUSED = Key("refused", _("messages refusés"), a_list_of(notices.label))
STATE = Key("state", _("état"), one_of(AccessRequestState))
INVITATION = Key("invitation")
ACCOUNT = Key("account")
GIVEN_BY = Key("given_by")
ACCOUNTS = Key("accounts", _("comptes"), how_many)
WATCHED = (
    Key("watched", _("dossier suivi"), truth),
    Key("told", _("qui est prévenu")),
    ACCOUNT,
    Key("alone", _("publie sans personne"), truth),
)
DECIDED = (STATE, Key("payer"), REASON)

declare(
    Fact("source.created", _("Provenance créée"), after=(NAME,)),
    Fact("source.renamed", _("Provenance renommée"), before=(NAME,), after=(NAME,)),
    Fact("source.watched", _("Dossier de dépôt réglé"), before=WATCHED, after=WATCHED),
    Fact("account.address_asked", _("Changement d'adresse demandé")),
    Fact("account.erased", _("Personne effacée"), more=named_anything()),
    Fact("erasure.asked", _("Effacement demandé")),
    Fact("erasure.cancelled", _("Demande d'effacement annulée")),
    Fact("erasure.refused", _("Effacement refusé")),
    Fact("retention.applied", _("Données effacées à la fin de leur durée"), more=named_anything()),
    Fact("access.granted", _("Accès ouvert"), after=(PAYERS, Key("claim"))),
    Fact("access.withdrawn", _("Accès retirés avec l'ancienne adresse"), before=(PAYERS,)),
    Fact("access.invited", _("Invitation envoyée"), after=(INVITATION,)),
    Fact("access.invitation_withdrawn", _("Invitation retirée"), after=(INVITATION,)),
    Fact("access.invitation_accepted", _("Invitation acceptée"), after=(INVITATION, GIVEN_BY)),
    Fact("access.ended", _("Accès terminé"), before=(ACCOUNT, GIVEN_BY)),
    Fact("access.cut", _("Accès coupé"), before=(ACCOUNTS,)),
    Fact("access.restored", _("Accès rétabli"), after=(ACCOUNTS,)),
    Fact("payer_email.added", _("Adresse ajoutée au dossier"), after=(ADDRESS,)),
    Fact("payer_email.removed", _("Adresse retirée du dossier"), after=(ADDRESS,)),
    Fact("payer_email.let_back", _("Adresse de nouveau permise"), after=(ADDRESS,)),
    Fact(
        "payer_email.alerts_refused",
        _("Messages refusés à cette adresse"),
        before=(REFUSED,),
        after=(REFUSED,),
    ),
    Fact(
        "payer_emails.replaced",
        _("Adresses remplacées par la facturation"),
        after=(
            Key("came", _("arrivées"), how_many),
            Key("gone", _("parties"), how_many),
            Key("lapsed", _("accès terminés"), how_many),
            PAYERS,
        ),
    ),
    Fact("claim.asked", _("Rattachement demandé"), after=(Key("number", _("facture")),)),
    Fact("claim.waiting", _("Rattachement à décider"), before=(STATE,), after=DECIDED),
    Fact("claim.accepted", _("Rattachement accepté"), before=(STATE,), after=DECIDED),
    Fact("claim.refused", _("Rattachement refusé"), before=(STATE,), after=DECIDED),
    Fact("claim.withdrawn", _("Rattachement retiré"), before=(STATE,), after=DECIDED),
    Fact("claim.expired", _("Rattachement resté sans réponse"), before=(STATE,), after=DECIDED),
    room=__name__,
    objects={"payer": _("redevable"), "claim": _("demande de rattachement"), "source": _("provenance")},
)
