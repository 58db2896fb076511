"""The sample of the environment names every variable that the settings read, and no other."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Read by the containers and not by the settings.
OF_COMPOSE = {"POSTGRES_PASSWORD"}


def read_by_the_code() -> set[str]:
    """The first argument of each `env.text("NAME")`, `env.integer("NAME")`…"""
    found = set()
    for folder in ("src/config", "tenants", "shared_apps", "tenant_apps", "src/toolkit"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                    continue
                if isinstance(node.func.value, ast.Name) and node.func.value.id == "env":
                    assert isinstance(node.args[0], ast.Constant), f"{path}: the name is not written out"
                    found.add(str(node.args[0].value))
    return found


def test_the_sample_and_the_settings_agree() -> None:
    sample = (ROOT / "deploy" / ".env.sample").read_text("utf-8")
    named = set(re.findall(r"^(?:# )?([A-Z][A-Z0-9_]*)=", sample, re.M))
    read = read_by_the_code()
    assert len(read) > 30
    assert read - named == set(), "name them in deploy/.env.sample, with what they are for"
    assert named - read - OF_COMPOSE == set(), "nothing reads them any more"
