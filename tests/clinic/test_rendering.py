"""The renderer reaches nothing but its own assets, and stops in time."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from pypdf import PdfReader

from clinic.confined.cell import Exit
from clinic.confined.run import WarmCell
from clinic.rendering import pdf as rendering
from clinic.rendering.pdf import RenderingError, RenderingFailed, RenderingRefused, render_html
from tests.clinic.peak import mothers, watched

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
    render_html(whole("<p>x</p>"))  # its libraries are loaded by now
    monkeypatch.setattr(rendering, "WALL_SECONDS", 2)
    endless = whole("<table>" + "<tr><td>x</td></tr>" * 200_000 + "</table>")
    began = time.monotonic()
    with pytest.raises(RenderingFailed):
        render_html(endless)
    assert time.monotonic() - began < 20


MB = 1024 * 1024


@pytest.mark.parametrize(
    ("body", "least"),
    [("<p>word </p>" * 400_000, 80 * MB), (f"<p>{'word ' * 2_000_000}</p>", 0)],
    ids=["boxes", "words"],
)
def test_a_document_that_eats_memory_is_stopped(monkeypatch, body, least):
    """At a bound of its own, so that it takes a moment; tests/soak has the one in force."""
    monkeypatch.setattr(rendering, "MEMORY", 160 * MB)
    with watched() as seen, pytest.raises(RenderingFailed, match="memory"):
        render_html(whole(body))
    assert least < seen.peak <= 160 * MB


EATING = """
import mmap, time
READABLE = ()
class Refused(Exception): pass
def prepare(): pass
def work(source):
    shared = mmap.mmap(-1, 400 << 20)
    for at in range(0, len(shared), 1 << 20):
        shared[at:at + (1 << 20)] = b"x" * (1 << 20)
    time.sleep(int(source))
    return b"", "done"
"""


@pytest.mark.parametrize(
    ("memory", "holds", "code"),
    [(160 * MB, b"30", -signal.SIGKILL), (600 * MB, b"0", Exit.DONE)],
)
def test_memory_that_the_kernel_does_not_count_is_seen_by_the_mother(tmp_path, memory, holds, code):
    """What a process shares is no data of its own; held until she looks. With room enough the same
    job is done.
    """
    job = tmp_path / "job.py"
    job.write_text(EATING)
    cell = WarmCell(job, memory=memory, processor_seconds=9)
    try:
        outcome = cell.run(holds, wall_seconds=40)
        assert (outcome.code, outcome.was_stopped) == (code, code != Exit.DONE)
    finally:
        cell.close()


def test_a_document_that_is_far_too_long_is_not_even_begun():
    with pytest.raises(RenderingRefused):
        render_html("x" * (rendering.LARGEST_HTML + 1))


def fonts_of(reader: PdfReader) -> list[Any]:
    return [
        font.get_object()
        for one in reader.pages
        for key in ("/Font", "/Fonts")
        for font in one["/Resources"].get(key, {}).values()
    ]


@pytest.fixture(scope="module")
def reader() -> PdfReader:
    words = "<h1>Après la séance</h1><p>مرحبا بالعالم <b>ثانية</b></p><p>שלום <b>עולם</b></p>"
    made = render_html(whole(f"{words}<p>Ελένη Łukasz</p>").replace("lang='en'", "lang='fr'"))
    return PdfReader(BytesIO(made.pdf))


class TestArchival:
    """PDF/A-2a and PDF/UA-1 as far as the file itself shows it; no validator is at hand."""

    def test_it_is_tagged_and_named_in_its_language(self, reader):
        root = reader.trailer["/Root"]
        assert root["/MarkInfo"]["/Marked"]
        assert root["/StructTreeRoot"]
        assert root["/ViewerPreferences"]["/DisplayDocTitle"]
        assert root["/Lang"] == "fr"
        assert reader.metadata.title == "T"

    def test_it_says_of_itself_what_it_is(self, reader):
        said = reader.trailer["/Root"]["/Metadata"].get_object().get_data()
        (rdf,) = ElementTree.fromstring(said)
        values = {key: value for one in rdf for key, value in one.attrib.items()}
        assert values["{http://www.aiim.org/pdfa/ns/id/}part"] == "2"
        assert values["{http://www.aiim.org/pdfa/ns/id/}conformance"] == "A"
        assert values["{http://www.aiim.org/pdfua/ns/id/}part"] == "1"
        assert b"http://www.aiim.org/pdfua/ns/id/</pdfaSchema:namespaceURI>" in said
        (intent,) = reader.trailer["/Root"]["/OutputIntents"]
        assert intent["/S"] == "/GTS_PDFA1"
        assert reader.trailer["/ID"]

    def test_every_font_is_inside_and_tells_its_letters(self, reader):
        fonts = fonts_of(reader)
        assert {font["/BaseFont"].split("+")[1].split("-")[0] for font in fonts} >= {
            "Clinic",
            ["Clinic", "Arabic"][0],
        }
        for font in fonts:
            (inner,) = font["/DescendantFonts"]
            keys = inner.get_object()["/FontDescriptor"].get_object().keys()
            assert keys & {"/FontFile", "/FontFile2", "/FontFile3"}
            assert "/ToUnicode" in font

    def test_nothing_in_it_acts(self, reader):
        root = reader.trailer["/Root"]
        assert not {"/OpenAction", "/AA", "/Names"} & set(root)
        assert not reader.is_encrypted
        assert not reader.attachments


PRYING = """
import json, os, socket
READABLE = ()
class Refused(Exception): pass
def prepare(): pass
def tried(what):
    try:
        return str(what())
    except (PermissionError, OSError):
        return "refused"
