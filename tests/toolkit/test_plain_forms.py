"""Forms are dressed when they are drawn: the classes of a box, its hint, its errors."""

import importlib
import pkgutil
from collections.abc import Iterator

import pytest
from django import forms

import tenant_apps.backoffice
import tenant_apps.portal
from tenant_apps.contact.files.fields import FilesMixin
from toolkit.forms.plain_forms import DressedField, PlainForm


class Asked(PlainForm):
    """One box of each kind."""

    name = forms.CharField(help_text="Comme sur la facture.")
    amount = forms.CharField(widget=forms.TextInput(attrs={"class": "num right"}), required=False)
    town = forms.ChoiceField(choices=[("a", "A")], required=False)
    sure = forms.BooleanField(required=False)
    key = forms.CharField(widget=forms.HiddenInput, required=False)


@pytest.mark.parametrize(
    ("name", "drawn"),
    [
        ("name", 'class="form-control"'),
        ("amount", 'class="form-control num right"'),
        ("town", 'class="form-select"'),
        ("sure", 'class="form-check-input"'),
    ],
)
def test_classes(name: str, drawn: str) -> None:
    box = str(Asked()[name])
    assert drawn in box
    assert "required" not in box
    assert "aria-invalid" not in box


def test_a_hidden_box_wears_nothing() -> None:
    assert "class" not in str(Asked()["key"])


def test_an_error_is_tied_to_its_box_also_when_it_comes_late() -> None:
    assert 'aria-describedby="id_name_helptext"' in str(Asked()["name"])
    form = Asked({"name": "Dupont", "town": "a"})
    assert form.is_valid()
    form.add_error("town", "Choisissez une autre commune.")
    assert 'aria-invalid="true"' in str(form["town"])
    assert 'aria-describedby="id_town_error"' in str(form["town"])
    wrong = str(Asked({})["name"])
    assert 'aria-describedby="id_name_helptext id_name_error"' in wrong


def forms_of(package: object) -> Iterator[type[forms.BaseForm]]:
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):  # type: ignore[attr-defined]
        for thing in vars(importlib.import_module(module.name)).values():
            if (
                isinstance(thing, type)
                and issubclass(thing, forms.BaseForm)
                and "tenant_apps" in thing.__module__
            ):
                yield thing


def test_no_form_of_a_door_dresses_itself() -> None:
    found = {*forms_of(tenant_apps.portal), *forms_of(tenant_apps.backoffice)} - {FilesMixin}
    assert len(found) > 25
    assert {form for form in found if form.bound_field_class is not DressedField} == set()
