"""The town's logo, icon and legal pages."""

import io
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.files.storage import storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django_tenants.utils import tenant_context
from PIL import Image

from shared_apps.accounts.models import Account, Role
from shared_apps.audit.models import AuditEntry
from tenant_apps.townhall import queries
from tenant_apps.townhall.images import icon_from, logo_from
from tenant_apps.townhall.services import change_icon, change_logo, change_townhall
from tenants.models import Town
from tests.portal.conftest import text

SVG = b"""<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"
viewBox="0 0 200 100" onload="alert(1)"><style>.a{fill:#1f4e79}</style><script>alert(2)</script>
<a href="javascript:alert(3)"><path class="a" d="M0 0h200v100z"/></a><image href="http://evil.example/x.png"/><use xlink:href="http://evil.example/#x"/>
<foreignObject><p>hello</p></foreignObject><rect width="9" height="9" fill="url(http://evil.example/)" onclick="x()"/>
<circle r="4" fill="url(#g)"/><animate attributeName="href" to="javascript:alert(4)"/></svg>"""


def png(size: tuple[int, int], *, noise: bool = False) -> bytes:
    out = io.BytesIO()
    image = Image.effect_noise(size, 90).convert("RGB") if noise else Image.new("RGBA", size, "#1f4e79")
    image.save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def manager(town: Town, make_account: Callable[..., Account], client_for: Any) -> Client:
    return client_for(make_account("manager@example.net", role=Role.MANAGER))


def test_a_drawing_keeps_its_shapes_only() -> None:
    picture = logo_from(SVG)
    kept = picture.content.decode()
    for bad in ("script", "alert", "evil", "foreignObject", "image", "<a", "animate", "onload", "onclick"):
        assert bad not in kept, bad
    assert 'class="a"' not in kept  # it stood in the link
    assert 'fill="url(#g)"' in kept
    assert ".a{fill:#1f4e79}" in kept
    assert (picture.width, picture.height) == (112, 56)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"GIF89a", "ni un PNG ni un SVG"),
        (b"", "ni un PNG ni un SVG"),
        (b"\x89PNG\r\n\x1a\n" + b"0" * 50, "abîmé"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'", "abîmé"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "ne dit pas sa taille"),
        (b"<svg viewBox='0 0 1 1'/>", "SVG simple"),
        (
            b'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
            b"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 1 1'><text>&x;</text></svg>",
            "SVG simple",
        ),
        (b"<svg>" + b" " * (1024 * 1024), "plus de 1 Mo"),
    ],
)
def test_refused_with_a_reason(content: bytes, words: str) -> None:
    with pytest.raises(ValidationError) as error:
        logo_from(content)
    assert words in error.value.messages[0]


def svg(inside: str) -> bytes:
    head = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 9 9">'
    return f"{head}{inside}</svg>".encode()


def doubled(one: str, times: int = 30) -> str:
    """Each shape uses the one before ten times: ten to the thirtieth."""
    return "<rect id='u0' width='1' height='1'/>" + "".join(
        f"<g id='u{n}'>" + one.format(before=f"u{n - 1}") * 10 + "</g>" for n in range(1, times)
    )


def tiles(number: int) -> str:
    """A pattern painted with the one before, ten times over."""
    rect = f"<rect fill='url(#u{number - 1})' width='1' height='1'/>"
    return f"<pattern id='u{number}' width='.1' height='.1'>{rect * 10}</pattern>"


@pytest.mark.parametrize(
    "inside",
    [
        doubled("<use href='#{before}'/>"),
        doubled("<use xlink:href=' #{before}'/>"),
        doubled("<rect mask='url(#{before})'/>"),
        doubled("<rect style='clip-path: url( \"#{before}\" )'/>"),
        "".join(tiles(number) for number in range(1, 20)),
        "<g id='a'><use href='#a'/></g>",
        "<g id='a'><use href='#b'/></g><g id='b'><use href='#a'/></g>",
        "<style>rect{fill:url(#p)}</style><pattern id='p' width='1' height='1'><rect/></pattern><rect/>",
        "<pattern id='p' width='.0001' height='.0001'><rect/></pattern><rect fill='url(#p)'/>",
        "<path d='M0 0H9' stroke-dasharray='.0001'/>",
        "<path d='M0 0H9' style='stroke-dasharray:.0001'/>",
        "<rect width='1e30' height='1'/>",
        "<rect width='99999999999' height='1'/>",
    ],
)
def test_a_drawing_that_repeats_itself_without_end(inside: str) -> None:
    began = time.thread_time()
    with pytest.raises(ValidationError, match="répète ses formes"):
        logo_from(svg(inside))
    assert time.thread_time() - began < 1


