"""Forms about money: payments at the counter, dockets, corrections."""

import uuid
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tenant_apps.invoices.models import Invoice
from tenant_apps.payments.errors import NotPayable
from tenant_apps.payments.models import Means, Refund
from tenant_apps.payments.readers import only_product, same_cheque
from tenant_apps.payments.services import CASH_LIMIT, OFFLINE, CounterRow, PaymentDetails, cash_limit_sentence
from toolkit import clock
from toolkit.forms.plain_forms import PlainForm
from toolkit.money import format_euros
from toolkit.reading import fields
from toolkit.reading.errors import FieldError
from toolkit.scope import Scope

_DAY_FORMATS = ["%Y-%m-%d", "%d/%m/%Y"]


def typed(amount: Decimal) -> str:
    """Euros as clerks type them: 37,50."""
    return f"{amount:.2f}".replace(".", ",")


class EuroField(forms.CharField):
    """An amount above zero, as people type it. Cleans to Decimal euros; to None if empty and not required."""

    def __init__(self, **options: Any) -> None:
        attrs = {"inputmode": "decimal", "autocomplete": "off", "class": "num right"}
        super().__init__(max_length=20, widget=forms.TextInput(attrs=attrs), **options)
        self.error_messages["required"] = gettext_lazy("Indiquez un montant, par exemple 37,50.")

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        try:
            return fields.amount(text)
        except FieldError as error:
            sentence = _("« %(value)s » %(error)s") % {"value": text[:20], "error": error}
            raise forms.ValidationError(sentence) from None


class PastDay(forms.DateField):
    """A day that is not in the future."""

    def __init__(self, *, label: Any) -> None:
        widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
        wanted = gettext_lazy("Indiquez une date, par exemple 30/10/2026.")
        super().__init__(
            label=label,
            widget=widget,
            input_formats=_DAY_FORMATS,
            initial=clock.today,
            error_messages={"required": wanted, "invalid": wanted},
        )

    def clean(self, value: Any) -> Any:
        day: date = super().clean(value)
        if day > clock.today():
            raise forms.ValidationError(_("Cette date est à venir : vérifiez-la."))
        if day.year < 2000:
            raise forms.ValidationError(_("Cette année est improbable : vérifiez-la."))
        return day


class CounterForm(PlainForm):
    """One payment of the chosen invoices. Each invoice has its amount, filled in with its balance."""

    means = forms.ChoiceField(
        label=gettext_lazy("Moyen de paiement"),
        choices=[(one.value, one.label) for one in (Means.CHEQUE, Means.CASH, Means.TRANSFER)],
        initial=Means.CHEQUE,
        error_messages={"required": gettext_lazy("Choisissez chèque, espèces ou virement.")},
    )
    paid_on = PastDay(label=gettext_lazy("Date du règlement"))
    number = forms.CharField(
        label=gettext_lazy("Numéro du chèque, ou référence du virement"), max_length=40, required=False
    )
    bank = forms.CharField(label=gettext_lazy("Banque du chèque"), max_length=60, required=False)
    drawer = forms.CharField(
        label=gettext_lazy("Au nom de (tireur du chèque)"), max_length=80, required=False
    )
    received = EuroField(
        label=gettext_lazy("Montant reçu, s'il dépasse le total"),
        help_text=gettext_lazy("Le surplus reste disponible, sur la page « Trop-perçus »."),
        required=False,
    )
    other = forms.BooleanField(label=gettext_lazy("C'est un autre chèque"), required=False)
    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)

    cash_limit = CASH_LIMIT

    def __init__(self, data: Any = None, *, invoices: Sequence[Invoice], scope: Scope) -> None:
        super().__init__(data)
        self.invoices, self.scope, self.twin = invoices, scope, False
        for invoice in invoices:
            label = _("Montant pour la facture %(number)s") % {"number": invoice.number}
            self.fields[_name(invoice)] = EuroField(label=label, initial=typed(invoice.balance))

    @property
    def lines(self) -> list[tuple[Invoice, forms.BoundField]]:
        """Each invoice with its field, for the table."""
        return [(invoice, self[_name(invoice)]) for invoice in self.invoices]

    @property
    def balance(self) -> Decimal:
        """The sum of the balances of the chosen invoices, in euros."""
        return sum((invoice.balance for invoice in self.invoices), Decimal("0.00"))

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        total = Decimal("0.00")
        for invoice in self.invoices:
            amount = data.get(_name(invoice)) or Decimal("0.00")
            total += amount
            if amount > invoice.balance:
                sentence = _(
                    "Il ne reste que %(rest)s sur la facture %(number)s : mettez le surplus plus bas."
                )
                words = {"rest": format_euros(invoice.balance), "number": invoice.number}
                self.add_error(_name(invoice), sentence % words)
        if data.get("received") is not None and data["received"] < total:
            sentence = _("Le montant reçu est plus petit que le total des factures (%(total)s).")
            self.add_error("received", sentence % {"total": format_euros(total)})
        if data.get("means") == Means.CHEQUE:
            self._check_cheque(data)
        if data.get("means") == Means.CASH and max(total, data.get("received") or total) > CASH_LIMIT:
            self.add_error("means", cash_limit_sentence())
        try:
            only_product(self.invoices)
        except NotPayable as error:
            self.add_error(None, str(error))
        return data

    def _check_cheque(self, data: dict[str, Any]) -> None:
        if not data.get("number"):
            self.add_error("number", _("Écrivez le numéro du chèque."))
        if not data.get("bank"):
            self.add_error("bank", _("Écrivez la banque du chèque."))
        twin = same_cheque(self.scope, bank=data.get("bank", ""), number=data.get("number", ""))
        if twin is not None and not data.get("other") and str(data.get("key")) != twin.provider_reference:
            self.twin = True
            sentence = _(
                "Un chèque de ce numéro et de cette banque est déjà enregistré (%(amount)s, le %(day)s). "
                "Si c'en est un autre, cochez « C'est un autre chèque »."
            )
            words = {"amount": format_euros(twin.amount), "day": f"{twin.paid_on:%d/%m/%Y}"}
            self.add_error("number", sentence % words)

    def payment(self) -> dict[str, Any]:
        """The arguments of `book_payment`; the form must be valid."""
        data = self.cleaned_data
        lines = [CounterRow(invoice, data[_name(invoice)]) for invoice in self.invoices]
        cheque = data["means"] == Means.CHEQUE
        details = PaymentDetails(
            bank=data["bank"] if cheque else "",
            number=data["number"] if data["means"] != Means.CASH else "",
            drawer=data["drawer"] if cheque else "",
        )
        means = next(one for one in OFFLINE if one == data["means"])
        return {
            "lines": lines, "means": means, "paid_on": data["paid_on"], "received": data["received"],
            "details": details, "key": data["key"],
        }  # fmt: skip


