"""Nobody looks a person up by address, or folds one, but by the one rule: a new way to do it fails here.

The rule lives in the column's type (`AddressField`), so a look-up that uses Django goes by it whatever it was
given; what this file finds is whoever goes around it.
"""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.core.exceptions import FieldError
from django.db import connection, models
from django.db.models.functions import Lower
from django.test.utils import CaptureQueriesContext
from django_tenants.utils import tenant_context

from shared_apps.accounts import errors
from shared_apps.accounts.models import Account
from shared_apps.accounts.services import check_credentials
from tenants.models import Town
from toolkit.forms.address_fields import FOLDING, NORMAL, AddressField

ROOT = Path(__file__).resolve().parents[2]
CODE = [
    path
    for folder in ("src", "tenants", "shared_apps", "tenant_apps")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if "migrations" not in path.parts
]
OURS = {"src/toolkit/emails.py", "src/toolkit/forms/address_fields.py"}
COLUMNS = "|".join(
    sorted(
        {f.name for m in apps.get_models() for f in m._meta.fields if isinstance(f, AddressField)} - {"to"}
    )
)
# Staff look for a part of an address in a list; it opens nothing to anybody.
SEARCHES = {
    ("tenant_apps/contact/queries.py", "email__icontains"),
    ("tenant_apps/residents/queries.py", "email__icontains"),
}
COMPARED = {"", "exact", "in"}  # with normal forms, by the column's type
KEYWORD = re.compile(rf"(?:.*__)?(?:{COLUMNS}|to)(?:__(?P<how>[a-z_]+))?")
LOOKING = {"filter", "exclude", "get", "Q", "get_or_create", "update_or_create", "When", "aget", "afilter"}
FOLDS = {"lower", "upper", "casefold", "swapcase", "title", "capitalize"}
SQL = re.compile(
    rf"(?:lower|upper|translate|unaccent)\s*\(\s*(?:\w+\.)?\"?(?:{COLUMNS})\b"
    rf"|\b(?:\w+\.)?\"?(?:{COLUMNS})\"?\s+(?:not\s+)?(?:i?like|similar|~)",
    re.IGNORECASE,
)
OTHERS = {"EmailField", "validate_email", "EmailValidator", "CIEmailField", "CICharField"}


def columns() -> list[tuple[type[models.Model], AddressField]]:
    return [(m, f) for m in apps.get_models() for f in m._meta.local_fields if isinstance(f, AddressField)]


# --- The columns -----------------------------------------------------------------------------------------


def test_every_column_of_an_address_has_the_one_type() -> None:
    assert len(columns()) >= 14
    for model in apps.get_models():
        for field in model._meta.local_fields:
            text = isinstance(field, models.CharField | models.TextField)
            named = re.search(r"mail|courriel", field.name) and field.name != "failed_mails"
            if isinstance(field, models.EmailField) or (text and named):
                assert isinstance(field, AddressField), (
                    f"{model.__name__}.{field.name}: make it an AddressField"
                )


@pytest.mark.parametrize("schema", ["town", "public"])
def test_the_database_takes_nothing_but_the_normal_form(town: Town, schema: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, pg_get_constraintdef(k.oid) FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid"
            " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE k.contype = 'c' AND n.nspname = %s",
            [town.schema_name if schema == "town" else "public"],
        )
        checks = cursor.fetchall()
        cursor.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = %s",
            [town.schema_name if schema == "town" else "public"],
        )
        tables = {name for (name,) in cursor.fetchall()}
    found = 0
    for model, field in columns():
        if model._meta.db_table in tables:
            found += 1
            rules = [definition for table, definition in checks if table == model._meta.db_table]
            assert any(
                re.search(rf'\("?{field.column}"?\)::text ~ ', rule) and NORMAL in rule for rule in rules
            ), f"{model.__name__}.{field.name}: add kept_normal() to its constraints"
    assert found >= 4


def test_every_way_to_compare_is_known() -> None:
    """Those that compare go by the normal form; those that fold are refused; the rest looks for a part or an order."""
    for name in AddressField.get_lookups():
        if name in FOLDING:
            with pytest.raises(FieldError, match="compared exactly"):
                Account.objects.filter(**{f"email__{name}": "x@example.net"})
    left = set(AddressField.get_lookups()) - FOLDING - COMPARED
    parts = {"contains", "icontains", "startswith", "istartswith", "endswith", "iendswith"}
    assert left - parts == {"gt", "gte", "lt", "lte", "range", "isnull", "normal"}


# --- The code --------------------------------------------------------------------------------------------


