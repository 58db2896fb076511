"""The console's forms, dressed as unfold's own."""

from typing import Any, cast

from django import forms
from unfold.widgets import (
    UnfoldAdminEmailInputWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from shared_apps.accounts.passwords.rule import PasswordRule
from shared_apps.console.models import Platform
from shared_apps.console.townlist.reading import TownList, read
from tenants.current import REGISTRY, shard_aliases
from tenants.life.town_closure import LONGEST
from tenants.models import Town
from toolkit.forms.address_fields import AddressFormField
from toolkit.reading.errors import FileError

_ADDRESS = {
    "invalid": "Écrivez des lettres minuscules sans accent, des chiffres et des tirets : pas d'espace, pas de point."
}
OPERATOR_RULE = PasswordRule()  # twelve characters, and not a common password


class ConsoleForm(forms.Form):
    """A form whose fields get unfold's widgets."""

    required_css_class = "required"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})
        for field in self.fields.values():
            attrs = {**field.widget.attrs, **({"required": True} if field.required else {})}
            choices = getattr(field, "choices", None)
            kind = _WIDGETS.get(type(field.widget))
            if kind is not None:
                field.widget = kind(attrs=attrs)
                field.widget.is_required = field.required
                if choices is not None:
                    field.widget.choices = choices


def reason() -> forms.CharField:
    return forms.CharField(
        label="Motif",
        max_length=500,
        help_text="Il reste dans le journal.",
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": "Écrivez le motif : il reste dans le journal."},
    )


_WIDGETS: dict[type[forms.Widget], Any] = {
    forms.NumberInput: UnfoldAdminIntegerFieldWidget,
    forms.TextInput: UnfoldAdminTextInputWidget,
    forms.EmailInput: UnfoldAdminEmailInputWidget,
    forms.PasswordInput: UnfoldAdminPasswordWidget,
    forms.Textarea: UnfoldAdminTextareaWidget,
    forms.Select: UnfoldAdminSelectWidget,
    forms.CheckboxInput: UnfoldBooleanWidget,
}


class PasswordStep(ConsoleForm):
    """First the password."""

    email = AddressFormField(
        label="Adresse e-mail",
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True}),
        error_messages={
            "required": "Écrivez votre adresse e-mail.",
        },
    )
    password = forms.CharField(
        label="Mot de passe",
        strip=False,
        max_length=256,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        error_messages={"required": "Écrivez votre mot de passe."},
    )


class CodeStep(ConsoleForm):
    """Then the code."""

    code = forms.CharField(
        label="Code de vérification",
        max_length=20,
        help_text="Les six chiffres de l'application, ou un code de secours.",
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "autofocus": True}),
        error_messages={"required": "Écrivez le code que l'application affiche."},
    )


