"""The forms of the back office: imports, the town, its products."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shared_apps.audit import services as audit
from shared_apps.mail import notices
from tenant_apps.backoffice.templatetags.gestion import megabytes
from tenant_apps.invoices.importing import registry
from tenant_apps.residents import sources
from tenant_apps.residents.models import Source
from tenant_apps.townhall.models import HEX_COLOUR, TownHall
from toolkit.colour import contrast, mix
from toolkit.forms.plain_forms import PlainForm, PlainModelForm

LIGHT = "#f6f5f1"  # the page's background (ui.css, --ground)
VISIBLE = 3.0  # WCAG 2.2, 1.4.11: the contrast that buttons and other graphics need with their background


OTHER_SOURCE = "autre"


class ImportForm(PlainForm):
    """The two files of an import, and their source.

    When the town has several sources, none is chosen beforehand: the same code names another person in another
    source.
    """

    source = forms.ChoiceField(
        label=gettext_lazy("D'où vient ce fichier"),
        help_text=gettext_lazy("Un même code désigne des personnes différentes d'une provenance à l'autre."),
        error_messages={
            "required": gettext_lazy("Choisissez d'où vient ce fichier."),
            "invalid_choice": gettext_lazy("Choisissez d'où vient ce fichier."),
        },
    )
    new_source = forms.CharField(
        label=gettext_lazy("Le nom de cette autre provenance"),
        help_text=gettext_lazy("Le logiciel ou le budget, par exemple « Eau » ou « Cantine »."),
        max_length=sources.LONGEST,
        required=False,
    )
    rows = forms.FileField(
        widget=forms.FileInput(),
        error_messages={"empty": gettext_lazy("Le fichier des factures est vide : choisissez-en un autre.")},
    )
    documents = forms.FileField(
        required=False,
        widget=forms.FileInput(),
        error_messages={"empty": gettext_lazy("L'archive des PDF est vide : choisissez-en une autre.")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = [(str(source.uuid), source.name) for source in sources.sources()]
        if len(known) == 1:
            del self.fields["source"]
        else:
            choices = [("", _("Choisissez…")), *known, (OTHER_SOURCE, _("Une autre provenance"))]
            self.fields["source"].choices = choices  # type: ignore[attr-defined]
        self._ask_for_files()

    def _ask_for_files(self) -> None:
        """Labels and accepted types of the two file fields, from the registered formats and the files that may come
        with them.
        """
        words = {"formats": registry.in_words()}
        rows, documents = self.fields["rows"], self.fields["documents"]
        rows.label = _("Le fichier des factures (%(formats)s)") % words
        rows.error_messages["required"] = _("Choisissez le fichier %(formats)s des factures.") % words
        rows.widget.attrs["accept"] = registry.accepted()
        beside = registry.companions()
        documents.label = " ; ".join(str(one.label) for one in beside)
        documents.widget.attrs["accept"] = ",".join(
            sign for one in beside for sign in (*one.extensions, *one.media_types)
        )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        name = " ".join((data.get("new_source") or "").split())
        if data.get("source") == OTHER_SOURCE and not name:
            self.add_error("new_source", _("Donnez un nom à cette autre provenance."))
        elif name and data.get("source") not in (None, OTHER_SOURCE):
            self.add_error("new_source", _("Choisissez « Une autre provenance », ou laissez ce nom vide."))
        size = sum(file.size for file in (data.get("rows"), data.get("documents")) if file)
        if size > settings.UPLOAD_MAX_BYTES:
            raise forms.ValidationError(too_large(size))
        return data

    def source_for(self, actor: audit.Actor) -> Source | None:
        """The source of a valid form, created if its name is new; None for the town's only one."""
        if name := self.cleaned_data["new_source"].strip():
            return sources.source_named(actor=actor, name=name)
        chosen = self.cleaned_data.get("source")
        return sources.sources().get(uuid=chosen) if chosen else None


def too_large(size: int) -> str:
    """Why a request of `size` bytes is refused, and what to do."""
    return _(
        "Votre envoi pèse %(size)s ; la limite est de %(limit)s. Rien n'a été enregistré. "
        "Découpez-le en plusieurs imports, puis recommencez."
    ) % {"size": megabytes(size), "limit": megabytes(settings.UPLOAD_MAX_BYTES)}


NOTICES = notices.settings()  # which messages the town sends, and to whom


