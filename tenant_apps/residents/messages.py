"""What the messages of the `?LIEN=` roads say (docs/manual.md, M2 to M4 and M12). Call under the reader's language."""

from datetime import date

from django.utils.translation import gettext as _

from shared_apps.mail.content import Content
from toolkit import clock


def activation(*, town: str, url: str) -> Content:
    """The first message that a resident gets from us."""
    return Content(
        subject=_("Activez votre compte – %(town)s") % {"town": town},
        sentence=_("Pour voir et régler vos factures en ligne, choisissez le mot de passe de votre compte."),
        button_label=_("Choisir mon mot de passe"),
        button_url=url,
        more=(_("Ce lien est valable 24 heures et ne sert qu'une fois."),),
        why=_(
            "Vous recevez ce message parce que quelqu'un a saisi votre adresse sur notre portail des factures. "
            "Si ce n'est pas vous, ne faites rien : le compte ne sera pas activé."
        ),
    )


def reset(*, town: str, url: str) -> Content:
    """For a forgotten password."""
    return Content(
        subject=_("Votre nouveau mot de passe – %(town)s") % {"town": town},
        sentence=_("Vous avez oublié votre mot de passe ? Choisissez-en un nouveau."),
        button_label=_("Choisir un nouveau mot de passe"),
        button_url=url,
        more=(_("Ce lien est valable 24 heures et ne sert qu'une fois."),),
        why=_(
            "Vous recevez ce message parce que quelqu'un a saisi votre adresse sur notre portail des factures. "
            "Si ce n'est pas vous, ne faites rien : votre mot de passe reste le même."
        ),
    )


def code(*, town: str, code: str) -> Content:
    """Six digits to sign in with. They are not in the subject, which telephones show on a locked screen."""
    return Content(
        subject=_("Votre code de connexion – %(town)s") % {"town": town},
        sentence=_(
            "Pour vous connecter au portail des factures, écrivez ce code sur la page où vous l'avez demandé."
        ),
        code=code,
        more=(
            _("Ce code est valable 10 minutes et ne sert qu'une fois."),
            _("Ne le donnez à personne : aucun agent de la mairie ne vous le demandera."),
        ),
        why=_(
            "Vous recevez ce message parce que quelqu'un a demandé un code pour votre adresse sur notre portail des "
            "factures. Si ce n'est pas vous, ne faites rien : sans ce code, personne ne peut se connecter."
        ),
    )


def no_code_for_staff(*, town: str, url: str) -> Content:
    """To a member of staff, who cannot sign in by code."""
    return Content(
        subject=_("Votre compte d'agent – %(town)s") % {"town": town},
        sentence=_(
            "Un code a été demandé pour vous connecter. Les comptes d'agent s'ouvrent avec leur mot de passe, jamais "
            "avec un code reçu par e-mail."
        ),
        button_label=_("Aller à la connexion"),
        button_url=url,
        why=_(
            "Vous recevez ce message parce que quelqu'un a demandé un code pour votre adresse sur notre portail des "
            "factures. Si ce n'est pas vous, ne faites rien."
        ),
    )


def address(*, town: str, url: str) -> Content:
    """To the new address, which is used once this link is opened."""
    return Content(
        subject=_("Confirmez votre nouvelle adresse – %(town)s") % {"town": town},
        sentence=_(
            "Confirmez cette adresse : elle servira ensuite à vous connecter, à la place de l'ancienne."
        ),
        button_label=_("Confirmer ma nouvelle adresse"),
        button_url=url,
        more=(_("Ce lien est valable 24 heures et ne sert qu'une fois."),),
        why=_(
            "Vous recevez ce message parce que cette adresse a été saisie sur notre portail des factures. "
            "Si ce n'est pas vous, ne faites rien : rien ne changera."
        ),
    )


def address_taken(*, town: str) -> Content:
    """To the owner of that address, so that the screen need not tell a stranger."""
    return Content(
        subject=_("Votre adresse est déjà utilisée – %(town)s") % {"town": town},
        sentence=_(
            "Quelqu'un a demandé à se servir de votre adresse pour un autre compte. Elle est déjà celle du vôtre : "
            "rien n'a été changé."
        ),
        why=_("Vous recevez ce message parce que cette adresse est celle de votre compte."),
    )


