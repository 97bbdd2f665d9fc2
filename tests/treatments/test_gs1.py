"""Codes on packages, as scanners really send them."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from treatments.stock.gs1 import (
    GS,
    LONGEST,
    STAND_INS,
    Package,
    UnreadableCode,
    read_package,
    readable,
)

GTIN = "09506000134352"
WHOLE = Package(gtin=GTIN, lot="12AB", expires_on=date(2027, 12, 31), serial="SN9")


@pytest.mark.parametrize(
    "text",
    [
        f"01{GTIN}172712311012AB{GS}21SN9",
        f"]d201{GTIN}172712311012AB{GS}21SN9",
        f"]C101{GTIN}172712311012AB{GS}21SN9",
        f"{GS}01{GTIN}172712311012AB{GS}21SN9{GS}",
        f"01{GTIN}1012AB{GS}1727123121SN9",
        f"01{GTIN}{GS}17271231{GS}1012AB{GS}21SN9\r\n",
        f"(01){GTIN}(17)271231(10)12AB(21)SN9",
        f"(01) {GTIN} (17) 271231 (10) 12AB (21) SN9",
        f"https://id.gs1.org/01/{GTIN}/10/12AB/21/SN9?17=271231",
        *(f"01{GTIN}172712311012AB{mark}21SN9" for mark in STAND_INS),
    ],
)
def test_every_way_a_scanner_says_it(text):
    assert read_package(text) == WHOLE


def test_what_is_shown_reads_the_same():
    raw = f"01{GTIN}172712311012AB{GS}21SN9"
    assert "\x1d" not in readable(raw)
    assert read_package(readable(raw)) == WHOLE


@pytest.mark.parametrize(
    ("text", "day"),
    [("270200", date(2027, 2, 28)), ("280200", date(2028, 2, 29)), ("271200", date(2027, 12, 31))],
)
def test_a_day_of_00_is_the_last_of_its_month(text, day):
    assert read_package(f"01{GTIN}17{text}10A").expires_on == day


@pytest.mark.parametrize(
    ("text", "lacking"),
    [
        ("9506000134352", "lot number, expiry date"),
        (f"01{GTIN}", "lot number, expiry date"),
        (f"01{GTIN}10A", "expiry date"),
        (f"10A{GS}17271231", "product number"),
    ],
)
def test_what_is_not_in_the_code_is_said(text, lacking):
    assert read_package(text).doubt == f"Not in the code: {lacking}. Type it as printed."


@pytest.mark.parametrize(
    ("rest", "doubted"),
    [
        ("10L7721S1", True),
        (f"10L77{GS}21S1", False),
        ("10L77", False),
        ("1021AB", False),
        ("10AB21", False),
        (f"10L7721S1{GS}21S1", False),
    ],
)
def test_a_lot_that_may_have_swallowed_a_serial_is_doubted(rest, doubted):
    found = read_package(f"01{GTIN}17271231{rest}")
    assert ("Compare the lot number" in found.doubt) is doubted


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Scan or type"),
        ("   ", "Scan or type"),
        ("hello", "not a GS1 code"),
        ("+A123BJC5D6E71G", "HIBC"),
        ("01095060001343521727123110é", "another keyboard"),
        ("0109506000134353172712311012AB", "check digit"),
        ("9506000134353", "check digit"),
        ("0109506", "cut off"),
        (f"01{GTIN}179913311012AB", "991331 in the code is not a date"),
        (f"01{GTIN}1012AB1727123121SN9", "group separators are missing"),
        (f"01{GTIN}10{'9' * 20}17271231", "group separators are missing"),
        (f"01{GTIN}21SN917271231", "group separators are missing"),
        ("99ABC", "neither product number"),
        ("9" * (LONGEST + 1), "longer than any code"),
        ("\x00\x01\x02", "not a GS1 code"),
        ("(01)", "not a GS1 code"),
        ("((((", "not a GS1 code"),
        ("https://example.org/hello", "not a GS1 code"),
        ("]d2", "neither product number"),
    ],
)
def test_a_bad_code_says_what_is_wrong(text, said):
    with pytest.raises(UnreadableCode, match=said):
        read_package(text)


def test_a_separator_more_or_less_never_makes_a_wrong_lot():
    """The fault of others: a lot number that has swallowed the expiry date behind it."""
    for lot in ("A", "12AB", "LOT-17", "9" * 12, "17"):
        right = read_package(f"01{GTIN}10{lot}{GS}17271231")
        assert (right.lot, right.expires_on) == (lot, date(2027, 12, 31))
        with pytest.raises(UnreadableCode):
            read_package(f"01{GTIN}10{lot}17271231")


LOTS = st.text("ABCXYZ0123456789-/.", min_size=1, max_size=20)


@given(lot=LOTS, serial=LOTS, day=st.dates(date(2026, 1, 1), date(2049, 12, 31)))
def test_what_was_encoded_is_read(lot, serial, day):
    text = f"]d201{GTIN}17{day:%y%m%d}10{lot}{GS}21{serial}"
    assert read_package(text) == Package(GTIN, lot, day, serial)


@given(st.text(max_size=60))
def test_anything_is_read_or_refused(text):
    try:
        found = read_package(text)
    except UnreadableCode:
        return
    assert found.gtin or found.lot or found.expires_on
