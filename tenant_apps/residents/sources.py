"""Where billing files come from, how they are read, and how codes of one source are compared (decisions 45, 71)."""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Count, Func, Q, QuerySet, Value
from django.db.models.functions import Lower

from shared_apps.audit import services as audit
from tenant_apps.residents.errors import SourceNameMissing, SourceNameTaken
from tenant_apps.residents.models import Payer, Source
from toolkit.reading.fields import fold

LONGEST = 80


def sources() -> QuerySet[Source]:
    """The town's sources, the first one first."""
    return Source.objects.order_by("id")


def with_payers() -> QuerySet[Source]:
    """The same, each with `payers_count`: how many payers billing knows by its codes."""
    return sources().annotate(payers_count=Count("payers", filter=Q(payers__is_draft=False)))


def default_source() -> Source:
    """The source that every town has from the start."""
    return sources().earliest("id")


def source_of(public_id: UUID) -> Source:
    """The source of that id. Raises DoesNotExist."""
    return sources().get(uuid=public_id)


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


def rename_source(*, actor: audit.Actor, source: Source, name: str) -> Source:
    """Give a source another name. Raises SourceNameMissing and SourceNameTaken (case and accents do not count)."""
    clean = " ".join(name.split())[:LONGEST]
    if not clean:
        raise SourceNameMissing
    with transaction.atomic():
        others = {one.pk: one for one in sources().select_for_update(no_key=True)}
        locked = others.pop(source.pk)
        if any(_bare_name(one.name) == _bare_name(clean) for one in others.values()):
            raise SourceNameTaken
        old = locked.name
        if old != clean:
            locked.name = clean
            locked.save(update_fields=["name"])
            obj = f"source:{locked.uuid}"
            audit.record("source.renamed", actor=actor, obj=obj, old={"name": old}, new={"name": clean})
    return locked


def save_rules(*, actor: audit.Actor, source: Source, changes: Mapping[str, Any]) -> Source:
    """Change rules of a source (invoices.importing.records.rules): name of a rule → its value, None for the usual one.

    `columns` and `dates` are objects: their keys are changed one by one, None takes one away. The caller has checked
    the values. The same values change nothing.
    """
    with transaction.atomic():
        locked = sources().select_for_update(no_key=True).get(pk=source.pk)
        old, new = dict(locked.rules), dict(locked.rules)
        for name, value in changes.items():
            if isinstance(value, Mapping):
                value = _merged(old.get(name) or {}, value)
            new.pop(name, None)
            if value is not None and value != {}:
                new[name] = value
        if old != new:
            locked.rules = new
            locked.save(update_fields=["rules"])
            before, after = _differences(old, new), _differences(new, old)
            obj = f"source:{locked.uuid}"
            audit.record("source.rules_changed", actor=actor, obj=obj, old=before, new=after)
    return locked


def _merged(old: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in {**old, **changes}.items() if value is not None}


def _differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """What only `one` says, or says otherwise; of an object the keys that differ."""
    found: dict[str, Any] = {}
    for name, value in one.items():
        beside = other.get(name)
        if value == beside:
            continue
        if isinstance(value, Mapping):
            known = beside if isinstance(beside, Mapping) else {}
            value = {key: said for key, said in value.items() if known.get(key) != said}
        if value != {}:
            found[name] = value
    return found


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