def address_changed(*, town: str, url: str, until: date) -> Content:
    """To the old address, which can undo the change until that day."""
    return Content(
        subject=_("Votre adresse a changé – %(town)s") % {"town": town},
        sentence=_(
            "L'adresse qui sert à vous connecter au portail des factures vient d'être remplacée. "
            "Si c'est bien vous, ne faites rien."
        ),
        button_label=_("Ce n'est pas moi : rétablir mon adresse"),
        button_url=url,
        more=(
            _(
                "Ce lien est valable jusqu'au %(day)s et ne sert qu'une fois. Il rétablit cette adresse, déconnecte "
                "tous les appareils, retire les clés d'accès et vous fait choisir un nouveau mot de passe."
            )
            % {"day": clock.in_words(until)},
        ),
        why=_("Vous recevez ce message à votre ancienne adresse, pour votre sécurité."),
    )


def address_put_back(*, town: str) -> Content:
    """To the address that was used meanwhile."""
    return Content(
        subject=_("Votre adresse ne sert plus – %(town)s") % {"town": town},
        sentence=_(
            "Le changement d'adresse d'un compte du portail des factures a été annulé depuis son ancienne adresse : "
            "la vôtre ne sert plus à se connecter à ce compte."
        ),
        why=_(
            "Vous recevez ce message parce que votre adresse avait remplacé une autre adresse. "
            "Si vous pensez que c'est une erreur, écrivez-nous depuis la page Contact."
        ),
    )


def invitation(*, town: str, url: str, inviter: str, until: date) -> Content:
    """To the invited address. The payer is named only once the link is opened."""
    return Content(
        subject=_("Accès à des factures – %(town)s") % {"town": town},
        sentence=_("%(inviter)s vous propose de voir et de régler ses factures sur le portail de la commune.")
        % {"inviter": inviter},
        button_label=_("Voir l'invitation"),
        button_url=url,
        more=(
            _("Ce lien est valable jusqu'au %(day)s et ne sert qu'une fois.")
            % {"day": clock.in_words(until)},
        ),
        why=_(
            "Vous recevez ce message parce que quelqu'un a saisi votre adresse sur notre portail des factures. "
            "Si vous ne connaissez pas cette personne, ne faites rien : aucun accès ne sera ouvert."
        ),
    )


def invitation_accepted(*, town: str, email: str, payer: str, url: str) -> Content:
    """To the person who invited."""
    return Content(
        subject=_("Votre invitation est acceptée – %(town)s") % {"town": town},
        sentence=_(
            "%(email)s voit maintenant les factures de %(payer)s. Vous pouvez y mettre fin à tout moment."
        )
        % {"email": email, "payer": payer},
        button_label=_("Voir qui a accès"),
        button_url=url,
        why=_(
            "Vous recevez ce message parce que vous avez invité cette personne sur le portail des factures."
        ),
    )


def key_added(*, town: str, name: str, url: str) -> Content:
    """To the account's address: a passkey was added."""
    return Content(
        subject=_("Une clé d'accès a été ajoutée – %(town)s") % {"town": town},
        sentence=_(
            "Une clé d'accès, « %(name)s », vient d'être ajoutée à votre compte du portail des factures : elle permet "
            "de s'y connecter sans mot de passe. Si c'est bien vous, ne faites rien."
        )
        % {"name": name},
        button_label=_("Voir mes clés d'accès"),
        button_url=url,
        more=(
            _(
                "Ce n'est pas vous ? Retirez cette clé, choisissez un nouveau mot de passe, puis appuyez sur "
                "« Se déconnecter partout » dans « Mes informations »."
            ),
        ),
        why=_(
            "Vous recevez ce message parce que cette adresse est celle de votre compte, pour votre sécurité."
        ),
    )


def key_removed(*, town: str, name: str, url: str) -> Content:
    """To the account's address: a passkey was removed."""
    return Content(
        subject=_("Une clé d'accès a été retirée – %(town)s") % {"town": town},
        sentence=_(
            "La clé d'accès « %(name)s » vient d'être retirée de votre compte du portail des factures : elle ne "
            "permet plus de s'y connecter. Si c'est bien vous, ne faites rien."
        )
        % {"name": name},
        button_label=_("Voir mes clés d'accès"),
        button_url=url,
        more=(
            _(
                "Ce n'est pas vous ? Choisissez un nouveau mot de passe, puis appuyez sur « Se déconnecter partout » "
                "dans « Mes informations ». Vous pourrez ensuite ajouter de nouveau votre clé."
            ),
        ),
        why=_(
            "Vous recevez ce message parce que cette adresse est celle de votre compte, pour votre sécurité."
        ),
    )