@pytest.mark.parametrize(
    "inside",
    [
        "<defs><g id='a'><rect width='1' height='1'/></g></defs>" + "<use href='#a'/>" * 20,
        "<linearGradient id='g'><stop offset='.005'/></linearGradient><rect style='fill:url(#g)'/>",
        "<style>.a{fill:url(#g)}</style><radialGradient id='g'><stop/></radialGradient><rect class='a'/>",
        "<pattern id='p' width='.1' height='.1'><rect/></pattern><rect fill='url(#p)'/>",
        "<path fill='#999999999' d='M0 0c.001-.002 3 4 5 6z' stroke-dasharray='4 1'/>",
    ],
)
def test_an_honest_drawing_stays(inside: str) -> None:
    assert logo_from(svg(inside)).extension == "svg"


@pytest.mark.parametrize("inside", ["&a;" * 3, "<rect fill='&a;'/>"])
def test_entities_inside_entities(inside: str) -> None:
    names = pairwise("zyxwvutsrqponmlkjihgfedcba")
    entities = "".join('<!ENTITY {} "{}">'.format(name, f"&{before};" * 10) for before, name in names)
    bomb = f'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY z "zz">{entities}]>'.encode() + svg(inside)
    began = time.thread_time()
    with pytest.raises(ValidationError):
        logo_from(bomb)
    assert time.thread_time() - began < 1


def test_what_points_outside_is_dropped() -> None:
    picture = logo_from(
        svg(
            "<use href='https://evil.example/x.svg#a'/><rect style='fill:url(https://evil.example/y)'/>"
            "<rect fill='url(//evil.example)'/><style>@import 'https://evil.example/z'</style>"
            "<foreignObject><body xmlns='http://www.w3.org/1999/xhtml'>x</body></foreignObject>"
        )
    )
    assert b"evil" not in picture.content
    assert b"foreign" not in picture.content


def test_a_picture_is_drawn_again_small() -> None:
    for content in (png((3000, 1000)), png((800, 300), noise=True)):
        picture = logo_from(content)
        assert len(picture.content) <= 30_000
        assert picture.width <= 240
        assert picture.height <= 56
    assert Image.open(io.BytesIO(icon_from(png((40, 10))).content)).size == (96, 96)
    with pytest.raises(ValidationError, match="5 000 pixels"):
        logo_from(png((5001, 1)))


def test_sent_shown_and_taken_away(manager: Client) -> None:
    visitor = Client(headers={"host": "mairie.localhost"})
    assert visitor.get("/logo").status_code == 404
    files = {
        "logo": SimpleUploadedFile("logo.png", png((480, 112))),
        "icon": SimpleUploadedFile("i.svg", SVG),
    }
    answer = manager.post("/gestion/reglages/identite/", files, follow=True)
    assert "Le logo et l'icône sont enregistrés." in text(answer)
    queries.forget()
    page = visitor.get("/").content.decode()
    address = page.partition('class="logo" src="')[2].partition('"')[0]
    assert 'width="240" height="56"' in page
    shown = visitor.get(address)
    assert (shown.status_code, shown["Content-Type"]) == (200, "image/png")
    assert "immutable" in shown["Cache-Control"]
    assert shown["X-Content-Type-Options"] == "nosniff"
    icon = visitor.get("/icone")
    assert icon["Content-Type"] == "image/svg+xml"
    assert "sandbox" in icon["Content-Security-Policy"]
    assert b"alert" not in icon.content
    facts = AuditEntry.objects.filter(verb="townhall.changed").count()
    manager.post("/gestion/reglages/identite/", {"logo": SimpleUploadedFile("logo.png", png((480, 112)))})
    assert (
        AuditEntry.objects.filter(verb="townhall.changed").count() == facts
    )  # the same picture changes nothing
    manager.post("/gestion/reglages/identite/", {"remove_logo": "on"})
    assert visitor.get("/logo").status_code == 404
    assert visitor.get("/icone").status_code == 200