class TownForm(PlainModelForm):
    """What the town shows of itself, and its choices."""

    website = forms.URLField(
        label=gettext_lazy("Le site de la commune"),
        required=False,
        assume_scheme="https",
        error_messages={"invalid": gettext_lazy("L'adresse du site ressemble à https://www.exemple.fr.")},
    )

    class Meta:
        model = TownHall
        fields = (
            *("name", "address", "phone", "website", "contact_email"),
            *("primary_colour", "accent_colour", "password_minimum", "mailed_codes", "payer_claims"),
            "staff_second_factor",
            *(setting.field for setting in NOTICES),
        )
        widgets = {
            "address": forms.Textarea(attrs={"rows": 3}),
            "primary_colour": forms.TextInput(attrs={"type": "color"}),
            "accent_colour": forms.TextInput(attrs={"type": "color"}),
            "phone": forms.TextInput(attrs={"inputmode": "tel"}),
        }
        labels = {
            "name": gettext_lazy("Le nom de la commune"),
            "address": gettext_lazy("L'adresse de la mairie"),
            "phone": gettext_lazy("Le téléphone"),
            "contact_email": gettext_lazy("L'adresse e-mail du service de facturation"),
            "primary_colour": gettext_lazy("La couleur principale"),
            "accent_colour": gettext_lazy("La couleur d'accent"),
            "password_minimum": gettext_lazy("Le nombre minimum de caractères d'un mot de passe"),
            "mailed_codes": gettext_lazy(
                "Permettre aux usagers de se connecter avec un code reçu par e-mail"
            ),
            "payer_claims": gettext_lazy("Rattacher un dossier avec une facture papier"),
            "staff_second_factor": gettext_lazy("Qui doit protéger son compte par un second facteur"),
            **{setting.field: setting.label for setting in NOTICES},
        }
        help_texts = {
            "contact_email": gettext_lazy("Les messages des usagers y arrivent."),
            "primary_colour": gettext_lazy("Le bandeau et les boutons du portail."),
            "accent_colour": gettext_lazy(
                "Quelques détails ; elle est adaptée d'elle-même pour rester lisible."
            ),
            "password_minimum": gettext_lazy("De 5 à 64. La CNIL recommande 12."),
            "payer_claims": gettext_lazy(
                "Un usager inconnu de la facturation recopie le numéro, le montant et la référence de sa facture."
            ),
            "staff_second_factor": gettext_lazy(
                "Les responsables le doivent toujours. Qui n'en a pas encore est conduit à le mettre en place."
            ),
            **{setting.field: setting.help for setting in NOTICES if setting.help},
        }
        error_messages = {
            "name": {"required": gettext_lazy("Écrivez le nom de la commune.")},
            "contact_email": {"required": gettext_lazy("Écrivez l'adresse e-mail du service.")},
            "staff_second_factor": {"invalid_choice": gettext_lazy("Choisissez une réponse de la liste.")},
            "payer_claims": {"invalid_choice": gettext_lazy("Choisissez une réponse de la liste.")},
            **{
                setting.field: dict.fromkeys(
                    ("required", "invalid", "invalid_choice", "min_value", "max_value"), setting.error
                )
                for setting in NOTICES
            },
            "password_minimum": {
                "required": gettext_lazy("Indiquez un nombre de 5 à 64."),
                "invalid": gettext_lazy("Indiquez un nombre de 5 à 64."),
                "min_value": gettext_lazy("Indiquez un nombre de 5 à 64."),
                "max_value": gettext_lazy("Indiquez un nombre de 5 à 64."),
            },
        }

    @property
    def notices(self) -> list[forms.BoundField]:
        """The fields that govern the messages, in the order of the page."""
        return [self[setting.field] for setting in NOTICES]

    def clean_primary_colour(self) -> str:
        """The buttons must contrast with the page's background. The colour of their text adapts by itself."""
        colour: str = self.cleaned_data["primary_colour"].lower()
        HEX_COLOUR(colour)
        ratio = contrast(colour, LIGHT)
        if ratio < VISIBLE:
            raise forms.ValidationError(
                _(
                    "Cette couleur est trop claire : les boutons se verraient mal sur le fond de la page "
                    "(contraste %(ratio)s, il faut au moins 3). Essayez %(other)s."
                )
                % {"ratio": f"{ratio:.1f}".replace(".", ","), "other": visible(colour)}
            )
        return colour


def visible(colour: str) -> str:
    """`colour`, darkened in steps until it contrasts enough with the page's background."""
    tones = (mix(colour, "#000000", step / 100) for step in range(0, 101, 5))
    return next(tone for tone in tones if contrast(tone, LIGHT) >= VISIBLE)
