"""Forms of the reconciliation: a file, its columns, an act on a row, a period."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext, gettext_lazy

from tenant_apps.backoffice.forms.money import _DAY_FORMATS
from tenant_apps.payments.models import Means
from tenant_apps.reconciliation.models import Kind
from tenant_apps.reconciliation.reading.columns import CENTS, FIELDS
from tenant_apps.reconciliation.reading.layout import HEAD
from toolkit import clock
from toolkit.forms.plain_forms import PlainForm

LONGEST = timedelta(days=400)


class StatementForm(PlainForm):
    """A file of the Treasury (journal) or of the bank (statement)."""

    kind = forms.ChoiceField(
        label=gettext_lazy("Quel fichier ?"),
        choices=Kind.choices,
        initial=Kind.JOURNAL,
        error_messages={"required": gettext_lazy("Dites d'où vient ce fichier.")},
    )
    file = forms.FileField(
        label=gettext_lazy("Le fichier"),
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.xml,text/csv,text/xml"}),
        error_messages={
            "required": gettext_lazy("Choisissez le fichier à rapprocher."),
            "empty": gettext_lazy("Ce fichier est vide : choisissez-en un autre."),
        },
    )

    account = forms.CharField(
        label=gettext_lazy("Le compte (relevé de compte, facultatif)"),
        required=False,
        max_length=40,
        help_text=gettext_lazy(
            "Utile si la commune a plusieurs comptes et que le fichier ne dit pas duquel il s'agit : "
            "« régie piscine », ou les derniers chiffres du numéro."
        ),
    )


class LayoutForm(PlainForm):
    """The separator and the title line of a table that was not understood."""

    delimiter = forms.ChoiceField(
        label=gettext_lazy("Ce qui sépare les colonnes"),
        required=False,
        choices=[
            ("", gettext_lazy("Trouvé automatiquement")),
            (";", gettext_lazy("Point-virgule ( ; )")),
            ("\t", gettext_lazy("Tabulation")),
            (",", gettext_lazy("Virgule ( , )")),
            ("|", gettext_lazy("Barre ( | )")),
        ],
    )
    titles_line = forms.IntegerField(
        label=gettext_lazy("La ligne des titres"),
        required=False,
        min_value=0,
        max_value=HEAD,
        help_text=gettext_lazy("0 si le fichier n'a pas de titres ; vide pour la trouver automatiquement."),
        error_messages={
            "invalid": gettext_lazy("Indiquez le numéro de la ligne des titres, par exemple 1."),
            "min_value": gettext_lazy("Le numéro de la ligne des titres va de 0 à 30."),
            "max_value": gettext_lazy("Le numéro de la ligne des titres va de 0 à 30."),
        },
    )

    def __init__(self, data: Any, *, delimiter: str, titles_line: int | None) -> None:
        super().__init__(data, initial={"delimiter": delimiter, "titles_line": titles_line})

    @property
    def chosen(self) -> tuple[str, int | None]:
        """(separator, number of the title line). Empty or None: found automatically."""
        if self.is_bound and self.is_valid():
            return self.cleaned_data["delimiter"], self.cleaned_data["titles_line"]
        return self.initial["delimiter"], self.initial["titles_line"]


class AccountForm(PlainForm):
    """Which bank account a statement is about, when the town has several."""

    # Not « account »: a column of the file may have that name.
    which_account = forms.CharField(
        label=gettext_lazy("Le compte de ce relevé"),
        max_length=40,
        error_messages={
            "required": gettext_lazy("Dites de quel compte est ce relevé : la commune en a plusieurs.")
        },
    )

    def __init__(self, data: Any, *, account: str, known: Sequence[str]) -> None:
        super().__init__(data, initial={"which_account": account})
        self.fields["which_account"].required = bool(known)
        if known:
            sentence = gettext("Déjà envoyés : %(names)s.") % {"names": ", ".join(known[:8])}
            self.fields["which_account"].help_text = sentence

    @property
    def chosen(self) -> str:
        """What was typed; what the form shows if it was not sent."""
        return (
            self.cleaned_data["which_account"]
            if self.is_bound and self.is_valid()
            else self.initial["which_account"]
        )


class ColumnsForm(PlainForm):
    """Which title of the file gives which field."""

    def __init__(self, data: Any, *, kind: str, titles: Sequence[str], mapping: Mapping[str, Any]) -> None:
        super().__init__(data)
        choices = [("", "–"), *((title, title) for title in titles)]
        for name, (label, _met) in FIELDS[kind].items():
            initial = mapping.get(name, "")
            self.fields[name] = forms.ChoiceField(
                label=str(label),
                choices=choices,
                required=False,
                initial=initial if initial in titles else "",
            )
        self.fields[CENTS.strip("_")] = forms.BooleanField(
            label=gettext_lazy("Les montants sont en centimes"),
            required=False,
            initial=bool(mapping.get(CENTS)),
        )

    def mapping(self) -> dict[str, object]:
        """Field → title, as chosen; as the form shows them if it was not sent."""
        cents = CENTS.strip("_")
        if self.is_bound and self.is_valid():
            values = dict(self.cleaned_data)
        else:
            values = {name: field.initial for name, field in self.fields.items()}
        in_cents = values.pop(cents)
        found: dict[str, object] = {name: title for name, title in values.items() if title}
        return {**found, CENTS: True} if in_cents else found


class MatchForm(PlainForm):
    """Which payment a row is."""

    payment = forms.UUIDField(error_messages={"required": gettext_lazy("Choisissez un règlement.")})


class TotalForm(PlainForm):
    """Which sum of a day's payments a row is: its key in the offered list."""

    total = forms.CharField(max_length=300, error_messages={"required": gettext_lazy("Choisissez un total.")})


