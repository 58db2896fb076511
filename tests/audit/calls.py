"""Every call that records a fact, read from the source code: its verbs and the keys that it names."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("shared_apps", "tenant_apps", "tenants")
PLACES = ("audit", "facts")  # the names under which rooms import `record`'s module
THEMSELVES = ("shared_apps/audit/services.py", "tenants/facts.py")


@dataclass(frozen=True)
class Call:
    where: str
    verbs: frozenset[str]
    old: frozenset[str]
    new: frozenset[str]


class Unread(Exception):
    """A verb that this module cannot read: write it as a constant, or as a dictionary of constants."""


def calls() -> Iterator[Call]:
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            name = str(path.relative_to(ROOT))
            if "migrations" not in path.parts and name not in THEMSELVES:
                yield from read(ast.parse(path.read_text(encoding="utf-8")), name)


def read(tree: ast.Module, name: str) -> Iterator[Call]:
    for function in [tree, *(node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))]:
        for node in _own(function):
            if isinstance(node, ast.Call) and _records(node):
                where = f"{name}:{node.lineno}"
                sides = {k.arg: k.value for k in node.keywords if k.arg in ("old", "new")}
                yield Call(
                    where,
                    frozenset(_verbs(node.args[0], function, tree, where)),
                    frozenset(_keys(sides.get("old"), function)),
                    frozenset(_keys(sides.get("new"), function)),
                )


def _records(node: ast.Call) -> bool:
    called = node.func
    if isinstance(called, ast.Attribute):
        return called.attr == "record" and isinstance(called.value, ast.Name) and called.value.id in PLACES
    return isinstance(called, ast.Name) and called.id == "record"


def _own(function: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a function, without those of the functions inside it."""
    for child in ast.iter_child_nodes(function):
        if not isinstance(child, ast.FunctionDef):
            yield child
            yield from _own(child)


def _verbs(node: ast.expr, function: ast.AST, tree: ast.Module, where: str) -> set[str]:
    if isinstance(node, ast.Constant):
        return {str(node.value)}
    if isinstance(node, ast.IfExp):
        return _verbs(node.body, function, tree, where) | _verbs(node.orelse, function, tree, where)
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
        (table,) = _assigned(tree, node.value.id)
        if isinstance(table, ast.Dict):
            return set().union(*(_verbs(value, function, tree, where) for value in table.values))
    found = []
    if isinstance(node, ast.Name):
        found = _assigned(function, node.id) or _arguments(tree, function, node.id)
    if found:
        return set().union(*(_verbs(value, function, tree, where) for value in found))
    raise Unread(f"{where}: {ast.unparse(node)}")


def _assigned(place: ast.AST, name: str) -> list[ast.expr]:
    return [
        node.value
        for node in _own(place)
        if isinstance(node, ast.Assign)
        and any(isinstance(target, ast.Name) and target.id == name for target in node.targets)
    ]


def _arguments(tree: ast.Module, function: ast.AST, name: str) -> list[ast.expr]:
    """The values that calls of `function` in this file give for the parameter `name`."""
    if not isinstance(function, ast.FunctionDef):
        return []
    names = [argument.arg for argument in function.args.args]
    if name not in names:
        return []
    return [
        node.args[names.index(name)]
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == function.name
    ]


def _keys(node: ast.expr | None, function: ast.AST) -> set[str]:
    """The keys that are written out. The others are checked when they are recorded."""
    if isinstance(node, ast.IfExp):
        return _keys(node.body, function) | _keys(node.orelse, function)
    if isinstance(node, ast.Name):
        found = [
            each.value
            for each in _own(function)
            if isinstance(each, ast.Assign | ast.AnnAssign)
            and ast.unparse(each.targets[0] if isinstance(each, ast.Assign) else each.target) == node.id
        ]
        return set().union(*(_keys(value, function) for value in found))
    if not isinstance(node, ast.Dict):
        return set()
    keys = set()
    for key, value in zip(node.keys, node.values, strict=True):
        if key is None:
            keys |= _keys(value, function)
        elif isinstance(key, ast.Constant):
            keys.add(str(key.value))
    return keys
