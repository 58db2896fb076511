"""The labels of states on the pages of staff."""

import pytest
from django.db import models

from tenant_apps.backoffice.words.progress import Step
from tenant_apps.backoffice.words.state_labels import LABEL_CLASSES, label_classes
from tenant_apps.invoices.models import Batch
from tenant_apps.payments.models import Attempt, TestPayment
from tenant_apps.payments.payability.words import State
from tenant_apps.reconciliation.models import StatementRow
from tenant_apps.residents.models import AccessRequest


@pytest.mark.parametrize("model", LABEL_CLASSES, ids=lambda model: model.__name__)
def test_only_states_that_exist_have_a_look(model: type[models.Model]) -> None:
    field = model._meta.get_field("state")
    assert set(LABEL_CLASSES[model]) <= {value for value, label in field.choices or ()}


@pytest.mark.parametrize(
    ("thing", "classes"),
    [
        (Batch(state="published"), "tag tag-good"),
        (Batch(state="checking"), "tag"),
        (Attempt(state="paid"), "tag tag-paid"),
        (Attempt(state="review"), "tag tag-bad"),
        (Attempt(state="reported"), "tag tag-now"),
        (Attempt(state="expired"), "tag"),
        (TestPayment(state="paid"), "tag tag-good"),
        (AccessRequest(state="refused"), "tag"),
        (StatementRow(state="unmatched"), "tag tag-bad"),
        (StatementRow(state="duplicate", twin_id=7), "tag tag-now"),
        (StatementRow(state="ignored", twin_id=7), "tag"),
        (StatementRow(state="matched", twin_id=7), "tag tag-good"),
    ],
)
def test_label_classes(thing: models.Model, classes: str) -> None:
    assert label_classes(thing) == classes


@pytest.mark.parametrize(
    ("state", "is_here", "mark", "said"),
    [
        ("done", False, "✓", "(fait)"),
        ("current", True, "", ""),
        ("wrong", True, "!", "(à corriger)"),
        ("next", False, "", ""),
    ],
)
def test_a_step_of_the_strip(state: str, is_here: bool, mark: str, said: str) -> None:
    step = Step("Aperçu", state)
    assert (step.is_here, step.mark, step.said) == (is_here, mark, said)


def test_the_state_of_an_invoice() -> None:
    fields = dict.fromkeys(State._fields, "")
    assert label_classes(State(**fields | {"kind": "late"})) == "tag tag-bad"
    assert label_classes(State(**fields | {"kind": "due"})) == "tag"
