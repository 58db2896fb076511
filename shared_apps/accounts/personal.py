"""What this room gives to a person who asks for their data (shared_apps.privacy.personal)."""

from collections.abc import Iterator
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from shared_apps.accounts.models import Account, Link, LinkPurpose, Passkey
from shared_apps.mail import notices
from shared_apps.privacy.personal import Section


def give(account: Account, addresses: frozenset[str]) -> Iterator[Section]:
    """The account, its devices, and the links that were asked for. No password, no secret."""
    yield Section(
        "compte",
        _("Mon compte"),
        [
            ("identifiant", _("Identifiant")),
            ("adresse", _("Adresse e-mail")),
            ("langue", _("Langue")),
            ("messages_refuses", _("Messages refusés")),
            ("fournisseur_d_identite", _("Relié au fournisseur d'identité")),
            ("identite", _("Identité chez ce fournisseur")),
            ("cree_le", _("Créé le")),
            ("active_le", _("Activé le")),
            ("derniere_connexion", _("Dernière connexion")),
            ("second_facteur_depuis", _("Second facteur depuis")),
            ("effacement_demande_le", _("Effacement demandé le")),
            ("effacement_refuse_le", _("Effacement refusé le")),
            ("effacement_reponse", _("Réponse du service")),
        ],
        [
            (
                uuid,
                email,
                language,
                ", ".join(notices.label(kind) for kind in sorted(account.refused)),
                *more,
            )
            for uuid, email, language, *more in Account.objects.filter(pk=account.pk).values_list(
                *("uuid", "email", "language", "identity_issuer", "identity_subject"),
                *("created_at", "activated_at", "last_login", "second_factor__confirmed_at"),
                *("erasure_asked_at", "erasure_refused_at", "erasure_answer"),
            )
        ],
    )
    yield Section(
        "appareils",
        _("Mes appareils connectés"),
        [
            ("navigateur", _("Navigateur")),
            ("systeme", _("Système")),
            ("depuis", _("Connecté depuis")),
            ("vu", _("Vu le")),
        ],
        [(one["browser"], one["system"], one["since"], one["seen"]) for one in account.devices.values()],
    )
    yield Section(
        "cles",
        _("Mes clés d'accès"),
        [
            ("nom", _("Nom")),
            ("hote", _("Adresse du portail")),
            ("ajoutee_le", _("Ajoutée le")),
            ("utilisee_le", _("Utilisée le")),
        ],
        Passkey.objects.filter(account=account)
        .order_by("id")
        .values_list("name", "rp_id", "created_at", "last_used_at"),
    )
    links: Any = Link.objects.filter(Q(account=account) | Q(email__in=addresses)).order_by("id")
    yield Section(
        "liens",
        _("Liens demandés pour mon compte"),
        [
            ("objet", _("Objet")),
            ("adresse", _("Adresse e-mail")),
            ("demande_le", _("Demandé le")),
            ("expire_le", _("Expire le")),
            ("utilise_le", _("Utilisé le")),
        ],
        (
            (LinkPurpose(purpose).label, *row)
            for purpose, *row in links.values_list(
                "purpose", "email", "requested_at", "expires_at", "used_at"
            ).iterator()
        ),
    )