class OwnPasswordForm(ConsoleForm):
    """An operator's own password."""

    current = forms.CharField(
        label="Mot de passe actuel",
        strip=False,
        max_length=256,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    new = forms.CharField(
        label="Nouveau mot de passe",
        strip=False,
        max_length=300,
        help_text=OPERATOR_RULE.sentence,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )


class TownForm(ConsoleForm):
    """Base of forms about `town`. A destructive act asks for its address to be typed."""

    def __init__(self, *args: Any, town: Town, danger: bool = False, **kwargs: Any) -> None:
        self.town = town
        super().__init__(*args, **kwargs)
        if danger:
            self.fields["confirmation"] = forms.CharField(
                label=f"Pour confirmer, écrivez « {town.slug} »",
                max_length=40,
                widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off", "required": True}),
                error_messages={"required": f"Écrivez « {town.slug} » pour confirmer."},
            )

    def clean_confirmation(self) -> str:
        """The address, exactly."""
        if self.cleaned_data["confirmation"].strip() != self.town.slug:
            raise forms.ValidationError(f"Ce n'est pas l'adresse de cette commune : « {self.town.slug} ».")
        return self.town.slug


class ReasonForm(TownForm):
    """Why."""

    reason = reason()


class InviteForm(TownForm):
    """A manager to invite, and why."""

    name = forms.CharField(label="Prénom et nom", max_length=80)
    email = AddressFormField(
        label="Adresse e-mail professionnelle",
        help_text="L'invitation y arrive ; son lien est valable 7 jours.",
    )
    reason = reason()


class RenameForm(TownForm):
    """The new address."""

    slug = forms.SlugField(
        label="Nouvelle adresse",
        max_length=40,
        error_messages=_ADDRESS,
        help_text="Lettres minuscules, chiffres et tirets. Elle précède le nom de la plateforme.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class MoveForm(TownForm):
    """Another database."""

    shard = forms.ChoiceField(label="Vers la base")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(shard, shard) for shard in shard_aliases() if shard != self.town.shard]
        cast(forms.ChoiceField, self.fields["shard"]).choices = choices


class DomainForm(TownForm):
    """A host name."""

    host = forms.CharField(
        label="Nom de domaine",
        max_length=240,
        help_text="Par exemple factures.pechabou.fr, sans « https:// ».",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class ShardForm(ConsoleForm):
    """Base of forms that choose a database; the field is absent while there is only one."""

    shard = forms.ChoiceField(label="Base de données", required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.order_fields([name for name in self.fields if name != "shard"])  # the last question
        choices = shard_aliases()
        if len(choices) == 1:
            del self.fields["shard"]
        else:
            cast(forms.ChoiceField, self.fields["shard"]).choices = [(shard, shard) for shard in choices]

    def clean(self) -> dict[str, Any]:
        """Choose the only database when there is no choice."""
        data = super().clean() or self.cleaned_data
        return {**data, "shard": data.get("shard") or REGISTRY}


class RestoreForm(ShardForm):
    """Where an archive comes back."""

    slug = forms.SlugField(
        label="Adresse",
        max_length=40,
        error_messages=_ADDRESS,
        help_text="Celle de la commune si elle n'existe plus, une autre pour en faire une copie.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class ArchiveForm(ConsoleForm):
    """The archive of a town, as a file."""

    archive = forms.FileField(
        label="Archive (ZIP)",
        help_text="Telle que cette plateforme l'a faite : son sceau est vérifié.",
        widget=forms.FileInput(attrs={"accept": ".zip,application/zip"}),
        error_messages={"required": "Choisissez l'archive.", "empty": "Ce fichier est vide."},
    )


class CloseForm(TownForm):
    """When and why."""

    days = forms.IntegerField(
        label="Délai, en jours",
        min_value=1,
        max_value=LONGEST,
        initial=30,
        help_text="Le portail répond jusqu'à la fin de ce jour-là.",
    )
    reason = reason()


class OpenForm(ShardForm):
    """A new town."""

    name = forms.CharField(label="Nom de la commune", max_length=120)
    slug = forms.SlugField(
        label="Adresse",
        max_length=40,
        error_messages=_ADDRESS,
        help_text="Lettres minuscules, chiffres et tirets : pechabou donne pechabou.<la plateforme>.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    contact_email = AddressFormField(
        label="Adresse du service de facturation", help_text="Elle reçoit les messages des habitants."
    )
    manager = AddressFormField(
        label="Premier responsable",
        required=False,
        help_text="Invité par courriel à choisir son mot de passe.",
    )
    legal_name = forms.CharField(label="Nom officiel", max_length=160, required=False)
    siren = forms.CharField(label="SIREN", max_length=9, required=False)
    insee = forms.CharField(label="Code INSEE", max_length=5, required=False)


class DetailsForm(ConsoleForm):
    """The names and numbers of a town in the registry."""

    name = forms.CharField(
        label="Nom de la commune",
        max_length=120,
        help_text="Dans la console et devant l'expéditeur des courriels. Le nom affiché sur le portail se change dans "
        "la gestion de la commune.",
    )
    legal_name = forms.CharField(label="Nom officiel", max_length=160, required=False)
    siren = forms.CharField(label="SIREN", max_length=20, required=False, help_text="Neuf chiffres.")
    insee = forms.CharField(
        label="Code INSEE", max_length=5, required=False, help_text="Cinq caractères, comme 31411 ou 2A004."
    )

    @classmethod
    def of(cls, town: Town) -> "DetailsForm":
        """The form, filled with what the registry holds."""
        return cls(initial={name: getattr(town, name) for name in cls.base_fields})

    def clean_siren(self) -> str:
        """Without the spaces between its digits."""
        return "".join(str(self.cleaned_data["siren"]).split())

    def clean_insee(self) -> str:
        """With a capital for Corsica."""
        return str(self.cleaned_data["insee"]).upper()


class ListForm(ConsoleForm):
    """A list of towns to open; `cleaned_data["list"]` is what was read of it."""

    list = forms.FileField(
        label="Liste des communes (CSV)",
        help_text="Une commune par ligne, mille au plus ; les titres des colonnes sont sur la première ligne.",
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,text/csv"}),
        error_messages={
            "required": "Choisissez le fichier de la liste.",
            "empty": "Ce fichier est vide : la première ligne donne les titres des colonnes.",
        },
    )
    partial = forms.BooleanField(
        label="Ouvrir les autres communes même si des lignes sont à corriger", required=False
    )

    def clean_list(self) -> TownList:
        """Read the file."""
        try:
            return read(self.cleaned_data["list"])
        except FileError as error:
            raise forms.ValidationError(str(error)) from None


class InterventionForm(ConsoleForm):
    """Why the operator takes the place of a member of staff."""

    reason = forms.CharField(
        label="Motif",
        max_length=500,
        help_text="Au moins 10 caractères. Les responsables de la commune le lisent dans leur gestion.",
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Écrivez pourquoi vous intervenez : la commune le lira."},
    )


class ForgetFactorForm(ConsoleForm):
    """Who asked for it, and how the operator made sure of who they are."""

    reason = forms.CharField(
        label="Qui le demande, et comment l'avez-vous vérifié ?",
        min_length=10,
        max_length=500,
        help_text="Au moins 10 caractères. Le journal de la commune le garde.",
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={
            "required": "Écrivez qui le demande et comment vous l'avez vérifié.",
            "min_length": "Écrivez-le en 10 caractères au moins.",
        },
    )


class PlatformForm(ConsoleForm):
    """The platform about itself."""

    name = forms.CharField(label="Nom de la plateforme", max_length=80)
    support_email = AddressFormField(label="Adresse de l'assistance", required=False)
    support_phone = forms.CharField(label="Téléphone de l'assistance", max_length=30, required=False)
    legal_contact = forms.CharField(
        label="Contact légal",
        max_length=1000,
        required=False,
        help_text="Qui exploite la plateforme, et qui en répond.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    banner = forms.CharField(
        label="Annonce aux agents",
        max_length=300,
        required=False,
        help_text="Affichée en haut de chaque page de gestion de toutes les communes, tant qu'elle n'est pas vidée.",
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    @classmethod
    def of(cls, platform: Platform) -> "PlatformForm":
        """The form, filled with the present settings."""
        return cls(initial={name: getattr(platform, name) for name in cls.base_fields})
