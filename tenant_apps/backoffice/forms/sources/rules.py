"""The rules of a source, each with its box: what its files do not give, and who is who."""

from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tenant_apps.invoices.importing.records.kinds import LABELS
from tenant_apps.invoices.importing.records.rules import LEAVE_OUT, REFUSE, WHO_BY_CODE, WHO_BY_NAME, Rules
from tenant_apps.invoices.importing.tables.money import KIND_OF_MONEY
from tenant_apps.products.queries import products_for_staff
from tenant_apps.residents import sources
from tenant_apps.residents.models import Source
from toolkit.forms.plain_forms import PlainForm
from toolkit.reading.encodings import NAMES, ONE_BYTE
from toolkit.scope import EVERYTHING, Scope

FORGET = "oublier"
# Box → its rule. A form of Django has a « prefix » of its own.
RULES = {
    "who": "who",
    "subject": "subject",
    "due_days": "due_days",
    "product": "product",
    "number_prefix": "prefix",
    "negatives": "negatives",
}
_NUMBER_OF_DAYS = gettext_lazy("Indiquez un nombre de jours, de 0 à 366, ou laissez vide.")


class RulesForm(PlainForm):
    """What a source says in place of its files: shown for one file, and on the source's own page."""

    who = forms.ChoiceField(
        label=gettext_lazy("Ce qui dit à qui est une facture"),
        choices=[
            (WHO_BY_CODE, gettext_lazy("Un code ou un numéro de redevable")),
            (WHO_BY_NAME, gettext_lazy("Le nom : ces fichiers n'ont pas de code")),
        ],
        help_text=gettext_lazy(
            "Par le nom, deux familles qui portent exactement le même nom auraient un seul dossier, et chacune "
            "verrait les factures de l'autre. Ne le choisissez que si votre logiciel ne peut pas donner de code."
        ),
    )
    subject = forms.CharField(
        label=gettext_lazy("L'objet des factures qui n'en ont pas"),
        help_text=gettext_lazy("Ce que l'usager lit, par exemple « Cantine et périscolaire »."),
        max_length=160,
        required=False,
    )
    due_days = forms.IntegerField(
        label=gettext_lazy("L'échéance de celles qui n'en ont pas, en jours après la date"),
        help_text=gettext_lazy("Par exemple 30. Laissez vide si le fichier donne toutes les échéances."),
        min_value=0,
        max_value=366,
        required=False,
        error_messages=dict.fromkeys(("invalid", "min_value", "max_value"), _NUMBER_OF_DAYS),
        widget=forms.NumberInput(attrs={"class": "num"}),
    )
    product = forms.ChoiceField(
        label=gettext_lazy("La régie de celles qui n'en nomment pas"),
        required=False,
        error_messages={"invalid_choice": gettext_lazy("Choisissez une régie de la liste.")},
    )
    number_prefix = forms.CharField(
        label=gettext_lazy("Ce qui manque au début des numéros"),
        help_text=gettext_lazy(
            "Par exemple CAN, quand le fichier donne 000123 et que la facture imprimée dit CAN000123."
        ),
        max_length=10,
        required=False,
        validators=[
            RegexValidator(
                r"^[A-Za-z0-9]*$", gettext_lazy("Des lettres sans accent et des chiffres seulement.")
            )
        ],
        widget=forms.TextInput(attrs={"class": "num"}),
    )

    negatives = forms.ChoiceField(
        label=gettext_lazy("Les factures déjà réglées, nulles ou négatives"),
        choices=[
            (REFUSE, gettext_lazy("Sont des erreurs, à corriger avant de publier")),
            (LEAVE_OUT, gettext_lazy("Sont laissées de côté, et nommées")),
        ],
    )

    def __init__(self, data: Any, *, rules: Rules, scope: Scope = EVERYTHING, **more: Any) -> None:
        self.rules = rules
        initial = {box: getattr(rules, rule) for box, rule in RULES.items()} | more.pop("initial", {})
        super().__init__(data, initial=initial, **more)
        known = [(one.code, one.full_label) for one in products_for_staff(scope) if one.ended_at is None]
        if rules.product and rules.product not in dict(known):
            if not scope.is_whole:  # it is another one's
                del self.fields["product"]
                return
            known.append((rules.product, rules.product))
        self.fields["product"].choices = [("", _("La régie par défaut")), *known]  # type: ignore[attr-defined]

    def changes(self) -> dict[str, Any]:
        """Rule → its value, None for the usual one, for `sources.save_rules`. The form is valid."""
        usual = Rules()
        return {
            rule: None if value == getattr(usual, rule) else value
            for box, value in self.cleaned_data.items()
            if hasattr(usual, rule := RULES.get(box, box))
        }


