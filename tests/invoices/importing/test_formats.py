"""Each format with its golden samples, and a new format that is one module only."""

import io
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tenant_apps.invoices import services
from tenant_apps.invoices.batches import processing
from tenant_apps.invoices.errors import NotTaken
from tenant_apps.invoices.importing import formats as package
from tenant_apps.invoices.importing import registry
from tenant_apps.invoices.importing.format import HEAD, Confidence, Format
from tenant_apps.invoices.importing.formats import csv
from tenant_apps.invoices.models import Batch
from tests.invoices.importing import golden
from tests.invoices.importing.files import MEGABYTE, lines
from tests.invoices.importing.trial import OCTOBER, added
from tests.invoices.importing.trial import SAMPLES as TRIAL_SAMPLES
from toolkit.reading.errors import FileError

HERE = Path(__file__).parent


@pytest.fixture
def trial() -> Iterator[Format]:
    """A format that was just added."""
    with added() as format:
        yield format


# --- golden samples -------------------------------------------------------------------------------


def test_every_format_has_samples_and_a_plain_name() -> None:
    for format in registry.formats():
        assert golden.samples_of(format, HERE / "samples"), f"add samples of {format.name}"
        assert re.fullmatch(r"[a-z0-9-]{1,20}", format.name)
        assert all(sign.startswith(".") for sign in format.extensions)


SAMPLES = [
    pytest.param(format, sample, id=f"{format.name}:{sample.name}")
    for format in registry.formats()
    for sample in golden.samples_of(format, HERE / "samples")
]


@pytest.mark.parametrize(("format", "sample"), SAMPLES)
def test_a_sample_is_read_as_it_was_checked(format: Format, sample: Path) -> None:
    golden.check(format, sample)


def test_the_trial_s_samples_too(trial: Format) -> None:
    for sample in golden.samples_of(trial, TRIAL_SAMPLES):
        golden.check(trial, sample)


def test_what_a_page_gives_as_an_example_is_read(trial: Format) -> None:
    for format in registry.formats():
        assert format.sample is not None
        assert registry.recognised(format.sample.content, "x") is format
        assert list(format.rows(io.BytesIO(format.sample.content)))


# --- which format reads a file ------------------------------------------------------------------------


def test_recognised_by_the_bytes_and_not_by_the_name(trial: Format) -> None:
    head = OCTOBER.read_bytes()[:HEAD]
    assert registry.recognised(head, "factures.csv") is trial
    assert registry.recognised(lines().encode(), "factures.jsonl") is csv.FORMAT


@pytest.mark.parametrize(
    ("head", "sure"),
    [
        (lines().encode(), Confidence.CERTAIN),
        (lines().encode("cp1252"), Confidence.CERTAIN),
        (b"\xef\xbb\xbf\n\n" + lines().encode(), Confidence.CERTAIN),
        (b"Numero;Date;Prix\n", Confidence.POSSIBLE),
        (b"%PDF-1.7", Confidence.LAST_RESORT),
        (b"", Confidence.LAST_RESORT),
    ],
)
def test_how_sure_csv_is(head: bytes, sure: Confidence) -> None:
    assert csv.recognise(head, "") == sure


def test_a_file_of_no_format_is_not_kept(town: Any) -> None:
    """Without CSV no format takes every file; the error names the formats that exist."""
    words = r"« a\.pdf » n'est d'aucun des formats qui sont lus \(JSON\)\."
    with added(alone=True), pytest.raises(NotTaken, match=words):
        services.create_batch(actor="system", rows_file=io.BytesIO(b"%PDF"), rows_name="a.pdf")
    assert not Batch.objects.exists()


def test_two_formats_of_one_name_are_refused(trial: Format, monkeypatch: pytest.MonkeyPatch) -> None:
    module = sys.modules[f"{package.__name__}.json_lines"]
    monkeypatch.setattr(module, "FORMAT", csv.FORMAT)
    registry.formats.cache_clear()
    with pytest.raises(LookupError, match="one name"):
        registry.formats()


# --- a whole import; its pages: tests/backoffice/test_import_formats.py ---------------------------------


def test_its_problems_name_the_line_and_the_field(trial: Format, town: Any) -> None:
    broken = b'{"number": "1", "issued_on": "31/02/2026"}\n'
    sound = OCTOBER.read_bytes().splitlines()[0] + b"\n"
    batch = services.create_batch(
        actor="system", rows_file=io.BytesIO(sound + broken + b"{\n"), rows_name="x.jsonl"
    )
    processing.process_waiting()
    batch.refresh_from_db()
    problems = [(one.line, one.field) for one in batch.problems.all() if one.severity == "error"]
    assert batch.state == "refused"
    assert {(2, "Date"), (2, "Montant"), (3, "")} <= set(problems)


def test_the_command_takes_it(trial: Format, town: Any) -> None:
    out = io.StringIO()
    call_command("import_invoices", town="mairie", file=OCTOBER, publish=True, stdout=out)
    assert "publié : 2 nouvelle" in out.getvalue().lower()
    assert Batch.objects.get().format == "json-lines"


# --- limits, and the file that may come with the rows ---------------------------------------------------


@pytest.fixture
def as_format(trial: Format, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Format]:
    """`as_format(documents=None)`: the trial format with another attribute."""

    def change(**values: Any) -> Format:
        for name, value in values.items():
            monkeypatch.setitem(trial.__dict__, name, value)
        return trial

    return change


def test_a_format_has_its_own_limit(as_format: Callable[..., Format], town: Any) -> None:
    as_format(most_bytes=MEGABYTE)
    content = OCTOBER.read_bytes() + b"\n" * MEGABYTE
    batch = services.create_batch(actor="system", rows_file=io.BytesIO(content), rows_name="x.jsonl")
    processing.process_waiting()
    assert "Le fichier des factures dépasse 1 Mo" in batch.problems.get().message


def test_nothing_may_come_beside(as_format: Callable[..., Format], town: Any) -> None:
    kinds = registry.companions()
    changed = as_format(documents=None)
    assert registry.companions() == kinds  # those of the other formats
    assert changed.documents is None
    with pytest.raises(CommandError, match="Rien n'accompagne un fichier JSON : envoyez-le seul"):
        call_command("import_invoices", town="mairie", file=OCTOBER, documents=OCTOBER, stdout=io.StringIO())
    assert not Batch.objects.exists()


def test_a_format_that_is_read_no_more(town: Any) -> None:
    with pytest.raises(FileError, match="n'est plus lu"):
        registry.named("rolmre")
    assert registry.label_of("rolmre") == "rolmre"
    batch = services.create_batch(actor="system", rows_file=io.BytesIO(lines().encode()), rows_name="x.csv")
    Batch.objects.update(format="rolmre")
    processing.process_waiting()
    batch.refresh_from_db()
    assert (batch.state, batch.problems.get().message[:32]) == ("refused", "Le format de ce fichier n'est pl")
