"""How the forms of residents and of staff are dressed: here, and nowhere else.

A form says what it asks; the classes of its boxes, and which hint and which error belong to a box, are added when the
box is drawn. So an error that is found late (`add_error` in a view) is tied to its box like any other.
"""

from typing import TYPE_CHECKING, Any

from django import forms

_KINDS: tuple[tuple[type[forms.Widget], str], ...] = (
    (forms.CheckboxInput, "form-check-input"),
    (forms.RadioSelect, "form-check-input"),
    (forms.Select, "form-select"),
    (forms.HiddenInput, ""),
)
if TYPE_CHECKING:  # Django's forms are generic for the type checker only
    _ModelForm = forms.ModelForm[Any]
else:
    _ModelForm = forms.ModelForm
CLASSES = ("form-control", *(name for _kind, name in _KINDS if name))


class DressedField(forms.BoundField):
    """A box with its classes. Django ties it to its hint and its errors (`<id>_helptext`, `<id>_error`)."""

    def build_widget_attrs(self, attrs: Any, widget: forms.Widget | None = None) -> dict[str, Any]:
        """Its kind's class, then what the widget asks for itself (« num right »)."""
        widget = widget or self.field.widget
        classes = f"{kind_of(widget)} {widget.attrs.get('class', '')}".strip()
        return {**super().build_widget_attrs(attrs, widget), **({"class": classes} if classes else {})}


class PlainForm(forms.Form):
    """Plain questions: no browser bubbles, our own words name what is missing."""

    use_required_attribute = False
    bound_field_class = DressedField


class PlainModelForm(_ModelForm):
    """The same for the columns of a row."""

    use_required_attribute = False
    bound_field_class = DressedField


def kind_of(widget: forms.Widget) -> str:
    """The class of a kind of box, as `mes-factures/ui.css` and Bootstrap know it."""
    return next((name for kind, name in _KINDS if isinstance(widget, kind)), "form-control")