def test_the_picture_before_goes(town: Town, django_capture_on_commit_callbacks: Any) -> None:
    documents = storages["documents"]
    with django_capture_on_commit_callbacks(execute=True):
        first = change_logo(actor="system", content=SVG).logo
        assert change_icon(actor="system", content=SVG).icon == first  # one drawing for both
        second = change_logo(actor="system", content=png((480, 112))).logo
    assert documents.exists(first)  # the icon still names it
    with django_capture_on_commit_callbacks(execute=True):
        change_icon(actor="system", content=None)
    assert not documents.exists(first)
    assert documents.exists(second)


def test_a_bad_file_is_refused_on_the_form(manager: Client) -> None:
    answer = manager.post("/gestion/reglages/identite/", {"logo": SimpleUploadedFile("logo.png", b"GIF89a")})
    assert answer.status_code == 422
    assert "ni un PNG ni un SVG" in text(answer)
    huge = SimpleUploadedFile("logo.png", b"0" * (3 * 1024 * 1024))
    assert manager.post("/gestion/reglages/identite/", {"logo": huge}).status_code == 413


def test_each_town_has_its_own(town: Town, other_town: Town) -> None:
    change_logo(actor="system", content=png((480, 112)))
    assert queries.current_townhall().logo.startswith(f"{town.uuid}/identity/")
    assert Client(headers={"host": "mairie.localhost"}).get("/logo").status_code == 200
    assert Client(headers={"host": "pechabou.localhost"}).get("/logo").status_code == 404
    with tenant_context(other_town):
        assert queries.current_townhall().logo == ""


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/mentions-legales/", "Directeur de la publication"),
        ("/donnees-personnelles/", "regie@mairie.example.org"),
        ("/accessibilite/", "non conforme au RGAA 4.1"),
        ("/plan-du-site/", "Mes règlements"),
        ("/aide/", "Le portail et l'accessibilité"),
    ],
)
def test_public_pages_say_which_town_speaks(town: Town, path: str, words: str) -> None:
    for host, name in (("mairie", "Mairie de Démonstration"), ("pechabou", "Commune de Pechabou")):
        page = text(Client(headers={"host": f"{host}.localhost"}).get(path))
        assert name in page
        if host == "mairie":
            assert words in page
    assert "Mairie de Démonstration" not in page
    assert "mes-factures.net" not in page


def test_the_manual_has_the_town_s_address(town: Town) -> None:
    page = text(Client(headers={"host": "mairie.localhost"}).get("/aide/"))
    assert "http://mairie.localhost/?LIEN=X99999991feb4817f532254e32bada0be" in page


def test_own_text_and_level(manager: Client) -> None:
    sent = {
        "conformity": "partial",
        "legal_notice": "## Éditeur\r\n\r\nLa <b>mairie</b>\r\n1 place\r\n\r\n- un\r\n- **deux**",
        "privacy_notice": "",
        "accessibility_notice": "",
    }
    assert manager.post("/gestion/reglages/textes/", sent).status_code == 302
    queries.forget()
    visitor = Client(headers={"host": "mairie.localhost"})
    page = visitor.get("/mentions-legales/").content.decode()
    assert '<h2 id="t1">Éditeur</h2>' in page
    assert "<p>La &lt;b&gt;mairie&lt;/b&gt;<br>1 place</p>" in page
    assert "<ul><li>un</li><li><strong>deux</strong></li></ul>" in page
    assert "Accessibilité : partiellement conforme" in text(visitor.get("/"))
    assert "partiellement conforme au RGAA" in text(visitor.get("/accessibilite/"))
    assert "Qui est responsable" in text(visitor.get("/donnees-personnelles/"))  # empty: the default
    manager.post("/gestion/reglages/textes/", {**sent, "legal_notice": ""})
    queries.forget()
    assert "Directeur de la publication" in text(visitor.get("/mentions-legales/"))


def test_what_a_page_shows_is_not_asked_twice(town: Town, django_assert_num_queries: Any) -> None:
    queries.shown_townhall()
    with django_assert_num_queries(0):
        assert queries.shown_townhall().name == "Mairie de Démonstration"
    change_townhall(actor="system", phone="05 11 22 33 44")
    queries.forget()  # what the commit does
    assert queries.shown_townhall().phone == "05 11 22 33 44"