class SourceForm(RulesForm):
    """« Provenances des fichiers »: everything that a town says of one source."""

    name = forms.CharField(
        label=gettext_lazy("Le nom de cette provenance"),
        help_text=gettext_lazy("Le logiciel ou le budget, par exemple « Eau » ou « Cantine (Noethysweb) »."),
        max_length=sources.LONGEST,
        error_messages={"required": gettext_lazy("Donnez un nom à cette provenance.")},
    )
    encoding = forms.ChoiceField(
        label=gettext_lazy("L'encodage des fichiers dont on ne le reconnaît pas"),
        required=False,
    )
    document_pattern = forms.CharField(
        label=gettext_lazy("Le nom des PDF, si ce n'est pas le numéro"),
        help_text=gettext_lazy("Par exemple Facture_{numero}.pdf : {numero} est remplacé par le numéro."),
        max_length=100,
        required=False,
        validators=[
            RegexValidator(
                r"\{numero\}", gettext_lazy("Écrivez {numero} à la place du numéro de la facture.")
            )
        ],
    )
    makes_documents = forms.BooleanField(
        label=gettext_lazy("Faire, à l'en-tête de la commune, le PDF d'une facture qui n'en a pas"),
        required=False,
    )
    field_order = ("name", "who", "subject", "due_days", "product", "number_prefix", "negatives")

    def __init__(self, data: Any, *, source: Source) -> None:
        rules = Rules.kept(source.rules)
        names = ("encoding", "document_pattern", "makes_documents")
        initial = {"name": source.name, **{name: getattr(rules, name) for name in names}}
        super().__init__(data, rules=rules, initial=initial)
        known = {name: NAMES[name] for name in ONE_BYTE}
        if rules.encoding:
            known.setdefault(rules.encoding, rules.encoding)
        self.fields["encoding"].choices = [("", _("Cherché dans chaque fichier")), *known.items()]  # type: ignore[attr-defined]
        self._titles = sorted(rules.columns)
        choices = [("", _("Non lue")), *LABELS.items(), (FORGET, _("Oublier ce titre"))]
        for place, title in enumerate(self._titles):
            self.fields[f"column_{place}"] = forms.ChoiceField(
                label=title, choices=choices, required=False, initial=rules.columns[title]
            )

    @property
    def columns(self) -> list[forms.BoundField]:
        """The box of each title that the source knows."""
        return [self[f"column_{place}"] for place in range(len(self._titles))]

    @property
    def boxes(self) -> list[forms.BoundField]:
        """The other boxes, in their order."""
        return [box for box in self if not box.name.startswith("column_")]

    def changes(self) -> dict[str, Any]:
        """As in `RulesForm`, with what each title gives."""
        columns: dict[str, str | None] = {}
        for place, title in enumerate(self._titles):
            said = self.cleaned_data[f"column_{place}"]
            # A balance that is not the amount is never simply unread: it is compared with it (tables.money).
            is_watched = not said and title.partition("#")[0] in KIND_OF_MONEY
            columns[title] = None if is_watched or said == FORGET else said
        return {**super().changes(), **({"columns": columns} if columns else {})}
