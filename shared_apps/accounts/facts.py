"""What happens to accounts."""

from django.utils.translation import gettext_lazy as _

from shared_apps.accounts.models import Role
from shared_apps.accounts.team.states import MemberState
from shared_apps.audit.saying import (
    ADDRESS,
    NAME,
    REASON,
    a_list_of,
    address,
    how_many,
    moment,
    one_of,
    truth,
)
from shared_apps.audit.verbs import Fact, Key, declare
from shared_apps.mail import notices

LANGUAGE = Key("language", _("langue"))
REFUSED = Key("refused", _("messages refusés"), a_list_of(notices.label))
ISSUER = Key("issuer", _("fournisseur"))
KEY = Key("key")
ROLE = Key("role", _("rôle"), one_of(Role))
STATE = Key("state", _("état"), one_of(MemberState))
INVITED = (NAME, ROLE, ADDRESS, REASON)
SIGN_COUNT = Key("sign_count", _("compteur"))
WHO = (Key("operator", _("exploitant")), Key("person", _("agent"), address), REASON)

declare(
    Fact("account.created", _("Compte créé"), after=(ROLE,)),
    Fact("account.activated", _("Compte activé")),
    Fact("account.password_reset", _("Mot de passe oublié, puis choisi de nouveau")),
    Fact("account.password_changed", _("Mot de passe changé")),
    Fact("account.address_changed", _("Adresse e-mail du compte changée")),
    Fact(
        "account.address_put_back",
        _("Changement d'adresse annulé"),
        after=(Key("is_active", _("compte encore ouvert"), truth),),
    ),
    Fact("account.alerts_chosen", _("Messages choisis"), before=(REFUSED,), after=(REFUSED,)),
    Fact("account.language_chosen", _("Langue choisie"), before=(LANGUAGE,), after=(LANGUAGE,)),
    Fact("account.device_signed_out", _("Un appareil déconnecté")),
    Fact("account.signed_out_everywhere", _("Déconnexion de tous les appareils")),
    Fact("account.code_used", _("Connexion avec un code reçu par e-mail")),
    Fact("account.code_refused", _("Code refusé")),
    Fact("account.second_factor_enrolled", _("Second facteur mis en place")),
    Fact("account.second_factor_removed", _("Application de codes retirée")),
    Fact("account.second_factor_reset", _("Second facteur oublié"), after=(REASON,)),
    Fact(
        "account.recovery_code_used",
        _("Code de secours utilisé"),
        after=(Key("left", _("restants"), how_many),),
    ),
    Fact("account.recovery_codes_renewed", _("Codes de secours renouvelés")),
    Fact("account.identity_linked", _("Compte relié à un fournisseur d'identité"), after=(ISSUER,)),
    Fact("account.identity_unlinked", _("Fournisseur d'identité retiré"), before=(ISSUER,)),
    Fact("account.passkey_added", _("Clé d'accès ajoutée"), after=(KEY,)),
    Fact("account.passkey_renamed", _("Clé d'accès renommée"), after=(KEY,)),
    Fact("account.passkey_removed", _("Clé d'accès retirée"), before=(KEY,)),
    Fact(
        "account.passkey_refused",
        _("Clé d'accès refusée : son compteur a reculé"),
        before=(KEY, SIGN_COUNT),
        after=(SIGN_COUNT,),
    ),
    Fact("impersonation.asked", _("Intervention demandée"), after=WHO),
    Fact(
        "impersonation.started",
        _("Intervention commencée"),
        after=(*WHO, Key("until", _("jusqu'à"), moment)),
    ),
    Fact("impersonation.ended", _("Intervention terminée")),
    Fact("member.invited", _("Personne invitée dans l'équipe"), after=INVITED),
    Fact("member.invited_again", _("Invitation renvoyée"), after=INVITED),
    Fact("member.joined", _("Invitation acceptée")),
    Fact("member.changed", _("Membre de l'équipe changé"), before=(NAME, ROLE), after=(NAME, ROLE)),
    Fact("member.suspended", _("Membre de l'équipe suspendu"), before=(STATE,), after=(STATE,)),
    Fact("member.resumed", _("Membre de l'équipe rétabli"), before=(STATE,), after=(STATE,)),
    Fact("member.removed", _("Membre retiré de l'équipe"), before=(STATE,), after=(STATE,)),
    room=__name__,
    objects={"account": _("compte")},
)
