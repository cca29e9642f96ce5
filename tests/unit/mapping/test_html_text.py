"""HTML as text: what people read, and nothing that costs time (I9)."""

from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccdaemon.mapping.html_text import is_html, text_of_html


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("Hello <b>you</b>,<br>see you.", "Hello you,\nsee you."),
        ("<p>one</p><p>two</p>", "one\n\ntwo"),
        ("<div>one</div><div>two</div>", "one\ntwo"),
        ("<ul><li>one</li><li>two</li></ul>after", "- one\n- two\nafter"),
        ("<ol><li>one<li>two</ol>", "- one\n- two"),
        ('see <a href="https://a.example/?x=1&amp;y=2">here</a>!', "see here <https://a.example/?x=1&y=2>!"),
        ('<a href="https://a.example">https://a.example</a>', "https://a.example"),
        ('<a href="mailto:ada@example.com">ada@example.com</a>', "ada@example.com"),
        ('<a href="#top">top</a> <a name=x>anchor</a>', "top anchor"),
        ("a &lt;b&gt; &amp; c&nbsp;d", "a <b> & c d"),
        ("1 < 2 and 3 > 2 <", "1 < 2 and 3 > 2 <"),
        ("<html><head><title>t</title><style>p{}</style></head><body>seen<script>x<y</script></body></html>", "seen"),
        ("<!-- hidden <b> -->seen<!-- never closed", "seen"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
        ("one<hr>two", "one\n----------\ntwo"),
        ("<html><body>\r\n<div>&nbsp;</div>\r\n</body></html>", ""),
        ("a   b\n c", "a b c"),
    ],
)
def test_html_reads_as_a_browser_would_show_it(html, expected):
    assert text_of_html(html, keep_line_ends=False) == expected


def test_google_keeps_line_ends_between_tags():
    assert text_of_html("a<br>b\nc\n\n<b>d</b>", keep_line_ends=True) == "a\nb\nc\n\nd"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("plain", False), ("a < b > c", False), ("x<y && z>1", False), ("mail <ada@example.com>", False), ("R&D", False),
     ("a<br>b", True), ("<p>a</p>", True), ("a &amp; b", True), ('<a href="x">y</a>', True), ("<B>", True)],
)  # fmt: skip
def test_html_is_told_from_text(text, expected):
    assert is_html(text) == expected


@given(st.text(alphabet="<>!-/abhrefp=\"'&;# \n"), st.booleans())
def test_any_html_has_a_text(html, keep_line_ends):
    text = text_of_html(html, keep_line_ends=keep_line_ends)

    assert text == text.strip()


@pytest.mark.parametrize(
    "piece", ["<!--", "<a ", '<a href="', "<", "&", "&#", "<a>", "</a>", "<p>", "<style>", "a<b ", "\n"]
)
def test_hostile_html_takes_time_by_its_length_alone(piece):
    began = process_time()

    text_of_html(piece * 200_000, keep_line_ends=True)
    text_of_html(piece * 200_000 + "<b>the end</b>", keep_line_ends=True)
    is_html(piece * 200_000)

    assert process_time() - began < 5
