"""What staff answer to « J'ai réglé ». They confirm a declaration by booking the money at the counter."""

from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from shared_apps.audit import services as audit
from shared_apps.mail.notifying import notify
from tenant_apps.payments.errors import NotCorrectable
from tenant_apps.payments.mails import DECLARATION_REFUSED
from tenant_apps.payments.models import Declaration
from tenant_apps.payments.queries import open_declarations
from tenant_apps.products.queries import contact_address
from tenants.databases.postgresql.again import atomic_again
from toolkit.scope import Scope


@atomic_again
def refuse_declaration(*, actor: audit.Actor, declaration: Declaration, answer: str) -> Declaration:
    """Answer that no money was found, in staff's own words, by e-mail. Refusing again changes nothing.

    Raises NotCorrectable.
    """
    if not answer.strip():
        raise NotCorrectable(_("Écrivez à l'usager ce que vous avez vérifié et ce qu'il doit faire."))
    locked = (
        Declaration.objects.select_for_update(of=("self",), no_key=True)
        .select_related("account", "invoice__product")
        .get(pk=declaration.pk)
    )
    if locked.refused_at is not None:
        return locked
    locked.refused_at = timezone.now()
    locked.refused_by = actor if isinstance(actor, str) else actor.audit_name
    locked.answer = answer.strip()[:500]
    locked.save(update_fields=["refused_at", "refused_by", "answer"])
    audit.record(
        "declaration.refused",
        actor=actor,
        obj=f"invoice:{locked.invoice.uuid}",
        old={"declared_at": locked.declared_at.isoformat()},
        new={"answer": locked.answer},
    )
    _tell(locked)
    return locked


def declarations(scope: Scope) -> QuerySet[Declaration]:
    """The declarations that staff have not answered, the oldest first."""
    waiting = open_declarations(scope).select_related("account", "invoice__payer", "invoice__product")
    return waiting.order_by("id")


def declaration(scope: Scope, public_id: UUID) -> Declaration:
    """One declaration, answered or not. Raises Declaration.DoesNotExist."""
    every = Declaration.objects.select_related("account", "invoice__payer")
    return scope.of(every, "invoice__product").get(uuid=public_id)


def _tell(declaration: Declaration) -> None:
    account, invoice = declaration.account, declaration.invoice
    if account is None:
        return
    notify(
        DECLARATION_REFUSED.about(declaration=declaration).of(invoice.product_id),
        to=account.email,
        language=account.reads,
        reply_to=contact_address(invoice.product),
        once={"declaration": declaration.uuid, "declared_at": declaration.declared_at.isoformat()},
    )
