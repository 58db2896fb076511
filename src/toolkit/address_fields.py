"""The column of an e-mail address, and the field of a form that fills it: both go by `emails.normalise`.

Every e-mail column of the house is an `AddressField`, so whoever looks somebody up by address, in whatever room,
compares normal forms exactly and uses the plain index (decision 41; tests/toolkit/test_address_lookups.py).
"""

from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import FieldError, ValidationError
from django.db import models

from toolkit import emails

# What SQL can say of the normal form. \u0025 is the percent sign, which drivers would take for a parameter.
NORMAL = r"^[a-z0-9!#$\u0025&''*+/=?^_`{|}~.-]{1,64}@([a-z0-9-]{1,63}\.)+[a-z0-9-]{2,63}$"
FOLDING = frozenset({"iexact", "regex", "iregex"})
if TYPE_CHECKING:  # Django's fields are generic for the type checker only
    _Column = models.EmailField[str, str]
else:
    _Column = models.EmailField


class AddressFormField(forms.EmailField):
    """An address, cleaned to its normal form; what cannot be one is said in words."""

    default_validators = []  # ours says why

    def to_python(self, value: Any) -> Any:
        """The normal form, or the empty value."""
        typed = super().to_python(value)
        if not typed:
            return typed
        try:
            return emails.normalise(typed)
        except emails.BadAddress as error:
            raise ValidationError(str(error), code="invalid") from None


class AddressField(_Column):
    """Written in normal form, or not at all (ValueError; the database checks it too); looked up in normal form."""

    default_validators = []

    def clean(self, value: Any, model_instance: models.Model | None) -> Any:
        """As the form field does."""
        return super().clean(AddressFormField(required=False).to_python(value), model_instance)

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        """The object holds from now on what its row holds. Raises emails.BadAddress."""
        value = super().pre_save(model_instance, add)
        if isinstance(value, str) and value:
            value = emails.normalise(value)
            setattr(model_instance, self.attname, value)
        return value

    def get_prep_value(self, value: Any) -> Any:
        """For a look-up, and for `update`: what is no address is in no row, and the database takes it in none."""
        value = super().get_prep_value(value)
        return emails.sought(value) if isinstance(value, str) and value else value

    def get_lookup(self, lookup_name: str) -> Any:
        """Without those that fold cases as the database does, which is not how anybody else does."""
        if lookup_name in FOLDING:
            raise FieldError(
                f"an address is compared exactly: {self.name}={{…}}, not {self.name}__{lookup_name}"
            )
        return super().get_lookup(lookup_name)

    def formfield(self, **kwargs: Any) -> Any:
        """The question that fills it."""
        return super().formfield(**{"form_class": AddressFormField, **kwargs})


@AddressField.register_lookup
class IsNormal(models.Lookup):
    """`email__normal=True`: what SQL can say of the normal form."""

    lookup_name = "normal"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        """Without parameters: it stands in a constraint."""
        column, values = self.process_lhs(compiler, connection)
        return f"{column} ~ '{NORMAL}'", values


def kept_normal(name: str, column: str = "email", *, blank: bool = False) -> models.CheckConstraint:
    """The constraint of a table with an `AddressField`: whoever writes, by whatever road, writes the normal form."""
    rule = models.Q(**{f"{column}__normal": True})
    return models.CheckConstraint(condition=rule | models.Q(**{column: ""}) if blank else rule, name=name)
