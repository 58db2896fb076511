"""Put the JSON values of a fact into words. Used by the declarations in the rooms' `facts`."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.template.defaultfilters import date as date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shared_apps.audit.verbs import Key, Say
from toolkit import clock, emails
from toolkit.money import format_euros


def money(value: Any) -> str:
    """« 12,50 € »."""
    return format_euros(Decimal(value))


def day(value: str) -> str:
    """« 30/10/2026 »."""
    return str(date_format(date.fromisoformat(value), "d/m/Y"))


def moment(value: str) -> str:
    """« 30/10/2026 14:05 », in Paris."""
    return str(date_format(datetime.fromisoformat(value).astimezone(clock.PARIS), "d/m/Y H:i"))


def truth(value: Any) -> str:
    """« oui » or « non »."""
    return _("oui") if value else _("non")


def how_many(value: Any) -> str:
    """The length of a list or an object; a number as it is."""
    return str(len(value) if isinstance(value, list | dict) else value)


def joined(value: Any) -> str:
    """The items of a list, separated by commas."""
    return ", ".join(str(one) for one in value)


def address(value: str) -> str:
    """« a…@example.net »: the trail is never erased, so an address is not read out in full."""
    return emails.masked(value)


def one_of(choices: type[models.TextChoices]) -> Say:
    """The label of a choice."""
    return lambda value: str(choices(value).label)


def a_list_of(say: Say) -> Say:
    """The items of a list, each put into words, separated by commas."""
    return lambda value: ", ".join(say(one) for one in value)


def fields_of(model: str, **own: Key) -> Callable[[str], Key | None]:
    """The keys of settings: the fields of `model` ("townhall.TownHall"), with the model's own labels.

    `own`: keys that need other words.
    """

    def key(name: str) -> Key | None:
        if name in own:
            return own[name]
        try:
            field = apps.get_model(model)._meta.get_field(name)
        except FieldDoesNotExist:
            return None
        if not isinstance(field, models.Field):
            return None
        return Key(name, field.verbose_name, _reader(field))

    return key


def _reader(field: models.Field) -> Say:
    if isinstance(field, models.BooleanField):
        return truth
    if field.choices:
        labels = dict(field.flatchoices)
        return lambda value: str(labels.get(value, value))
    return str


def named_anything(label: "Callable[[str], str] | None" = None) -> Callable[[str], Key | None]:
    """Keys that a program makes up, such as one count per kind: every name is accepted."""
    return lambda name: Key(name, label(name) if label else name)


# Keys that many facts have
AMOUNT = Key("amount", gettext_lazy("montant"), money)
REASON = Key("reason", gettext_lazy("motif"))
ANSWER = Key("answer", gettext_lazy("réponse"))
NAME = Key("name", gettext_lazy("nom"))
FILE = Key("file", gettext_lazy("fichier"))
INVOICE = Key("invoice")  # its id
INVOICES = Key("invoices", gettext_lazy("factures"), how_many)
PAYERS = Key("payers", gettext_lazy("dossiers"), how_many)
ADDRESS = Key("address", gettext_lazy("adresse e-mail"), address)
REFUSED = Key("refused", gettext_lazy("messages refusés"), joined)
