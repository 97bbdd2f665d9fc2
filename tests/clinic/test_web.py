"""The shell, the components, the shared fields and the vendored files."""

from __future__ import annotations

import datetime
import importlib.util
import json
import re
import sys
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import time_machine
from django import forms
from django.conf import settings as django_settings
from django.template import Context, Template
from django.template.loader import get_template, render_to_string
from django.test import Client, RequestFactory
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from clinic.access.models import Staff
from clinic.errors import ActionRefused
from clinic.web.fields import DateOfBirthField, Signature, SignatureField, UnitField
from clinic.web.forms import ClinicForm, refuse
from clinic.web.gallery import specimens
from clinic.web.looks import MESSAGE_ICONS, STATUS_LOOKS, VERDICT_LOOKS
from clinic.web.rail import RAIL, stops
from clinic.web.templatetags.clinic_web import age_on, clinical_date, initials, quoted, slot
from clinic.web.views import server_error

ROOT = Path(django_settings.BASE_DIR)
STATIC = ROOT / "static"
TEMPLATES = ROOT / "templates"
SPRITE = STATIC / "vendor" / "bootstrap-icons" / "icons.svg"


# --- vendored files -------------------------------------------------------------------------


def vendor_script() -> Any:
    spec = importlib.util.spec_from_file_location("vendor", ROOT / "scripts" / "vendor.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["vendor"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_vendored_files_are_what_the_manifest_says() -> None:
    assert vendor_script().differences() == []


def test_a_changed_vendored_file_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = vendor_script()
    folder = tmp_path / "vendor"
    (folder / "lib").mkdir(parents=True)
    (folder / "lib" / "a.js").write_text("swapped")
    manifest = folder / "manifest.json"
    manifest.write_text(json.dumps({"lib": {"files": {"a.js": script.sha256(b"original")}}}))
    monkeypatch.setattr(script, "VENDOR", folder)
    monkeypatch.setattr(script, "MANIFEST", manifest)
    assert script.differences() == ["lib/a.js"]


def test_third_party_names_every_package() -> None:
    words = (ROOT / "THIRD_PARTY.md").read_text()
    for package in json.loads((STATIC / "vendor" / "manifest.json").read_text()).values():
        assert f"{package['name']} {package['version']}" in words


# --- tokens ---------------------------------------------------------------------------------


def themes() -> dict[str, dict[str, str]]:
    """Colour tokens of the light theme and of the two dark blocks."""
    css = (STATIC / "css" / "tokens.css").read_text()
    blocks = re.findall(
        r'(:root(?:\[data-theme="dark"\]|:not\([^)]*\))?) \{(.*?)\}', css, re.DOTALL
    )
    found = [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", body)) for _selector, body in blocks]
    light, dark_device, dark_chosen = found[:3]
    return {"light": light, "dark by device": dark_device, "dark by choice": dark_chosen}


def contrast(one: str, other: str) -> float:
    """WCAG 2 contrast ratio of two #rrggbb colours, 1 to 21."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_both_dark_blocks_are_equal() -> None:
    assert themes()["dark by device"] == themes()["dark by choice"]


@pytest.mark.parametrize("theme", ["light", "dark by choice"])
def test_text_has_contrast_on_every_ground_it_is_used_on(theme: str) -> None:
    token = themes()[theme]
    grounds = ("paper", "surface", "sunken")
    pairs = [
        (text, on) for text in ("ink", "muted", "accent", "stop", "good", "wait") for on in grounds
    ]
    tones = ("info", "wait", "care", "good", "missed", "stop", "accent")
    pairs += [(tone, f"{tone}-soft") for tone in tones] + [("muted", "calm-soft")]
    pairs += [("on-accent", "accent"), ("on-accent", "accent-strong"), ("on-stop", "stop")]
    weak = [(a, b) for a, b in pairs if contrast(token[a], token[b]) < 4.5]
    assert weak == []
    assert [on for on in grounds if contrast(token["edge"], token[on]) < 3] == []


# --- templates ------------------------------------------------------------------------------


def all_templates() -> list[Path]:
    return sorted(TEMPLATES.rglob("*.html"))


def test_every_shared_template_compiles() -> None:
    shared = [*TEMPLATES.glob("*.html"), *(TEMPLATES / "components").rglob("*.html")]
    for path in shared:
        get_template(path.relative_to(TEMPLATES).as_posix())


def test_every_icon_named_anywhere_is_in_the_sprite() -> None:
    known = set(re.findall(r'<symbol id="([^"]+)"', SPRITE.read_text()))
    used = {name for path in all_templates() for name in icons_of(path.read_text())}
    used |= {look.icon for look in [*STATUS_LOOKS.values(), *VERDICT_LOOKS.values()]}
    used |= {entry.icon for entry in RAIL} | set(MESSAGE_ICONS.values())
    assert used - known == set()


def icons_of(text: str) -> list[str]:
    return re.findall(r'{% icon "([^"]+)"', text) + re.findall(r'icon_name="([^"]+)"', text)


def test_no_template_has_inline_style_or_script() -> None:
    for path in all_templates():
        text = re.sub(r"{#.*?#}", "", path.read_text())
        if "pdf" in path.parts:  # printed by our own renderer, never sent to a browser
            continue
        assert not re.search(r"\sstyle=", text), path
        assert not re.search(r"\son(click|load|change|submit|input)=", text), path
        assert not re.search(r"<style\b", text), path
        for attributes in re.findall(r"<script([^>]*)>", text):
            assert "src=" in attributes or "application/json" in attributes, path


def test_every_component_says_how_to_use_it() -> None:
    for path in (TEMPLATES / "components").rglob("*.html"):
        assert path.read_text().startswith("{#"), path


def test_every_component_is_used_or_shown() -> None:
    shown = "".join(path.read_text() for path in (TEMPLATES / "design").glob("*.html"))
    inside = "".join(path.read_text() for path in all_templates()) + shown
    python = "".join(path.read_text() for path in (ROOT / "clinic" / "web").rglob("*.py"))
    for path in (TEMPLATES / "components").rglob("*.html"):
        name = path.relative_to(TEMPLATES).as_posix()
        assert f'"{name}"' in inside + python, f"{name} is used nowhere"


# --- pages ----------------------------------------------------------------------------------


@pytest.fixture
def manager(db: None) -> Staff:
    return Staff.objects.create_user("boss@example.org", "x" * 14, name="Bo Ss", role="manager")


@pytest.mark.parametrize("query", ["", "?errors=1", "?page=patient", "?page=phone&errors=1"])
def test_gallery_in_a_demo(client: Client, manager: Staff, settings: Any, query: str) -> None:
    settings.DEMO = True
    client.force_login(manager)
    page = client.get(f"/design/{query}")
    assert page.status_code == 200
    assert ("<title>Error:" in page.content.decode()) == ("errors" in query)


def test_no_gallery_in_production(client: Client, manager: Staff, settings: Any) -> None:
    settings.DEMO = settings.DEBUG = settings.MFA_REQUIRED = False
    client.force_login(manager)
    assert client.get("/design/").status_code == 404


def test_sign_in_shows_the_demo_accounts_only_in_a_demo(
    client: Client, db: None, settings: Any
) -> None:
    settings.DEMO = True
    assert "mesotherapy-demo" in client.get("/sign-in/").content.decode()
    settings.DEMO = False
    page = client.get("/sign-in/").content.decode()
    assert "mesotherapy-demo" not in page
    assert "demo.clinic" not in page


def test_refused_sign_in_links_to_its_fields(client: Client, db: None) -> None:
    page = client.post("/sign-in/", {"login": "", "password": ""}).content.decode()
    assert "<title>Error:" in page
    assert 'href="#id_login"' in page


@pytest.mark.parametrize("name", ["400", "403", "404", "500", "403_csrf", "429"])
@pytest.mark.parametrize("language", ["en", "fr"])
def test_error_pages_stand_without_a_user_or_a_database(name: str, language: str) -> None:
    request = RequestFactory().get("/secret-path/", headers={"accept-language": language})
    page = render_to_string(f"{name}.html", {"request": request})
    assert "<h1>" in page
    assert "secret-path" not in page.replace('value="/secret-path/"', "")


def test_server_error_needs_nothing_of_the_request() -> None:
    page = server_error(None)  # type: ignore[arg-type]
    assert page.status_code == 500
    assert b"Something went wrong" in page.content


def test_rail_shows_only_what_the_role_may_use(db: None) -> None:
    desk = Staff(email="d@example.org", name="D", role="front_desk")
    boss = Staff(email="m@example.org", name="M", role="manager")
    assert {stop.url for stop in stops(RAIL, desk, "/")} <= {
        stop.url for stop in stops(RAIL, boss, "/")
    } | {"/safety/"}
    assert not [s for s in stops(RAIL, desk, "/") if s.url.startswith("/settings")]


def test_rail_marks_where_one_is() -> None:
    boss = Staff(email="m@example.org", name="M", role="manager")
    first = stops(RAIL, boss, "/")[0]
    assert [s.current for s in stops(RAIL, boss, first.url + "x/")].count(True) <= 1


def test_slot_of_an_unknown_name_shows_nothing() -> None:
    assert slot("nowhere:bar", "P000001")["url"] is None
    shown = Template('{% load clinic_web %}{% slot "nowhere:bar" "P000001" %}').render(Context())
    assert "hx-get" not in shown


# --- filters --------------------------------------------------------------------------------


def test_own_words_stand_between_the_marks_of_the_language() -> None:
    assert quoted("It is <hard>") == "“It is <hard>”"
    with translation.override("fr"):
        assert quoted("C’est dur") == "«\u202fC’est dur\u202f»"
    shown = Template("{% load clinic_web %}{{ words|truncatewords:2|quoted }}")
    assert shown.render(Context({"words": "<b>a b c"})) == "“&lt;b&gt;a b …”"


def test_clinical_date_has_its_month_in_letters() -> None:
    assert clinical_date(datetime.date(1945, 7, 4)) == "04-Jul-1945"
    assert clinical_date(None) == "not known"


@pytest.mark.parametrize(
    ("born", "today", "age"),
    [
        ((1984, 3, 15), (2026, 3, 14), 41),
        ((1984, 3, 15), (2026, 3, 15), 42),
        ((2004, 2, 29), (2025, 2, 28), 20),
        ((2004, 2, 29), (2025, 3, 1), 21),
    ],
)
def test_age(born: tuple[int, int, int], today: tuple[int, int, int], age: int) -> None:
    assert age_on(datetime.date(*born), datetime.date(*today)) == age


def test_initials() -> None:
    assert [initials(n) for n in ("Li Ng", "Maria del Carmen Ruiz", "Élodie", "", "  ")] == [
        "LN",
        "MR",
        "É",
        "",
        "",
    ]


def test_patient_bar_writes_out_what_is_not_known() -> None:
    patient = SimpleNamespace(
        number="P000001", family_name="Ng", given_name="<Li>", birth_date=datetime.date(2000, 1, 2)
    )
    bar = {"allergies": "", "consent": "", "plan": ""}
    page = render_to_string("components/patient_bar.html", {"patient": patient, "bar": bar})
    assert "NG, &lt;Li&gt;" in page
    assert "02-Jan-2000" in page
    assert page.count("not known") == 3


# --- forms and fields -----------------------------------------------------------------------


class Sample(ClinicForm):
    birth = DateOfBirthField()
    dose = UnitField(unit="mg", min_value=0, required=False)
    signature = SignatureField(required=False)


def filled(**changes: str) -> dict[str, str]:
    return {"birth_0": "15", "birth_1": "3", "birth_2": "1984"} | changes


@pytest.mark.parametrize(
    ("day", "month", "year", "code"),
    [
        ("", "", "", "required"),
        ("15", "", "1984", "incomplete"),
        ("31", "2", "1984", "invalid"),
        ("x", "2", "1984", "invalid"),
        ("1", "1", "99999", "invalid"),
        ("-1", "1", "1984", "invalid"),
        ("24", "11", "2026", "future"),
        ("1", "1", "1880", "too_old"),
    ],
)
@time_machine.travel("2026-11-23 12:00Z", tick=False)
def test_birth_date_refuses(day: str, month: str, year: str, code: str) -> None:
    form = Sample({"birth_0": day, "birth_1": month, "birth_2": year})
    assert not form.is_valid()
    assert {error.code for error in form.errors.as_data()["birth"]} == {code}
    page = render_to_string("components/form.html", {"form": form})
    assert 'href="#id_birth_0"' in page
    if day and day != "-1":
        assert f'value="{day}"' in page


@time_machine.travel("2026-11-23 12:00Z", tick=False)
def test_birth_date_takes_today_and_a_leap_day() -> None:
    assert Sample(filled()).is_valid()
    assert Sample(filled(birth_0="23", birth_1="11", birth_2="2026")).is_valid()
    form = Sample(filled(birth_0="29", birth_1="2", birth_2="2024"))
    assert form.is_valid()
    assert form.cleaned_data["birth"] == datetime.date(2024, 2, 29)


@given(st.dates(datetime.date(1930, 1, 1), datetime.date(2026, 1, 1)))
def test_birth_date_comes_back_as_it_went_in(born: datetime.date) -> None:
    parts = DateOfBirthField().widget.decompress(born)
    assert DateOfBirthField().clean([str(part) for part in parts]) == born


@pytest.mark.parametrize("written", ["0,5", "0.5", " 0.5 "])
def test_unit_takes_a_comma(written: str) -> None:
    form = Sample(filled(dose=written))
    assert form.is_valid()
    assert form.cleaned_data["dose"] == Decimal("0.5")


@pytest.mark.parametrize("written", ["-1", "abc", "1,2,3", "NaN", "1e999"])
def test_unit_refuses_and_keeps_what_was_typed(written: str) -> None:
    form = Sample(filled(dose=written))
    assert not form.is_valid()
    page = render_to_string("components/form.html", {"form": form})
    assert f'value="{written}"' in page
    assert '<span class="visually-hidden"> (mg)</span>' in page


def drawing(points: int = 12, **changes: Any) -> str:
    line = [{"x": n * 3, "y": n % 5, "time": n} for n in range(points)]
    return json.dumps({"width": 400, "height": 200, "strokes": [{"points": line}]} | changes)


def test_signature_is_read_and_redrawn() -> None:
    form = Sample(filled(signature_strokes=drawing()))
    assert form.is_valid(), form.errors
    signature = form.cleaned_data["signature"]
    assert signature.is_drawn
    assert signature.svg.startswith("<svg")
    assert "polyline" in signature.svg


def test_a_typed_name_is_a_signature_too() -> None:
    form = Sample(filled(signature_typed="  Łucja   Kowalska "))
    assert form.is_valid()
    assert form.cleaned_data["signature"] == Signature([], 1, 1, "Łucja Kowalska")


@pytest.mark.parametrize(
    "drawn",
    [
        "nonsense",
        "[]",
        "{}",
        '{"strokes": 1}',
        drawing(2),
        drawing(width=0),
        drawing(width="<script>"),
        drawing(strokes=[{"points": [{"x": "NaN", "y": 1}] * 20}]),
        drawing(strokes=[{"points": [{"x": 1, "y": 1}] * 20_001}]),
    ],
)
def test_signature_refuses_what_is_none(drawn: str) -> None:
    form = Sample(filled(signature_strokes=drawn))
    assert "signature" in form.errors


def test_signature_is_asked_for() -> None:
    class Asked(ClinicForm):
        signature = SignatureField()

    form = Asked({})
    assert "Sign in the box" in str(form.errors["signature"])


def test_a_refused_action_is_shown_and_nothing_is_lost() -> None:
    form = Sample(filled(dose="3"))
    assert form.is_valid()
    refuse(form, ActionRefused("The room is taken."))
    refuse(form, ActionRefused("Too much.", field="dose"))
    refuse(form, ActionRefused("No such field.", field="elsewhere"))
    page = render_to_string("components/form.html", {"form": form, "submit": "Save"})
    assert "<li>The room is taken.</li>" in page
    assert "<li>No such field.</li>" in page
    assert '<a href="#id_dose">' in page
    assert 'value="3"' in page


def test_one_field_of_each_kind_is_labelled() -> None:
    form = specimens(refused=True)["form"]
    page = render_to_string("components/form.html", {"form": form})
    for name, field in form.fields.items():
        if isinstance(field, forms.MultiValueField) or isinstance(field.widget, forms.RadioSelect):
            assert f'id="id_{name}_0"' in page
        elif not isinstance(field.widget, forms.CheckboxSelectMultiple):
            assert f'for="id_{name}"' in page


def test_dose_meter_says_over_in_words() -> None:
    values = {"label": "Lidocaine", "value": Decimal("301"), "limit": Decimal("279"), "unit": "mg"}
    assert "Over the limit." in render_to_string("components/dose_meter.html", values)
    under = values | {"value": Decimal("279")}
    assert "Over the limit." not in render_to_string("components/dose_meter.html", under)


@pytest.mark.parametrize(
    ("state", "polls"), [("queued", True), ("rendering", True), ("ready", False), ("failed", False)]
)
def test_document_state_stops_asking_when_it_is_final(state: str, polls: bool) -> None:
    values = {"id": 1, "state": state, "label": "Consent", "poll_url": "/x/", "retry_url": "/y/"}
    page = render_to_string("components/document_state.html", values)
    assert ("hx-trigger" in page) == polls
    assert ("/y/" in page) == (state == "failed")
