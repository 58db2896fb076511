"""What staff are told about their own account: whoever changes how it opens, its address learns of it."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from shared_apps.mail.content import Content, Sender
from shared_apps.mail.notices import Audience, Notice, declare

PAGE = "/gestion/mon-compte/"


def _said(sender: Sender, *, subject: str, sentence: str, more: str) -> Content:
    return Content(
        subject=f"{subject} – {sender.town}",
        sentence=sentence,
        button_label=_("Voir mon compte"),
        button_url=f"{sender.address}{PAGE}",
        more=(more,),
        why=_(
            "Vous recevez ce message parce que cette adresse est celle de votre compte d'agent, pour votre sécurité."
        ),
    )


def _not_you() -> str:
    return _(
        "Ce n'est pas vous ? Changez tout de suite votre mot de passe, déconnectez vos autres appareils, et prévenez "
        "un responsable de votre commune."
    )


def _application_added(sender: Sender) -> Content:
    """To the account's address: an application shows codes for it from now on."""
    return _said(
        sender,
        subject=_("Une application de codes protège votre compte"),
        sentence=_(
            "Une application de codes vient d'être ajoutée à votre compte : son code vous sera demandé à chaque "
            "connexion. Si c'est bien vous, ne faites rien."
        ),
        more=_not_you(),
    )


def _application_removed(sender: Sender) -> Content:
    """To the account's address: the application's codes open nothing any more."""
    return _said(
        sender,
        subject=_("L'application de codes est retirée de votre compte"),
        sentence=_(
            "L'application de codes vient d'être retirée de votre compte : ses codes ne servent plus. Si c'est bien "
            "vous, ne faites rien."
        ),
        more=_not_you(),
    )


def _factor_forgotten(sender: Sender) -> Content:
    """To whoever lost the second factor: a manager or the operator has taken it away."""
    return _said(
        sender,
        subject=_("Le second facteur de votre compte est oublié"),
        sentence=_(
            "À la demande de votre commune, l'application de codes et les clés d'accès de votre compte ne servent "
            "plus. Connectez-vous avec votre mot de passe, puis protégez de nouveau votre compte."
        ),
        more=_(
            "Vous n'avez rien demandé ? Prévenez tout de suite un responsable de votre commune, et changez votre mot "
            "de passe."
        ),
    )


def _recovery_code_used(sender: Sender, *, left: int) -> Content:
    """To the account's address: one of the ten codes has served."""
    return _said(
        sender,
        subject=_("Un code de secours vient de servir"),
        sentence=ngettext(
            "Quelqu'un s'est connecté à votre compte avec un code de secours. Il vous en reste %(n)d.",
            "Quelqu'un s'est connecté à votre compte avec un code de secours. Il vous en reste %(n)d.",
            left,
        )
        % {"n": left},
        more=_not_you(),
    )


def _key_added(sender: Sender, *, name: str) -> Content:
    """To the account's address: a passkey opens it from now on."""
    return _said(
        sender,
        subject=_("Une clé d'accès a été ajoutée à votre compte"),
        sentence=_(
            "La clé d'accès « %(name)s » vient d'être ajoutée à votre compte : elle permet de se connecter sans mot "
            "de passe. Si c'est bien vous, ne faites rien."
        )
        % {"name": name},
        more=_not_you(),
    )


def _key_removed(sender: Sender, *, name: str) -> Content:
    """To the account's address: a passkey opens nothing any more."""
    return _said(
        sender,
        subject=_("Une clé d'accès a été retirée de votre compte"),
        sentence=_(
            "La clé d'accès « %(name)s » vient d'être retirée de votre compte : elle ne permet plus de s'y connecter. "
            "Si c'est bien vous, ne faites rien."
        )
        % {"name": name},
        more=_not_you(),
    )


def _identity_linked(sender: Sender, *, label: str) -> Content:
    """To the account's address: the town's provider opens it from now on."""
    return _said(
        sender,
        subject=_("%(label)s ouvre votre compte") % {"label": label},
        sentence=_(
            "Votre compte d'agent est maintenant relié à %(label)s : vous vous connectez avec %(label)s, sans écrire "
            "de mot de passe. Si c'est bien vous, ne faites rien."
        )
        % {"label": label},
        more=_not_you(),
    )


def _identity_unlinked(sender: Sender, *, label: str) -> Content:
    """To the account's address: the town's provider opens it no more."""
    return _said(
        sender,
        subject=_("%(label)s n'ouvre plus votre compte") % {"label": label},
        sentence=_(
            "Votre compte d'agent n'est plus relié à %(label)s : pour vous connecter, écrivez votre adresse et votre "
            "mot de passe. Si c'est bien vous, ne faites rien."
        )
        % {"label": label},
        more=_not_you(),
    )


APPLICATION_ADDED = declare(
    Notice(
        kind="staff-application-added",
        title=gettext_lazy("Application de codes ajoutée (agent)"),
        audience=Audience.PERSON,
        when="a member of staff sets up an application of codes",
        words=_application_added,
    )
)
FACTOR_REMOVED = declare(
    Notice(
        kind="staff-application-removed",
        title=gettext_lazy("Application de codes retirée (agent)"),
        audience=Audience.PERSON,
        when="a member of staff removes their application of codes",
        words=_application_removed,
    )
)
FACTOR_FORGOTTEN = declare(
    Notice(
        kind="staff-factor-forgotten",
        title=gettext_lazy("Second facteur oublié (agent)"),
        audience=Audience.PERSON,
        when="a manager or the operator forgets the second factor of a member of staff who lost it",
        words=_factor_forgotten,
    )
)
RECOVERY_CODE_USED = declare(
    Notice(
        kind="staff-recovery-code-used",
        title=gettext_lazy("Code de secours utilisé (agent)"),
        audience=Audience.PERSON,
        when="a member of staff signs in with a recovery code",
        words=_recovery_code_used,
    )
)
STAFF_KEY_ADDED = declare(
    Notice(
        kind="staff-key-added",
        title=gettext_lazy("Clé d'accès ajoutée (agent)"),
        audience=Audience.PERSON,
        when="a member of staff adds a passkey",
        words=_key_added,
    )
)
STAFF_KEY_REMOVED = declare(
    Notice(
        kind="staff-key-removed",
        title=gettext_lazy("Clé d'accès retirée (agent)"),
        audience=Audience.PERSON,
        when="a member of staff takes a passkey away",
        words=_key_removed,
    )
)
STAFF_IDENTITY_LINKED = declare(
    Notice(
        kind="staff-identity-linked",
        title=gettext_lazy("Compte relié à un fournisseur d'identité (agent)"),
        audience=Audience.PERSON,
        when="a member of staff links their account to the town's provider, or accepts the invitation with it",
        words=_identity_linked,
    )
)
STAFF_IDENTITY_UNLINKED = declare(
    Notice(
        kind="staff-identity-unlinked",
        title=gettext_lazy("Fournisseur d'identité retiré (agent)"),
        audience=Audience.PERSON,
        when="a member of staff undoes that link",
        words=_identity_unlinked,
    )
)