def work(source):
    return b"", json.dumps({
        "names": list(os.environ),
        "connected": tried(lambda: socket.create_connection(("127.0.0.1", 9))),
        "forked": tried(os.fork),
        "key": tried(lambda: open("/etc/hostname").read()),
        "others": os.listdir(os.getcwd()),
    })
"""


class TestWarm:
    """The libraries are loaded once; no document meets another."""

    def test_the_same_words_make_the_same_bytes(self):
        first = render_html(whole("<h1>Same</h1>")).pdf
        render_html(whole("<h1>Between <i>them</i></h1>" * 40))
        assert render_html(whole("<h1>Same</h1>")).pdf == first
        rendering.close_cells()
        assert render_html(whole("<h1>Same</h1>")).pdf == first

    def test_a_child_ends_with_its_document_and_leaves_no_file(self):
        render_html(whole("<p>x</p>"))
        (mother,) = mothers()
        home = Path(rendering._cell()._folder)
        before = [one for one in home.iterdir() if one.name.startswith("weasyprint-")]
        render_html(whole("<p>y</p>"))
        assert mothers() == [mother]
        # She buries it right after its last byte.
        assert soon(lambda: mother.children() == [] and sorted(home.iterdir()) == before)

    def test_what_was_stopped_is_replaced_and_leaves_nothing(self, monkeypatch):
        render_html(whole("<p>x</p>"))
        (first,) = mothers()
        with monkeypatch.context() as patch, pytest.raises(RenderingFailed):
            patch.setattr(rendering, "WALL_SECONDS", 1)
            render_html(whole("<table>" + "<tr><td>x</td></tr>" * 200_000 + "</table>"))
        assert not first.is_running()
        assert mothers() == []
        assert render_html(whole("<p>after</p>")).pages == 1

    def test_a_mother_that_ended_by_herself_is_replaced(self):
        render_html(whole("<p>x</p>"))
        (mother,) = mothers()
        mother.kill()
        assert render_html(whole("<p>x</p>")).pages == 1

    def test_a_job_has_no_key_no_settings_no_network_and_cannot_reach_its_mother(self, tmp_path):
        job = tmp_path / "job.py"
        job.write_text(PRYING)
        cell = WarmCell(job, memory=2**29, processor_seconds=5)
        try:
            said = json.loads(cell.run(b"x", wall_seconds=20).said)
        finally:
            cell.close()
        given = {"TMPDIR", "HOME", "LANG", "PATH", "MALLOC_ARENA_MAX", "LC_CTYPE"}
        assert set(said["names"]) <= given
        assert said["connected"] == said["forked"] == said["key"] == "refused"
        assert said["others"] == []


def soon(holds: Callable[[], bool]) -> bool:
    until = time.monotonic() + 5
    while not holds() and time.monotonic() < until:
        time.sleep(0.01)
    return holds()


READ_ANEW = """
import importlib.util, sys
from cffi import cparser

spec = importlib.util.spec_from_file_location("job", sys.argv[1])
job = importlib.util.module_from_spec(spec)
spec.loader.exec_module(job)
job.prepare()
read, plain = [], cparser.Parser.parse_type_and_quals
def noting(self, declared):
    read.append(declared)
    return plain(self, declared)
cparser.Parser.parse_type_and_quals = noting
job._pdf("<p>" + "".join(map(chr, range(0x41, 0x41 + int(sys.argv[2])))), [], None)
print(read)
"""


def test_no_number_of_letters_makes_the_declarations_be_read_anew():
    """It took 2 ms for each that no document before had; the specimen has other letters."""
    said = subprocess.run(
        [sys.executable, "-c", READ_ANEW, str(rendering.JOB), "17"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.strip() == "[]"