def identity_linked(*, town: str, label: str, url: str) -> Content:
    """To the account's address: it can be opened through the OpenID provider."""
    return Content(
        subject=_("%(label)s est relié à votre compte – %(town)s") % {"label": label, "town": town},
        sentence=_(
            "Votre compte est maintenant relié à %(label)s : vous pouvez vous connecter avec %(label)s, sans écrire "
            "votre mot de passe."
        )
        % {"label": label},
        button_label=_("Voir mes façons de me connecter"),
        button_url=url,
        more=(
            _(
                "Si ce n'est pas vous, supprimez ce lien, puis changez votre mot de passe : quelqu'un d'autre le "
                "connaît."
            ),
        ),
        why=_("Vous recevez ce message parce que cette adresse est celle de votre compte."),
    )


def identity_unlinked(*, town: str, label: str, url: str) -> Content:
    """To the account's address: the provider no longer opens it."""
    return Content(
        subject=_("%(label)s n'est plus relié à votre compte – %(town)s") % {"label": label, "town": town},
        sentence=_(
            "Votre compte n'est plus relié à %(label)s : pour vous connecter, écrivez votre adresse et votre mot de "
            "passe."
        )
        % {"label": label},
        button_label=_("Voir mes façons de me connecter"),
        button_url=url,
        more=(_("Si ce n'est pas vous, changez votre mot de passe : quelqu'un d'autre le connaît."),),
        why=_("Vous recevez ce message parce que cette adresse est celle de votre compte."),
    )


def erasure_asked(*, town: str, address: str, until: date) -> Content:
    """To the person who asked to be erased: what happens next, and how to stop it."""
    return Content(
        subject=_("Votre demande d'effacement – %(town)s") % {"town": town},
        sentence=_(
            "Nous avons bien reçu votre demande d'effacement de vos données. Le service vous répondra au plus tard le "
            "%(day)s."
        )
        % {"day": clock.in_words(until)},
        button_label=_("Voir ou annuler ma demande"),
        button_url=f"{address}/mes-informations/mes-donnees/effacement/",
        more=(
            _(
                "Si ce n'est pas vous, annulez cette demande et changez votre mot de passe dans « Mes informations »."
            ),
        ),
        why=_("Vous recevez ce message parce que cette demande a été faite depuis votre compte."),
    )


def erasure_to_answer(*, town: str, url: str, until: date) -> Content:
    """To the service, without a name, so that no mailbox keeps what will be erased."""
    return Content(
        subject=_("Une demande d'effacement attend une réponse – %(town)s") % {"town": town},
        sentence=_(
            "Un usager demande l'effacement de ses données. La loi demande une réponse au plus tard le %(day)s."
        )
        % {"day": clock.in_words(until)},
        button_label=_("Ouvrir la demande"),
        button_url=url,
        why=_("Vous recevez ce message parce que cette adresse est celle du service de facturation."),
    )


def erasure_refused(*, town: str, answer: str) -> Content:
    """The town's own words, and where to complain (GDPR, article 12.4)."""
    return Content(
        subject=_("Votre demande d'effacement est refusée – %(town)s") % {"town": town},
        sentence=_("Vous avez demandé l'effacement de vos données. Voici notre réponse : %(answer)s")
        % {"answer": answer},
        more=(_("Si vous n'êtes pas d'accord, vous pouvez saisir la CNIL : https://www.cnil.fr/plaintes"),),
        why=_("Vous recevez ce message parce que vous avez demandé l'effacement de vos données."),
    )


def erased(*, town: str) -> Content:
    """The last message to this address."""
    return Content(
        subject=_("Vos données sont effacées – %(town)s") % {"town": town},
        sentence=_("Votre compte du portail des factures et les données qui s'y rattachent sont effacés."),
        more=(
            _(
                "Vos factures et vos règlements sont conservés par la commune le temps que demandent les règles de la "
                "comptabilité publique."
            ),
            _("Ce message est le dernier : une fois envoyé, votre adresse n'est plus gardée par le portail."),
        ),
        why=_("Vous recevez ce message parce que vous avez demandé l'effacement de vos données."),
    )