class BookForm(PlainForm):
    """Which invoice the money of a row pays, and by which means."""

    invoice = forms.UUIDField(error_messages={"required": gettext_lazy("Choisissez la facture.")})
    means = forms.ChoiceField(choices=[(m.value, m.label) for m in (Means.CARD, Means.DEBIT, Means.TRANSFER)])


class IgnoreForm(PlainForm):
    """Why a row is set aside."""

    reason = forms.CharField(
        label=gettext_lazy("Motif"),
        max_length=300,
        error_messages={"required": gettext_lazy("Indiquez pourquoi cette ligne est écartée.")},
    )


class PeriodForm(PlainForm):
    """Two days; empty for the last month."""

    du = forms.DateField(
        label=gettext_lazy("Du"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        input_formats=_DAY_FORMATS,
        error_messages={"invalid": gettext_lazy("Indiquez une date, par exemple 30/10/2026.")},
    )
    au = forms.DateField(
        label=gettext_lazy("Au"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        input_formats=_DAY_FORMATS,
        error_messages={"invalid": gettext_lazy("Indiquez une date, par exemple 30/10/2026.")},
    )

    def __init__(self, address: Mapping[str, Any], *, default: tuple[date, date] | None = None) -> None:
        last = clock.today()
        self.default = default or (last - timedelta(days=30), last)
        sent = address.get("du") or address.get("au")
        shown = {"du": self.default[0].isoformat(), "au": self.default[1].isoformat()}
        super().__init__(address if sent else shown)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("du") and data.get("au"):
            if data["au"] < data["du"]:
                self.add_error("au", gettext_lazy("La fin est avant le début : vérifiez les deux dates."))
            elif data["au"] - data["du"] > LONGEST:
                self.add_error("au", gettext_lazy("Choisissez une période de 400 jours au plus."))
        return data

    @property
    def period(self) -> tuple[date, date]:
        """(first day, last day) as asked; the default period if they are not valid."""
        if self.is_valid():
            return self.cleaned_data["du"], self.cleaned_data["au"]
        return self.default