def lookups(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """(keyword, how) of each look-up by address."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in LOOKING:
                for keyword in node.keywords:
                    match = KEYWORD.fullmatch(keyword.arg or "")
                    if match:
                        yield str(keyword.arg), match["how"] or ""


def around(tree: ast.AST) -> Iterator[str]:
    """What goes around the rule."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in FOLDS:
            if re.search(r"mail|\baddress(es)?\b", ast.unparse(node.func.value)):
                yield ast.unparse(node)
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("Lower", "Upper", "Collate"):
            if re.search("mail", ast.unparse(node)):
                yield ast.unparse(node)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            if SQL.search(node.value) or re.search(r"mail__(iexact|i?regex)$", node.value):
                yield node.value
        elif isinstance(node, ast.Name | ast.Attribute | ast.alias):
            name = getattr(node, "id", None) or getattr(node, "attr", None) or getattr(node, "name", "")
            if name in OTHERS:
                yield ast.unparse(node)


def parsed() -> Iterator[tuple[str, ast.AST]]:
    for path in CODE:
        yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text())


def test_every_lookup_by_address_compares_normal_forms() -> None:
    found, searched = 0, set()
    for name, tree in parsed():
        for keyword, how in lookups(tree):
            found += 1
            if how not in COMPARED:
                searched.add((name, keyword))
    assert searched == SEARCHES, "an address is compared exactly; a search of staff is declared in SEARCHES"
    assert found > 30  # the scan sees them


def test_nobody_folds_or_checks_an_address_in_another_way() -> None:
    found = [f"{name}: {what}" for name, tree in parsed() if name not in OURS for what in around(tree)]
    assert not found, "use toolkit.emails or toolkit.forms.address_fields: " + "; ".join(found)


@pytest.mark.parametrize(
    "code",
    [
        "Account.objects.filter(email__iexact=typed)",
        "Account.objects.filter(account__email__istartswith=typed)",
        "Link.objects.get(email__regex=typed)",
        "Q(contact_email__contains=typed)",
    ],
)
def test_the_scan_would_see_a_new_lookup(code: str) -> None:
    assert [how for _keyword, how in lookups(ast.parse(code)) if how not in COMPARED]


@pytest.mark.parametrize(
    "code",
    [
        "email.strip().lower()",
        "known = account.email.casefold()",
        "Account.objects.annotate(same=Lower('email'))",
        "cursor.execute('SELECT 1 FROM accounts_account a WHERE lower(a.email) = %s')",
        "cursor.execute('SELECT 1 FROM residents_payeremail WHERE email ILIKE %s')",
        "Account.objects.filter(**{'email__iexact': typed})",
        "forms.EmailField(label='x')",
        "from django.core.validators import validate_email",
    ],
)
def test_the_scan_would_see_a_way_around(code: str) -> None:
    assert list(around(ast.parse(code)))


# --- The index -------------------------------------------------------------------------------------------


def test_signing_in_reads_the_index_and_not_the_table(
    town: Town, make_account: Callable[..., Account]
) -> None:
    make_account("alice@example.net")
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO accounts_account (uuid, email, password, role, is_active, created_at,"
            " language) SELECT gen_random_uuid(), 'p' || n || '@example.net', '', 'resident', true, now(), ''"
            " FROM generate_series(1, 5000) n"
        )
        cursor.execute("ANALYZE accounts_account")
    with (
        CaptureQueriesContext(
            connection,
        ) as asked,
        pytest.raises(errors.WrongCredentials),
    ):
        check_credentials(email="P77@Example.net", password="faux", ip="192.0.2.1")
    (looked_up,) = [query["sql"] for query in asked.captured_queries if "accounts_account" in query["sql"]]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {looked_up}")
        plan = "\n".join(row for (row,) in cursor.fetchall())
        assert "Index Scan using account_email_once" in plan, plan
        assert "Seq Scan" not in plan
        folded = Account.objects.annotate(folded=Lower("email")).filter(folded="p77@example.net")
        cursor.execute("EXPLAIN " + str(folded.query).replace("p77@example.net", "'p77@example.net'"))
        assert "Seq Scan" in "\n".join(row for (row,) in cursor.fetchall())  # what it was like


def test_both_schemas_have_it(town: Town) -> None:
    for schema in (town.schema_name, "public"):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT indexdef FROM pg_indexes WHERE schemaname = %s AND indexname = 'account_email_once'",
                [schema],
            )
            ((definition,),) = cursor.fetchall()
        assert definition.endswith("USING btree (email)")
        assert "UNIQUE" in definition
    with tenant_context(town):
        assert not Account.objects.filter(email="nobody@example.net").exists()
