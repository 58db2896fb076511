"""The forms of « Mon compte »."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from toolkit.forms.plain_forms import PlainForm


def _password(label: Any, autocomplete: str, missing: Any) -> forms.CharField:
    """A password, taken as typed."""
    return forms.CharField(
        label=label,
        strip=False,
        max_length=256,
        widget=forms.PasswordInput(attrs={"autocomplete": autocomplete}),
        error_messages={"required": missing},
    )


class OwnPasswordForm(PlainForm):
    """Change the password: the present one, then the new one."""

    current = _password(
        _("Mon mot de passe actuel"), "current-password", _("Écrivez votre mot de passe actuel.")
    )
    new = _password(_("Mon nouveau mot de passe"), "new-password", _("Écrivez votre nouveau mot de passe."))


class OwnNameForm(PlainForm):
    """What colleagues read."""

    name = forms.CharField(
        label=_("Mon prénom et mon nom"),
        help_text=_("Vos collègues le lisent à côté de ce que vous avez fait."),
        max_length=80,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        error_messages={
            "required": _("Écrivez votre prénom et votre nom."),
            "max_length": _("80 caractères au plus."),
        },
    )


class ProofForm(PlainForm):
    """The password again, before a change of how the account opens."""

    password = _password(_("Mon mot de passe"), "current-password", _("Écrivez votre mot de passe."))


class CodeForm(PlainForm):
    """The six digits that the application shows."""

    code = forms.CharField(
        label=_("Le code que l'application affiche"),
        max_length=20,
        help_text=_("6 chiffres, avec ou sans espaces."),
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
        error_messages={
            "required": _("Écrivez le code que votre application affiche."),
            "max_length": _("Ce code est trop long : écrivez les 6 chiffres, et rien d'autre."),
        },
    )


class KeyNameForm(PlainForm):
    """A passkey's name."""

    name = forms.CharField(
        label=_("Le nom de cette clé"),
        max_length=60,
        help_text=_("Par exemple : mon téléphone."),
        error_messages={
            "required": _("Écrivez un nom pour cette clé."),
            "max_length": _("Écrivez un nom plus court : 60 caractères au plus."),
        },
    )
