"""The answers of a clerk to what an import asks: about payers, and about invoices that are online."""

from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shared_apps.audit import services as audit
from tenant_apps.invoices.errors import WrongState
from tenant_apps.invoices.models import Amendment, Batch, PayerUpdate
from tenant_apps.invoices.services import lock, open_questions
from tenant_apps.invoices.states import Agreed, Answer, Asked, BatchState


@transaction.atomic
def answer_question(*, actor: audit.Actor, update: PayerUpdate, answer: Answer) -> PayerUpdate:
    """Answer « C'est bien la même personne » or « une autre ». It may be changed until the publication is asked for.

    Raises WrongState.
    """
    batch = lock(update.batch)
    locked = PayerUpdate.objects.select_for_update(of=("self",)).select_related("payer").get(pk=update.pk)
    if batch.state != BatchState.READY or not locked.asks or locked.applied_at is not None:
        raise WrongState(_("Cette question n'attend plus de réponse."))
    if answer == Answer.OTHER and locked.asks != Asked.CODE:
        raise WrongState(_("Abandonnez cet import et corrigez le code dans votre logiciel de facturation."))
    if locked.answer != answer:
        _answer(actor, batch, [locked], answer)
    return locked


@transaction.atomic
def agree(*, actor: audit.Actor, batch: Batch, pk: int, answer: Agreed) -> Amendment:
    """Answer « À appliquer » or « À laisser » for a change of an online invoice, until the publication is asked for.

    Raises WrongState, and Amendment.DoesNotExist.
    """
    locked = lock(batch)
    change = (
        Amendment.objects.select_for_update(of=("self",)).select_related("invoice").get(batch=locked, pk=pk)
    )
    if locked.state != BatchState.READY or change.applied_at is not None:
        raise WrongState(_("Cette question n'attend plus de réponse."))
    if change.answer != answer:
        old, change.answer, change.answered_at = change.answer, answer, timezone.now()
        change.answered_by = actor if isinstance(actor, str) else actor.audit_name
        change.save(update_fields=["answer", "answered_by", "answered_at"])
        audit.record(
            "batch.change_answered",
            actor=actor,
            obj=f"batch:{locked.uuid}",
            old={"answer": old},
            new={"number": change.invoice.number, "answer": answer},
        )
    return change


@transaction.atomic
def recognise_alike(*, actor: audit.Actor, batch: Batch) -> int:
    """Answer « Ce sont les mêmes personnes » for every open code that looks like a known one of the same name.

    Returns how many. Raises WrongState.
    """
    locked = lock(batch)
    if locked.state != BatchState.READY:
        raise WrongState(_("Cette question n'attend plus de réponse."))
    alike = open_questions(locked).filter(
        asks=Asked.CODE, reasons__contains=[{"why": "looks", "alike": True}]
    )
    updates = list(alike.select_for_update(of=("self",)).select_related("payer"))
    _answer(actor, locked, updates, Answer.SAME)
    return len(updates)


def _answer(actor: audit.Actor, batch: Batch, updates: list[PayerUpdate], answer: Answer) -> None:
    name = actor if isinstance(actor, str) else actor.audit_name
    PayerUpdate.objects.filter(pk__in=[update.pk for update in updates]).update(
        answer=answer, answered_by=name, answered_at=timezone.now()
    )
    for update in updates:
        audit.record(
            "batch.payer_answered",
            actor=actor,
            obj=f"batch:{batch.uuid}",
            old={"name": _named(update.was), "answer": update.answer},
            new={
                **{"payer": str(update.payer.uuid), "code": update.payer.reference},
                **{"name": _named(update.said), "answer": answer},
            },
        )
        update.answer = answer


def _named(said: dict[str, Any]) -> str:
    return " ".join(filter(None, [said.get("first_name"), said.get("last_name")]))
