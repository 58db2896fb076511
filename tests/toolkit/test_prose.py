"""Plain text to HTML: its few marks, and nothing else."""

import pytest

from toolkit import prose


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("Un\ndeux\n\ntrois", "<p>Un<br>deux</p>\n<p>trois</p>"),
        ("## Titre\nsuite", '<h2 id="t1">Titre</h2><p>suite</p>'),
        ("- a\n- b", "<ul><li>a</li><li>b</li></ul>"),
        ("1. a\n2. b", "<ol><li>a</li><li>b</li></ol>"),
        ("**x** <script>", "<p><strong>x</strong> &lt;script&gt;</p>"),
        ("[a](/b/)", '<p><a href="/b/">a</a></p>'),
        ("[a](javascript:alert(1))", "<p>[a](javascript:alert(1))</p>"),
        ('[a](https://x.example/"onclick=)', '<p><a href="https://x.example/&quot;onclick=">a</a></p>'),
        ("Voir https://x.example/a.", '<p>Voir <a href="https://x.example/a">https://x.example/a</a>.</p>'),
        ("a@b.example", '<p><a href="mailto:a@b.example">a@b.example</a></p>'),
        (
            "« Oui » : 5 € ; non ? http://a.example",
            "<p>«\u00a0Oui\u00a0»\u00a0: 5\u00a0€\u00a0; non\u00a0? "
            '<a href="http://a.example">http://a.example</a></p>',
        ),
        ("![x](y.png)", ""),
        ("", ""),
    ],
)
def test_marks(text: str, html: str) -> None:
    assert prose.html(text) == html


def test_pictures_and_titles() -> None:
    text = "# A\n\n![ce qu'on voit](img/a.png)\n\n## B\n\n### C"
    assert '<img src="img/a.png">' in prose.html(text, picture=lambda file, seen: f'<img src="{file}">')
    assert prose.titles(text) == [("t2", "B")]
    assert 'id="t2">B' in prose.html(text)
