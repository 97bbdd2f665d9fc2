"""The renderer reaches nothing but its own assets, and stops in time."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path

import psutil
import pytest
from pypdf import PdfReader

from clinic.rendering import pdf as rendering
from clinic.rendering.pdf import RenderingError, RenderingFailed, RenderingRefused, render_html

CANARY = "the-canary-that-must-not-sing"


def whole(body: str, head: str = "") -> str:
    return (
        f"<html lang='en'><head><title>T</title>{head}"
        f"<link rel='stylesheet' href='asset:document.css'></head><body>{body}</body></html>"
    )


class Canary:
    """A web server that remembers whether anyone called."""

    def __init__(self, folder: Path) -> None:
        self.calls: list[str] = []
        self.secret = folder / "secret.txt"
        self.secret.write_text(CANARY)
        calls, target = self.calls, self.secret

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                calls.append(self.path)
                self.send_response(302)
                self.send_header("Location", f"file://{target}")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    @property
    def at(self) -> str:
        return f"127.0.0.1:{self.server.server_port}"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def canary(tmp_path):
    server = Canary(tmp_path)
    yield server
    server.close()


SHAPES = {
    "image": "<img src='{}'>",
    "image-set": "<img srcset='{} 2x'>",
    "picture": "<picture><source srcset='{}'><img src='{}'></picture>",
    "object": "<object data='{}'></object>",
    "embed": "<embed src='{}'>",
    "iframe": "<iframe src='{}'></iframe>",
    "input": "<input type='image' src='{}'>",
    "style": "<p style='background:url({})'>x</p>",
    "list": "<ul style='list-style-image:url({})'><li>x</li></ul>",
    "content": "<style>p::before{{content:url({})}}</style><p>x</p>",
    "import": "<style>@import url({});</style>",
    "import-media": "<style>@import '{}' print;</style>",
    "font": "<style>@font-face{{font-family:e;src:url({})}}p{{font-family:e}}</style><p>x</p>",
    "sheet": "<link rel='stylesheet' href='{}'>",
    "attachment": "<link rel='attachment' href='{}'>",
    "attachment-link": "<a rel='attachment' href='{}'>x</a>",
    "svg-image": "<svg width='9' height='9'><image href='{}' width='9' height='9'/></svg>",
    "svg-xlink": "<svg width='9' height='9' xmlns:xlink='http://www.w3.org/1999/xlink'>"
    "<image xlink:href='{}' width='9' height='9'/></svg>",
    "svg-use": "<svg width='9' height='9'><use href='{}#a'/></svg>",
    "svg-style": "<svg width='9' height='9'><style>@import url({});</style><rect/></svg>",
    "border": "<p style='border-image:url({}) 1'>x</p>",
    "table": "<table background='{}'><tr><td>x</td></tr></table>",
    "body": "<div background='{}'>x</div>",
    "meta": "<meta http-equiv='refresh' content='0;url={}'>",
    "base": "<base href='{}'><img src='x.png'>",
}
SCHEMES = ("http", "https", "ftp", "file", "data", "svg-data", "protocol-relative", "asset-way-out")


def hostile_address(scheme: str, canary: Canary) -> str:
    return {
        "http": f"http://{canary.at}/a",
        "https": f"https://{canary.at}/a",
        "ftp": f"ftp://{canary.at}/a",
        "file": f"file://{canary.secret}",
        "data": "data:text/plain;base64,eA==",
        "svg-data": f"data:image/svg+xml,<svg><image href=%22http://{canary.at}/a%22/></svg>",
        "protocol-relative": f"//{canary.at}/a",
        "asset-way-out": f"asset:../../../../../../..{canary.secret}",
    }[scheme]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_nothing_outside_is_reached_or_read(canary, scheme):
    """Every shape of one scheme in one document, then each alone would only repeat the answer."""
    address = hostile_address(scheme, canary)
    everything = "".join(
        shape.replace("{}", address).replace("{{", "{").replace("}}", "}")
        for shape in SHAPES.values()
    )
    try:
        made = render_html(whole(everything))
    except RenderingError:
        made = None
    assert canary.calls == []
    if made is not None:
        assert CANARY.encode() not in made.pdf
        reader = PdfReader(BytesIO(made.pdf))
        assert not reader.attachments
        assert CANARY not in "".join(one.extract_text() for one in reader.pages)


@pytest.mark.parametrize("name", ["image", "style", "import", "font", "attachment", "svg-image"])
def test_a_document_that_asks_for_more_is_refused_by_name(canary, name):
    shape = SHAPES[name].replace("{}", f"http://{canary.at}/a")
    with pytest.raises(RenderingRefused, match="http"):
        render_html(whole(shape.replace("{{", "{").replace("}}", "}")))
    assert canary.calls == []


def test_the_canary_can_be_seen_to_sing(canary):
    """The negative control: without the closed fetcher the same document does call."""
    script = (
        "import sys, weasyprint, logging; logging.disable();"
        "weasyprint.HTML(string=sys.argv[1]).write_pdf()"
    )
    address = f"http://{canary.at}/a"
    subprocess.run(
        [sys.executable, "-c", script, f"<img src='{address}'>"], check=False, timeout=60
    )
    assert canary.calls == ["/a"]


def test_an_endless_document_is_stopped_in_time(monkeypatch):
    monkeypatch.setattr(rendering, "WALL_SECONDS", 4)
    endless = whole("<table>" + "<tr><td>x</td></tr>" * 200_000 + "</table>")
    began = time.monotonic()
    with pytest.raises(RenderingFailed):
        render_html(endless)
    assert time.monotonic() - began < 8


def test_a_document_that_eats_memory_is_stopped(monkeypatch):
    monkeypatch.setattr(rendering, "ADDRESS_SPACE", 400 * 1024 * 1024)
    with pytest.raises(RenderingFailed):
        render_html(whole("<p>word </p>" * 400_000))


def test_a_document_that_is_far_too_long_is_not_even_begun():
    with pytest.raises(RenderingRefused):
        render_html("x" * (rendering.LARGEST_HTML + 1))


def test_the_pdf_is_tagged_named_in_its_language_and_carries_its_fonts():
    made = render_html(
        whole("<h1>Après la séance</h1><p>مرحبا</p><p>שלום</p>").replace("lang='en'", "lang='fr'")
    )
    reader = PdfReader(BytesIO(made.pdf))
    root = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "fr"
    assert reader.metadata.title == "T"
    assert b"pdfuaid" in root["/Metadata"].get_object().get_data()
    fonts = (
        [font for one in reader.pages for font in one["/Resources"]["/Fonts"].values()]
        if ("/Fonts" in reader.pages[0]["/Resources"])
        else [font for one in reader.pages for font in one["/Resources"]["/Font"].values()]
    )
    names = {font.get_object()["/BaseFont"] for font in fonts}
    assert names
    assert all("Clinic" in name for name in names)


def test_the_same_words_make_the_same_bytes():
    assert render_html(whole("<h1>Same</h1>")).pdf == render_html(whole("<h1>Same</h1>")).pdf


def test_a_renderer_leaves_no_process_behind():
    render_html(whole("<p>x</p>"))
    # Only one's own: a test in another process may be rendering at this moment.
    left = [child.cmdline() for child in psutil.Process().children(recursive=True)]
    assert not [words for words in left if str(rendering.JOB) in words]
