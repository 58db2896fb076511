"""The form of the town's OpenID Connect provider, of its residents or of its staff."""

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from shared_apps.accounts.signing_in.openid.audience import Audience
from shared_apps.accounts.signing_in.openid.discovery import normalise
from tenant_apps.townhall.identity_provider import DEFAULT_LABELS, IdentityProvider
from toolkit import outside
from toolkit.forms.plain_forms import PlainForm


class IdentityProviderForm(PlainForm):
    """Settings of the provider. `kept`: the stored ones, whose audience this form is for. The page never shows the
    stored secret.
    """

    issuer = forms.CharField(
        label=_("L'adresse du fournisseur"),
        help_text=_(
            "Celle de son service ou de son document de découverte. Pour FranceConnect en service : "
            "https://oidc.franceconnect.gouv.fr/api/v2"
        ),
        max_length=300,
        required=False,
        widget=forms.URLInput(attrs={"autocomplete": "off"}),
    )
    client_id = forms.CharField(
        label=_("L'identifiant client"),
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    secret = forms.CharField(
        label=_("La clé secrète"),
        max_length=300,
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    label = forms.CharField(
        label=_("Le nom sur le bouton"),
        help_text=_("« S'identifier avec … ». FranceConnect si vous ne changez rien."),
        max_length=40,
        required=False,
    )
    enabled = forms.BooleanField(label=_("Le proposer aux usagers sur la page de connexion"), required=False)

    def __init__(self, data: Any = None, *, kept: IdentityProvider) -> None:
        initial = {
            "issuer": kept.issuer,
            "client_id": kept.client_id,
            "label": kept.label,
            "enabled": kept.enabled,
        }
        super().__init__(data, initial=initial)
        self.kept = kept
        if kept.audience is Audience.STAFF:
            self._ask_for_staff(kept)
        self.fields["secret"].help_text = (
            gettext(
                "Elle est enregistrée, et n'est jamais montrée. Laissez vide pour la garder ; avec une autre adresse "
                "de fournisseur, il faut l'écrire à nouveau."
            )
            if kept.secret
            else gettext("Elle est gardée chiffrée, et ne sera plus jamais montrée.")
        )

    def _ask_for_staff(self, kept: IdentityProvider) -> None:
        self.fields["issuer"].help_text = _(
            "Celle de son service ou de son document de découverte. Pour ProConnect en service : "
            "https://auth.agentconnect.gouv.fr/api/v2"
        )
        self.fields["label"].help_text = _("« Se connecter avec … ». ProConnect si vous ne changez rien.")
        self.fields["enabled"].label = _("Le proposer aux agents sur la page de connexion")
        self.fields["required"] = forms.BooleanField(
            label=_("Les agents se connectent seulement ainsi, sans mot de passe"),
            required=False,
            initial=kept.required,
        )

    def clean_issuer(self) -> str:
        issuer = normalise(self.cleaned_data["issuer"])
        try:
            return outside.check(issuer) if issuer else ""
        except outside.OutsideError:
            raise forms.ValidationError(
                _("L'adresse du fournisseur commence par https:// et ne contient ni espace ni mot de passe.")
            ) from None

    def clean_client_id(self) -> str:
        return str(self.cleaned_data["client_id"]).strip()

    def clean_secret(self) -> str:
        return str(self.cleaned_data["secret"]).strip()

    def clean_label(self) -> str:
        return " ".join(str(self.cleaned_data["label"]).split()) or DEFAULT_LABELS[self.kept.audience]

    def _keeps_secret(self, data: dict[str, Any]) -> bool:
        return bool(self.kept.secret and self.kept.sealed_for(data.get("issuer", "")))

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("enabled"):
            missing = {
                "issuer": _("Écrivez l'adresse du fournisseur pour le proposer."),
                "client_id": _("Écrivez l'identifiant client pour proposer ce fournisseur."),
                "secret": _("Écrivez la clé secrète pour proposer ce fournisseur."),
            }
            for name, sentence in missing.items():
                has = data.get(name) or (name == "secret" and self._keeps_secret(data))
                if not has and name not in self.errors:
                    self.add_error(name, sentence)
        return data
