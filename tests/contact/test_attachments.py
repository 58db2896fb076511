"""Which files can be attached to a message, what is kept of them, and the sentence for the others."""

import io
import random
from contextlib import suppress
from typing import Any
from uuid import uuid4

import pikepdf
import pytest
from django.core.exceptions import ValidationError
from PIL import Image

from tenant_apps.contact.files.attachments import KEPT_SIDE, MOST_BYTES, File, checked, shown_name
from tests.contact.sent_files import HEIC, pdf, picture, sent

JS = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="app.alert(1)")
LAUNCH = pikepdf.Dictionary(S=pikepdf.Name.Launch)
TREE = pikepdf.Dictionary(Names=pikepdf.Array([]))


def link(kind: pikepdf.Name, following: Any = None) -> pikepdf.Dictionary:
    """A link of a page, and the action that follows it."""
    action = pikepdf.Dictionary(S=kind)
    if following is not None:
        action.Next = following
    return pikepdf.Dictionary(Subtype=pikepdf.Name.Link, A=action)


def test_a_sound_pdf_is_kept_byte_for_byte() -> None:
    content = pdf(3)
    found = checked(sent("Attestation CAF.PDF", content))
    assert (found.name, found.extension, found.content) == ("Attestation CAF.pdf", "pdf", content)


@pytest.mark.parametrize("kind", [pikepdf.Name.URI, pikepdf.Name.JavaScript])
def test_a_link_or_a_form_that_counts_is_no_danger(kind: pikepdf.Name) -> None:
    """Many forms of the administration compute their own fields."""
    assert checked(sent("cerfa.pdf", pdf(mark=link(kind)))).extension == "pdf"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("vide.pdf", b"%PDF-1.7\n%%EOF", "« vide.pdf » ne s'ouvre pas : il est abîmé ou protégé"),
        ("coupé.pdf", pdf()[:-40], "« coupé.pdf » ne s'ouvre pas"),
        ("secret.pdf", pdf(password="x"), "protégé par un mot de passe. Enregistrez-le de nouveau"),
        ("livre.pdf", pdf(101), "« livre.pdf » a trop de pages (100 au plus)"),
        ("jeu.pdf", pdf(OpenAction=JS), "« jeu.pdf » contient un programme"),
        ("jeu.pdf", pdf(Names=pikepdf.Dictionary(JavaScript=TREE)), "« jeu.pdf » contient un programme"),
        ("sac.pdf", pdf(Names=pikepdf.Dictionary(EmbeddedFiles=TREE)), "ou d'autres fichiers"),
        ("lance.pdf", pdf(2, mark=link(pikepdf.Name.Launch)), "« lance.pdf » contient un programme"),
        ("suite.pdf", pdf(mark=link(pikepdf.Name.URI, LAUNCH)), "« suite.pdf » contient un programme"),
        ("clip.pdf", pdf(mark=pikepdf.Dictionary(Subtype=pikepdf.Name.FileAttachment)), "d'autres fichiers"),
        ("IMG_1.HEIC", HEIC, "« IMG_1.HEIC » est une photo au format HEIC"),
        ("note.docx", b"PK\x03\x04" + b"x" * 99, "« note.docx » n'est ni un PDF ni une image"),
        ("page.pdf", b"<html><script>", "« page.pdf » n'est ni un PDF ni une image"),
        ("photo.jpg", picture()[:-300], "« photo.jpg » est une image abîmée"),
        ("photo.png", b"\x89PNG\r\n\x1a\n" + b"x" * 60, "« photo.png » est une image abîmée"),
        ("lourd.pdf", pdf() + b" " * MOST_BYTES, "« lourd.pdf » pèse plus de 5 Mo. Envoyez-en une version"),
    ],
)
def test_the_rest_is_named_and_said_what_to_do(name: str, content: bytes, words: str) -> None:
    with pytest.raises(ValidationError) as refused:
        checked(sent(name, content))
    assert words in refused.value.messages[0]


def test_a_photograph_loses_where_it_was_taken_and_stands_upright() -> None:
    found = checked(sent("IMG.jpeg", picture(exif=True)))
    assert (found.name, found.extension) == ("IMG.jpg", "jpg")
    kept = Image.open(io.BytesIO(found.content))
    assert not kept.getexif()
    assert b"Camille" in picture(exif=True)
    assert b"Camille" not in found.content
    assert kept.size == (40, 60)  # it was stored on its side
    red = kept.getpixel((35, 30))
    assert isinstance(red, tuple)
    assert red[0] > 200  # the top of the stored picture is now on the right


@pytest.mark.parametrize(("kind", "extension"), [("PNG", "png"), ("WEBP", "jpg")])
def test_other_pictures_become_what_everybody_can_open(kind: str, extension: str) -> None:
    found = checked(sent(f"scan.{kind.lower()}", picture(kind)))
    assert found.name == f"scan.{extension}"
    Image.open(io.BytesIO(found.content)).verify()


def test_a_page_after_the_picture_is_not_kept() -> None:
    """A file that is a picture and a PDF at once is only the picture afterwards."""
    found = checked(sent("a.png", picture("PNG") + b"<script>alert(1)</script>"))
    assert b"script" not in found.content


def test_a_large_picture_is_reduced_and_a_huge_one_refused() -> None:
    found = checked(sent("grand.png", picture("PNG", size=(4000, 1000))))
    assert max(Image.open(io.BytesIO(found.content)).size) == KEPT_SIDE
    with pytest.raises(ValidationError, match="trop de pixels"):
        checked(sent("bombe.png", picture("PNG", size=(8000, 7000))))


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("C:\\Users\\Moi\\a.pdf", "a.pdf"),
        ("../../etc/passwd", "passwd"),
        ("a\u202efdp.exe\x00", "afdp.exe"),
        ("e\u0301te\u0301.jpg", "été.jpg"),
        ("x" * 300 + ".pdf", "x" * 70 + "…" + "xxxxx.pdf"),
    ],
)
def test_names_are_fit_to_be_read(name: str, shown: str) -> None:
    assert shown_name(name) == shown


def test_hostile_bytes_never_raise_anything_else() -> None:
    noise = random.Random(7)
    for whole in (pdf(2), picture(), picture("PNG"), picture("WEBP")):
        for _ in range(25):
            damaged = bytearray(whole)
            for _ in range(noise.randint(1, 12)):
                damaged[noise.randrange(8, len(damaged))] = noise.randrange(256)
            with suppress(ValidationError):
                checked(sent("a.pdf", bytes(damaged)))


def test_a_row_that_no_version_wrote_is_no_file() -> None:
    row = {"id": str(uuid4()), "name": "x", "extension": "pdf/../../autre", "size": 1}
    assert File.all_of(uuid4(), [row]) == []
    assert len(File.all_of(uuid4(), [{**row, "extension": "pdf"}])) == 1