def _name(invoice: Invoice) -> str:
    return f"montant_{invoice.uuid.hex}"


class CancelForm(PlainForm):
    """Why a payment is cancelled."""

    reason = forms.CharField(
        label=gettext_lazy("Motif"),
        max_length=300,
        help_text=gettext_lazy("Par exemple : chèque impayé, prélèvement rejeté, erreur de saisie."),
        error_messages={"required": gettext_lazy("Indiquez pourquoi ce règlement est annulé.")},
    )


class AllocateForm(PlainForm):
    """Allocate money left over to another invoice."""

    invoice = forms.UUIDField(
        error_messages={"required": gettext_lazy("Choisissez la facture que cet argent règle.")}
    )
    amount = EuroField(label=gettext_lazy("Montant"))


class RefundForm(PlainForm):
    """Money that the town gave back outside of the portal."""

    amount = EuroField(label=gettext_lazy("Montant remboursé"))
    refunded_on = PastDay(label=gettext_lazy("Date du remboursement"))
    means = forms.ChoiceField(label=gettext_lazy("Moyen"), choices=Refund.By.choices)
    reason = forms.CharField(
        label=gettext_lazy("Motif"),
        max_length=300,
        error_messages={"required": gettext_lazy("Indiquez pourquoi cet argent est rendu.")},
    )


class AnswerForm(PlainForm):
    """The answer to a resident whose « J'ai réglé » was not found."""

    answer = forms.CharField(
        label=gettext_lazy("Votre réponse à l'usager"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={
            "required": gettext_lazy("Écrivez à l'usager ce que vous avez vérifié et ce qu'il doit faire.")
        },
    )


class DepositForm(PlainForm):
    """The day of a docket, and its payments, ticked in the list."""

    deposited_on = PastDay(label=gettext_lazy("Date de la remise"))
    payment = forms.TypedMultipleChoiceField(
        coerce=uuid.UUID, error_messages={"required": gettext_lazy("Cochez au moins un règlement.")}
    )

    def __init__(self, data: Any = None, *, waiting: Sequence[Any]) -> None:
        super().__init__(data)
        field = self.fields["payment"]
        field.choices = [(str(one.uuid), str(one.uuid)) for one in waiting]  # type: ignore[attr-defined]
        field.error_messages["invalid_choice"] = _(
            "Un de ces règlements a été remis ou annulé entre-temps. La liste est à jour : recommencez."
        )


class CreditForm(PlainForm):
    """An avoir: reduce an invoice, or cancel it."""

    whole = forms.TypedChoiceField(
        label=gettext_lazy("Que faire ?"),
        choices=[("non", gettext_lazy("Réduire le montant")), ("oui", gettext_lazy("Annuler la facture"))],
        coerce=lambda value: value == "oui",
        initial="non",
    )
    amount = EuroField(label=gettext_lazy("Montant de l'avoir"), required=False)
    reason = forms.CharField(
        label=gettext_lazy("Motif"),
        max_length=300,
        help_text=gettext_lazy("L'usager le lira sur la page de sa facture."),
        error_messages={"required": gettext_lazy("Indiquez le motif : l'usager le lira.")},
    )
    let_go = forms.BooleanField(
        label=gettext_lazy("Ce qui est déjà réglé en trop devient disponible (page « Trop-perçus »)"),
        required=False,
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not data.get("whole") and not data.get("amount") and "amount" not in self.errors:
            self.add_error("amount", _("Indiquez le montant de l'avoir, par exemple 12,50."))
        return data
