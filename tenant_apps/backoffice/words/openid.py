"""The words of the page of a provider; « Essayer » fetches what it publishes, and says plainly what is wrong."""

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from shared_apps.accounts.signing_in.openid.audience import Audience
from shared_apps.accounts.signing_in.openid.discovery import discover, keys
from shared_apps.accounts.signing_in.openid.errors import Misconfigured, Unreachable


@dataclass(frozen=True)
class ConnectionTest:
    """The outcome, ready to show."""

    good: bool
    sentences: list[str]


@dataclass(frozen=True)
class PageWords:
    """What the page says, besides the form."""

    link: str  # in the title of the browser's tab
    title: str
    intro: str
    asked: str  # the data that the town is to ask the provider for
    saved: str


def page_words(audience: Audience) -> PageWords:
    """The words for the provider of `audience`."""
    if audience is Audience.STAFF:
        return PageWords(
            link=_("Connexion des agents"),
            title=_("Connexion des agents"),
            intro=_(
                "Les agents peuvent se connecter sans mot de passe, avec ProConnect ou le fournisseur d'identité de "
                "la commune. Seules entrent les personnes de l'équipe, une fois reliées ; leur second facteur leur "
                "est toujours demandé."
            ),
            asked=_("prénom, nom d'usage, adresse e-mail professionnelle"),
            saved=_("Les réglages de connexion des agents sont enregistrés."),
        )
    return PageWords(
        link=_("FranceConnect"),
        title=_("Connexion par FranceConnect"),
        intro=_(
            "Les usagers peuvent se connecter sans mot de passe, avec FranceConnect ou un autre fournisseur OpenID "
            "Connect. La commune demande ses propres clés au fournisseur. Les agents ont leur propre page."
        ),
        asked=_("prénom, nom, date de naissance, adresse e-mail"),
        saved=_("Les réglages de connexion sont enregistrés."),
    )


def try_provider(issuer: str, audience: Audience) -> ConnectionTest:
    """Fetch the provider's document and keys. Never raises: every error becomes a sentence."""
    try:
        provider = discover(issuer, fresh=True)
        found, _fetched = keys(provider, fresh=True)
    except Unreachable:
        return ConnectionTest(
            False,
            [
                _(
                    "Le fournisseur ne répond pas. Vérifiez l'adresse ; si elle est bonne, recommencez plus tard."
                )
            ],
        )
    except Misconfigured as error:
        return ConnectionTest(False, [_wrong(error.kind)])
    if provider.jwks and not found:
        return ConnectionTest(False, [_wrong("keys")])
    sentences = [_("L'adresse est la bonne : le fournisseur y publie ce qu'il faut.")]
    if found:
        sentences.append(
            ngettext("%(n)d clé de signature lue.", "%(n)d clés de signature lues.", len(found))
            % {"n": len(found)}
        )
    sentences.append(
        _("Se déconnecter d'ici déconnecte aussi de là-bas.")
        if provider.end_session
        else _(
            "Le fournisseur ne propose pas de déconnexion : se déconnecter d'ici ne déconnecte pas de là-bas."
        )
    )
    sentences.append(
        _(
            "L'identifiant client et la clé secrète ne se vérifient qu'en se connectant : reliez votre compte, dans "
            "« Mon compte », avant de prévenir l'équipe."
        )
        if audience is Audience.STAFF
        else _(
            "L'identifiant client et la clé secrète ne se vérifient qu'en se connectant : essayez avec un compte "
            "d'usager avant de prévenir les habitants."
        )
    )
    return ConnectionTest(True, sentences)


def _wrong(kind: str) -> str:
    nowhere = _("Cette adresse n'existe pas sur Internet. Vérifiez qu'elle a été copiée en entier.")
    not_json = _("À cette adresse, rien ne ressemble à un fournisseur OpenID Connect. Vérifiez-la.")
    return {
        "address": _("L'adresse commence par https:// et ne contient ni espace ni mot de passe."),
        "unknown": nowhere,
        "inside": nowhere,
        "certificate": _(
            "Le certificat de ce site n'est pas valable : par prudence, rien ne lui a été demandé."
        ),
        "redirect": _("Cette adresse renvoie vers une autre. Écrivez directement l'adresse finale."),
        "size": not_json,
        "form": not_json,
        "status": not_json,
        "issuer": _(
            "Le fournisseur répond, mais sous un autre nom : écrivez l'adresse exacte qu'il vous a donnée."
        ),
        "endpoints": _(
            "Le fournisseur publie une adresse qui manque ou qui n'est pas en https : prévenez-le."
        ),
        "keys": _("Les clés de signature du fournisseur sont illisibles : prévenez-le."),
        "algorithms": _(
            "Le fournisseur signe d'une façon que ce portail n'accepte pas (ES256, RS256, PS256, HS256)."
        ),
        "methods": _(
            "Le fournisseur attend une clé d'une autre sorte qu'une clé secrète : demandez-lui-en une."
        ),
    }.get(kind, not_json)
