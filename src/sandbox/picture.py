"""`make picture`: the rooms, their floors and who imports whom, drawn from the code into docs/images/rooms.svg.

The floors are the import contracts of pyproject.toml, the dots are the imports of today, and the words are the
docstrings of the packages. A test compares the picture with the code.
"""

import ast
import tomllib
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

import grimp

ROOT = Path(__file__).resolve().parent.parent.parent
PICTURE = ROOT / "docs" / "images" / "rooms.svg"
STEP, TOP, LEFT, WORDS = 26, 150, 150, 700  # pixels: a row, above the rows, the names, the words at the right
COLOURS = {"src": "#e8eaed", "tenants": "#fff1cc", "shared_apps": "#dcecfb", "tenant_apps": "#e2f3df"}
STYLE = "text{font:13px system-ui,sans-serif;fill:#1f2937}.b{font-weight:600}.q{fill:#4b5563;font-size:12px}"


class Room(NamedTuple):
    """A package of the first contract, the floor that it stands on (0 is the highest), and its first sentence."""

    package: str
    floor: int
    words: str

    @property
    def name(self) -> str:
        return self.package.rpartition(".")[2]

    @property
    def folder(self) -> str:
        first = self.package.partition(".")[0]
        return first if first in COLOURS else "src"


def contracts() -> list[dict[str, Any]]:
    """The contracts that say which floor stands above which."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    return [contract for contract in declared if contract["type"] == "layers"]


def words_of(package: str) -> str:
    """The first sentence of the package's docstring."""
    path = package.replace(".", "/")
    file = next(f for f in (ROOT / path / "__init__.py", ROOT / "src" / path / "__init__.py") if f.is_file())
    return (ast.get_docstring(ast.parse(file.read_text())) or "").partition("\n")[0].rstrip(".")


def rooms() -> list[Room]:
    """Every room of the house, from the roof to the ground."""
    (house,) = (contract for contract in contracts() if "containers" not in contract)
    return [
        Room(package.strip(), floor, words_of(package.strip()))
        for floor, layer in enumerate(house["layers"])
        for package in layer.split("|")
    ]


def imports(packages: list[str]) -> set[tuple[str, str]]:
    """(importer, imported) of the given packages, read from the code; imports for types only do not count."""
    roots = sorted({package.partition(".")[0] for package in packages})
    graph = grimp.build_graph(*roots, exclude_type_checking_imports=True, cache_dir=None)
    for package in packages:
        graph.squash_module(package)
    found = ((package, graph.find_modules_directly_imported_by(package)) for package in packages)
    return {
        (package, other)
        for package, others in found
        for other in others
        if other in packages and other != package
    }


def draw() -> str:
    """The picture as SVG: one row per room, one column per room that it may import, a dot where it does."""
    house = rooms()
    uses = imports([room.package for room in house])
    right = LEFT + STEP * len(house) + 16
    parts = [_heads(house)]
    for number, room in enumerate(house):
        parts.append(_row(number, room, house, uses, right))
    below = TOP + STEP * len(house) + 40
    inside, height = _inside(below)
    parts.append(inside)
    width = right + WORDS
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    title = "Rooms of the house, from the roof to the ground, and who imports whom"
    ground = f'<rect width="{width}" height="{height}" fill="#fff"/>'
    return (
        f'{head} role="img"><title>{title}</title><style>{STYLE}</style>{ground}\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def _text(x: float, y: float, words: str, more: str = "") -> str:
    return f'<text x="{x}" y="{y}"{more}>{escape(words)}</text>'


def _heads(house: list[Room]) -> str:
    columns = []
    for number, room in enumerate(house):
        x = LEFT + STEP * number + STEP / 2 + 4
        columns.append(_text(x, TOP - 8, room.name, f' transform="rotate(-60 {x} {TOP - 8})"'))
    x = LEFT + STEP * len(house) + 110
    legend = [
        _text(x, 32, "Imports only go down. Dot: imports today. Grey square: may import.", ' class="q"')
    ]
    for folder, colour in COLOURS.items():
        legend.append(f'<rect x="{x}" y="48" width="14" height="14" fill="{colour}" stroke="#9ca3af"/>')
        legend.append(_text(x + 20, 60, f"{folder}/"))
        x += 120
    return "\n".join([*columns, *legend])


def _row(number: int, room: Room, house: list[Room], uses: set[tuple[str, str]], right: int) -> str:
    y = TOP + STEP * number
    parts = [
        f'<rect x="8" y="{y + 2}" width="{LEFT - 14}" height="{STEP - 4}" rx="4" fill="{COLOURS[room.folder]}"/>',
        _text(16, y + 18, room.name, ' class="b"'),
        _text(right, y + 18, room.words, ' class="q"'),
    ]
    for column, other in enumerate(house):
        x = LEFT + STEP * column
        if other.floor > room.floor:
            parts.append(
                f'<rect x="{x + 3}" y="{y + 3}" width="{STEP - 6}" height="{STEP - 6}" rx="3" fill="#f3f4f6"/>'
            )
        if (room.package, other.package) in uses:
            parts.append(f'<circle cx="{x + STEP / 2}" cy="{y + STEP / 2}" r="5" fill="#1f2937"/>')
    return "\n".join(parts)


def _inside(top: int) -> tuple[str, int]:
    """The floors inside of the rooms that have some, side by side; and where the picture ends."""
    parts, lowest, x = [], top, 8
    for contract in (contract for contract in contracts() if "containers" in contract):
        (package,) = contract["containers"]
        width = max(120, 16 + 6 * max(map(len, contract["layers"])))
        parts.append(_text(x, top, f"inside {package.rpartition('.')[2]}", ' class="b"'))
        colour = COLOURS.get(package.partition(".")[0], COLOURS["src"])
        for number, layer in enumerate(contract["layers"]):
            y = top + 10 + 24 * number
            parts.append(f'<rect x="{x}" y="{y}" width="{width}" height="20" rx="3" fill="{colour}"/>')
            parts.append(_text(x + 6, y + 14, layer.replace(" | ", " · "), ' style="font-size:11px"'))
            lowest = max(lowest, y + 34)
        x += width + 16
    return "\n".join(parts), lowest


if __name__ == "__main__":
    PICTURE.write_text(draw())
    print(f"{PICTURE.relative_to(ROOT)} ({len(rooms())} rooms)")
