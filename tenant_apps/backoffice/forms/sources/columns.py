"""The form of the page « Colonnes »: what each column of a file gives, and what the file does not give."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tenant_apps.backoffice.forms.money import _DAY_FORMATS
from tenant_apps.backoffice.forms.sources.rules import RULES, RulesForm
from tenant_apps.invoices.importing.records.kinds import LABELS
from tenant_apps.invoices.importing.records.rules import Rules
from tenant_apps.invoices.importing.tables.money import KIND_OF_MONEY
from tenant_apps.invoices.importing.tables.view import Column, ColumnsView
from toolkit.reading.encodings import EncodingChoice
from toolkit.scope import Scope

_WIDE = ("encoding", "who")
# A field that no column gives → the box that gives it, and what to do.
_INSTEAD = {
    "issued_on": (
        "issued_on",
        gettext_lazy("Aucune colonne ne donne la date : choisissez-en une, ou écrivez-la ici."),
    ),
    "due_on": (
        "due_days",
        gettext_lazy(
            "Aucune colonne ne donne l'échéance : choisissez-en une, ou dites combien de jours après la date."
        ),
    ),
    "subject": (
        "subject",
        gettext_lazy("Aucune colonne ne donne l'objet : choisissez-en une, ou écrivez-le ici pour toutes."),
    ),
    "payer": (
        "who",
        gettext_lazy(
            "Choisissez plus haut la colonne qui dit à qui est chaque facture : « Code redevable »."
        ),
    ),
}


class ColumnsForm(RulesForm):
    """Which column of a file gives which field; `rules` are those of its source."""

    issued_on = forms.DateField(
        label=gettext_lazy("La date de toutes les factures de ce fichier"),
        help_text=gettext_lazy("Pour ce fichier seulement : elle sera redemandée pour le prochain."),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        input_formats=_DAY_FORMATS,
        error_messages={"invalid": gettext_lazy("Indiquez une date, par exemple 30/10/2026.")},
    )
    encoding = forms.ChoiceField(
        label=gettext_lazy("Ces mots du fichier sont-ils bien écrits ?"),
        help_text=gettext_lazy("Choisissez la ligne où les accents sont justes."),
        required=False,
    )
    field_order = (
        "encoding",
        "who",
        "issued_on",
        "due_days",
        "subject",
        "product",
        "number_prefix",
        "negatives",
    )

    def __init__(self, data: Any, *, view: ColumnsView, rules: Rules, scope: Scope) -> None:
        day = rules.dates.get(view.mark)
        super().__init__(data, rules=rules, scope=scope, initial={"issued_on": day})
        self.view = view
        if view.encoding is None or view.encoding.is_sure:
            del self.fields["encoding"]
        else:
            self.fields["encoding"].choices = list(_encodings(view.encoding))  # type: ignore[attr-defined]
            self.initial["encoding"] = view.encoding.encoding
        self._columns = [one for one in view.columns(rules) if one.title or one.values]
        for column in self._columns:
            title = column.title or _("colonne %(place)d, sans titre") % {"place": column.place + 1}
            self.fields[_name(column)] = forms.ChoiceField(
                label=title,
                choices=[("", _unread_words(column)), *LABELS.items()],
                required=False,
                initial=column.field,
            )

        if self._has_dates():
            del self.fields["issued_on"]

    def _has_dates(self) -> bool:
        """Whether a column gives the dates, as shown or as sent."""
        if not self.is_bound:
            return any(column.field == "issued_on" for column in self._columns)
        return any(self.data.get(_name(column)) == "issued_on" for column in self._columns)

    @property
    def columns(self) -> list[tuple[Column, forms.BoundField]]:
        """Each column with its box."""
        return [(column, self[_name(column)]) for column in self._columns]

    @property
    def wide_boxes(self) -> list[forms.BoundField]:
        """The boxes that need a whole line."""
        return [box for box in self if box.name in _WIDE]

    @property
    def narrow_boxes(self) -> list[forms.BoundField]:
        """The other boxes, in their order."""
        return [box for box in self if box.name not in _WIDE and not box.name.startswith("column_")]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        first: dict[str, Column] = {}
        for column in self._columns:
            gives = data.get(_name(column), "")
            if gives and first.setdefault(gives, column) is not column:
                sentence = _(
                    "« %(label)s » est déjà donné par la colonne « %(title)s » : choisissez l'une des deux."
                )
                words = {"label": LABELS[gives], "title": first[gives].title[:60]}
                self.add_error(_name(column), sentence % words)
        if not self.errors:
            self._ask_for_what_is_missing()
        return data

    def _ask_for_what_is_missing(self) -> None:
        for name in self.view.missing(self.proposed()):
            if name in _INSTEAD:
                box, instead = _INSTEAD[name]
                self.add_error(box, str(instead))
            else:
                sentence = _("Aucune colonne ne donne « %(label)s » : choisissez plus bas laquelle.")
                self.add_error(None, sentence % {"label": LABELS[name]})

    def proposed(self) -> Rules:
        """The rules as chosen; those of the source as long as nothing readable was sent."""
        if not self.is_bound:
            return self.rules
        data = self.cleaned_data
        changed = {rule: data[box] for box, rule in RULES.items() if box in data}
        known = {**self.rules.columns, **self._chosen()}
        columns = {key: gives for key, gives in known.items() if gives is not None}
        dates = {**self.rules.dates, **({self.view.mark: f"{day}"} if (day := data.get("issued_on")) else {})}
        return replace(self.rules, **changed, columns=columns, dates=dates)

    def changes(self) -> dict[str, Any]:
        """As in `RulesForm`, with the columns of this file, its date, and the encoding that a person confirmed."""
        changes = {**super().changes(), "columns": self._chosen()}
        if day := self.cleaned_data.get("issued_on"):
            changes["dates"] = {self.view.mark: f"{day}"}
        return changes

    def _chosen(self) -> dict[str, str | None]:
        """Key → field. A column about money that gives none is not named: it is compared with the amount."""
        chosen: dict[str, str | None] = {}
        for column in self._columns:
            if (gives := self.cleaned_data.get(_name(column))) is not None:
                is_watched = not gives and _money_of(column) is not None
                chosen[column.key] = None if is_watched else gives
        return chosen


# What is done with a column that gives no field, by its kind in tables.money.
_WATCHED = {
    "debit": gettext_lazy("Dit ce qui est prélevé"),
    "means": gettext_lazy("Dit ce qui est prélevé"),
    "cancelled": gettext_lazy("Dit ce qui est annulé"),
    "state": gettext_lazy("Dit ce qui est annulé"),
}


def _unread_words(column: Column) -> str:
    kind = _money_of(column)
    if kind is None:
        return _("Non lue")
    return str(_WATCHED.get(kind, _("Comparée au montant")))


def _money_of(column: Column) -> str | None:
    return KIND_OF_MONEY.get(column.key.partition("#")[0])


def _name(column: Column) -> str:
    return f"column_{column.place}"


def _encodings(choice: EncodingChoice) -> Iterator[tuple[str, str]]:
    """Each possible encoding, with the words as it reads them."""
    for one in (choice, *choice.others):
        words = [_("%(word)s (ligne %(line)d)") % {"word": word, "line": line} for word, line in one.samples]
        yield one.encoding, f"{', '.join(words)} : {one.name}"
