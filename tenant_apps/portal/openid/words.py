"""What a person reads when signing in with the provider failed: what happened, then what to do."""

from dataclasses import dataclass, replace

from django.utils.translation import gettext as _

from shared_apps.accounts.signing_in.openid import errors
from shared_apps.accounts.signing_in.openid.audience import Audience
from tenant_apps.townhall.identity_provider import IdentityProvider


@dataclass(frozen=True)
class Problem:
    """An error page. `again`: it offers to start again."""

    status: int
    title: str
    sentence: str
    again: bool = True


def problem(error: errors.ProviderError, provider: IdentityProvider) -> Problem:
    """The page for `error`."""
    found = (_words_for_staff if provider.audience is Audience.STAFF else _words)(error)
    named = {"label": provider.label}
    return Problem(found.status, found.title % named, found.sentence % named, found.again)


def _words(error: errors.ProviderError) -> Problem:
    match error:
        case errors.Refused():
            return Problem(
                200,
                _("Vous n'avez pas continué avec %(label)s"),
                _("Rien n'a été changé. Vous pouvez recommencer, ou vous connecter avec votre mot de passe."),
            )
        case errors.AttemptExpired():
            return Problem(
                410,
                _("Cette demande a expiré"),
                _("Trop de temps a passé depuis que vous avez choisi %(label)s. Recommencez : cela suffit."),
            )
        case errors.AttemptUnknown():
            return Problem(
                400,
                _("Cette demande n'est pas connue"),
                _(
                    "Elle a déjà servi, ou elle a été commencée dans un autre navigateur. Par prudence, nous ne vous "
                    "avons pas connecté. Recommencez depuis cette page."
                ),
            )
        case errors.Unreachable():
            return Problem(
                503,
                _("%(label)s ne répond pas"),
                _(
                    "Attendez quelques minutes, puis recommencez. Vous pouvez aussi vous connecter tout de suite avec "
                    "votre adresse et votre mot de passe."
                ),
            )
        case errors.Misconfigured():
            return Problem(
                503,
                _("%(label)s n'est pas disponible pour le moment"),
                _(
                    "Un réglage de la commune est à revoir ; recommencer n'y changera rien. Connectez-vous avec votre "
                    "adresse et votre mot de passe, et prévenez la commune par la page Contact."
                ),
                again=False,
            )
        case _:
            return Problem(
                400,
                _("La réponse de %(label)s n'a pas pu être vérifiée"),
                _(
                    "Par prudence, nous ne vous avons pas connecté, et rien n'a été changé. Recommencez ; si cela se "
                    "reproduit, connectez-vous avec votre mot de passe et prévenez la commune par la page Contact."
                ),
            )


def _words_for_staff(error: errors.ProviderError) -> Problem:
    """The same, for people who have no password perhaps, and a manager next door."""
    match error:
        case errors.Refused():
            sentence = _("Rien n'a été changé. Vous pouvez recommencer.")
        case errors.Unreachable():
            sentence = _(
                "Attendez quelques minutes, puis recommencez. Une clé d'accès, si vous en avez une, sert toujours."
            )
        case errors.Misconfigured():
            sentence = _(
                "Un réglage de la commune est à revoir ; recommencer n'y changera rien. Prévenez un responsable."
            )
        case errors.AttemptUnknown() | errors.AttemptExpired():
            return _words(error)
        case _:
            sentence = _(
                "Par prudence, nous ne vous avons pas connecté, et rien n'a été changé. Recommencez ; si cela se "
                "reproduit, prévenez un responsable de la commune."
            )
    return replace(_words(error), sentence=sentence)


def taken(label: str) -> Problem:
    """The page for a signed-in person whose identity is already linked to another account."""
    return Problem(
        409,
        _("Cette identité est déjà reliée à un autre compte"),
        _(
            "Chaque identité %(label)s n'est reliée qu'à un compte de ce portail. Si ce n'est pas la vôtre, "
            "déconnectez-vous d'abord de %(label)s. Pour changer, connectez-vous à l'autre compte et supprimez-y le "
            "lien."
        )
        % {"label": label},
        again=False,
    )
