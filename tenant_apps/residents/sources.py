"""Where billing files come from, and how codes of one source are compared (decision 45)."""

from collections.abc import Collection

from django.db import IntegrityError, transaction
from django.db.models import Func, QuerySet, Value
from django.db.models.functions import Lower

from shared_apps.audit import services as audit
from tenant_apps.residents.models import Payer, Source
from toolkit.reading.fields import fold

LONGEST = 80


def sources() -> QuerySet[Source]:
    """The town's sources, the first one first."""
    return Source.objects.order_by("id")


def default_source() -> Source:
    """The source that every town has from the start."""
    return sources().earliest("id")


def has_several() -> bool:
    """True when a code alone does not identify a payer."""
    return len(sources()[:2].values_list("pk")) > 1


def source_called(name: str) -> Source | None:
    """The source of that name, ignoring case and accents."""
    wanted = _bare_name(name)
    return next((source for source in sources() if _bare_name(source.name) == wanted), None)


def source_named(*, actor: audit.Actor, name: str) -> Source:
    """The source of that name, created if needed. Two simultaneous calls create one."""
    clean = " ".join(name.split())[:LONGEST]
    found = source_called(clean)
    if found is not None:
        return found
    try:
        with transaction.atomic():
            made = Source.objects.create(name=clean)
            audit.record("source.created", actor=actor, obj=f"source:{made.uuid}", new={"name": clean})
    except IntegrityError:
        made = Source.objects.get(name__iexact=clean)
    return made


def _bare_name(name: str) -> str:
    return fold(name) or name.strip().lower()


def bare_code(code: str) -> str:
    """A code without case and leading zeros, as spreadsheets change these. Equal results may be one payer."""
    return code.lower().lstrip("0")


def known_payers(source: Source) -> QuerySet[Payer]:
    """Payers of `source` from published imports."""
    return Payer.objects.filter(source=source, is_draft=False)


def payers_that_read(source: Source, bare_codes: Collection[str]) -> QuerySet[Payer]:
    """Those of them whose bare code is one of these."""
    bare = Func(Lower("reference"), Value("0"), function="ltrim")
    return known_payers(source).annotate(bare=bare).filter(bare__in=bare_codes)
