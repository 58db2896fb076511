"""The model field and the form field of an e-mail address; both use `emails.normalise`.

Every e-mail column is an `AddressField`, so a look-up by address, in any room,
compares normal forms exactly and uses the plain index (decision 41; tests/toolkit/test_address_lookups.py).
"""

from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import FieldError, ValidationError
from django.db import models

from toolkit import emails

# The normal form, as far as SQL can check it. \u0025 is the percent sign, which drivers take for a parameter.
NORMAL = r"^[a-z0-9!#$\u0025&''*+/=?^_`{|}~.-]{1,64}@([a-z0-9-]{1,63}\.)+[a-z0-9-]{2,63}$"
FOLDING = frozenset({"iexact", "regex", "iregex"})
if TYPE_CHECKING:  # Django's fields are generic for the type checker only
    _Column = models.EmailField[str, str]
else:
    _Column = models.EmailField


class AddressFormField(forms.EmailField):
    """An address, cleaned to its normal form; an invalid one gets a sentence."""

    default_validators = []  # to_python says why

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
    """Stored and looked up in normal form; anything else raises ValueError, and the database checks it too."""

    default_validators = []

    def clean(self, value: Any, model_instance: models.Model | None) -> Any:
        """Normalise, like the form field."""
        return super().clean(AddressFormField(required=False).to_python(value), model_instance)

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        """Normalise, so that the object holds what its row holds. Raises emails.BadAddress."""
        value = super().pre_save(model_instance, add)
        if isinstance(value, str) and value:
            value = emails.normalise(value)
            setattr(model_instance, self.attname, value)
        return value

    def get_prep_value(self, value: Any) -> Any:
        """For look-ups and `update`: an invalid address matches no row, and the database refuses to store it."""
        value = super().get_prep_value(value)
        return emails.sought(value) if isinstance(value, str) and value else value

    def get_lookup(self, lookup_name: str) -> Any:
        """Refuse case-insensitive look-ups: the database folds case in its own way."""
        if lookup_name in FOLDING:
            raise FieldError(
                f"an address is compared exactly: {self.name}={{…}}, not {self.name}__{lookup_name}"
            )
        return super().get_lookup(lookup_name)

    def formfield(self, **kwargs: Any) -> Any:
        """The form field for it."""
        return super().formfield(**{"form_class": AddressFormField, **kwargs})


@AddressField.register_lookup
class IsNormal(models.Lookup):
    """`email__normal=True`: the normal form, as far as SQL can check it."""

    lookup_name = "normal"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        """SQL without parameters, because it is used in a constraint."""
        column, values = self.process_lhs(compiler, connection)
        return f"{column} ~ '{NORMAL}'", values


def kept_normal(name: str, column: str = "email", *, blank: bool = False) -> models.CheckConstraint:
    """The constraint for a table with an `AddressField`: every write must be in normal form."""
    rule = models.Q(**{f"{column}__normal": True})
    return models.CheckConstraint(condition=rule | models.Q(**{column: ""}) if blank else rule, name=name)
