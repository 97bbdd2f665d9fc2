"""Fifty documents without end, each in a way of its own, and each short enough to be taken."""

from __future__ import annotations

from collections.abc import Callable


def many(piece: str, count: int) -> str:
    """A piece over and over; its `{n}` is counted."""
    if "{n}" not in piece:
        return piece * count
    return "".join(piece.replace("{n}", str(n)) for n in range(count))


def nested(tag: str, depth: int, inner: str = "x", style: str = "") -> str:
    """One in the other; left open, since the parser closes what is open at the end."""
    said = f' style="{style}"' if style else ""
    return f"<{tag}{said}>" * depth + inner


def styled(style: str, body: str) -> str:
    """With a sheet of its own."""
    return f"<style>{style}</style>{body}"


def table(inner: str) -> str:
    """A table around rows."""
    return f"<table>{inner}</table>"


TEXTS: dict[str, Callable[[], str]] = {
    "paragraphs": lambda: many("<p>word </p>", 800_000),
    "numbered paragraphs": lambda: many("<p id=a{n}>word {n}</p>", 600_000),
    "words": lambda: f"<p>{'word ' * 6_000_000}</p>",
    "one word": lambda: f"<p>{'word' * 6_000_000}</p>",
    "broken word": lambda: f"<p style='overflow-wrap:anywhere'>{'word' * 6_000_000}</p>",
    "line breaks": lambda: f"<p>{'x<br>' * 3_000_000}</p>",
    "justified": lambda: f"<p style='text-align:justify;hyphens:auto'>{'hyphenation ' * 2_000_000}",
    "soft hyphens": lambda: f"<p>{'wo&shy;rd ' * 2_000_000}</p>",
    "no-break spaces": lambda: f"<p>{'word&nbsp;' * 2_000_000}</p>",
    "preformatted": lambda: "<pre>" + "word\n" * 4_000_000,
    "combining marks": lambda: "<p>" + "a" + "\u0301" * 8_000_000,
    "isolates": lambda: "<p>" + "\u2067a\u2066b" * 2_000_000,
    "arabic": lambda: "<p dir=rtl>" + "مرحبا " * 1_500_000,
    "arabic word": lambda: "<p dir=rtl>" + "مرحبا" * 1_500_000,
    "emoji": lambda: "<p>" + "😀 " * 3_000_000,
    "letters apart": lambda: f"<p style='letter-spacing:9pt'>{'word ' * 3_000_000}",
    "huge letters": lambda: f"<p style='font-size:400pt'>{'word ' * 800_000}",
    "capitals": lambda: f"<p style='font-variant:small-caps'>{'word ' * 4_000_000}",
    "entities": lambda: "<p>" + "&amp;&lt;" * 3_000_000,
    "first letters": lambda: styled("p::first-letter{color:red}", many("<p>word</p>", 500_000)),
}
BOXES: dict[str, Callable[[], str]] = {
    "rows": lambda: table("<tr><td>x</td></tr>" * 400_000),
    "cells": lambda: table("<tr>" + "<td>x</td>" * 400_000),
    "wide cells": lambda: table("<tr><td colspan=1000>x</td></tr>" * 200_000),
    "tall cells": lambda: table("<tr><td rowspan=60000>x</td><td>y</td></tr>" * 200_000),
    "a head each time": lambda: table("<thead><tr><th>x</thead>" + "<tr><td>x" * 500_000),
    "tables": lambda: "<table><tr><td>x</table>" * 300_000,
    "boxes in boxes": lambda: nested("div", 900_000),
    "spans in spans": lambda: nested("span", 900_000),
    "lists in lists": lambda: nested("ul><li", 500_000),
    "items": lambda: "<ol>" + "<li>x</li>" * 600_000,
    "facts": lambda: "<dl class=facts>" + "<dt>x<dd>y" * 500_000,
    "floats": lambda: "<div style='float:left'>x</div>" * 500_000,
    "inline blocks": lambda: "<p>" + "<span style='display:inline-block'>x</span>" * 400_000,
    "positioned": lambda: "<div style='position:absolute'>x</div>" * 500_000,
    "fixed": lambda: "<div style='position:fixed'>x</div>" * 100_000 + "<p>x</p>" * 100_000,
    "flex": lambda: "<div style='display:flex'>" + "<div>x</div>" * 600_000,
    "flex in flex": lambda: nested("div", 60, style="display:flex"),
    "grid": lambda: "<div style='display:grid'>" + "<div>x</div>" * 400_000,
    "grid in grid": lambda: nested("div", 80, style="display:grid"),
    "a grid of tracks": lambda: (
        "<div style='display:grid;grid-template-columns:repeat(9000,1px)'>" + "<i>x</i>" * 90_000
    ),
    "columns": lambda: f"<div style='columns:3'>{'<p>word</p>' * 500_000}</div>",
    "pages": lambda: "<p style='break-before:page'>x</p>" * 300_000,
    "tiny pages": lambda: styled("@page{size:9mm;margin:1mm}", "<p>word word word</p>" * 300_000),
    "kept together": lambda: nested("div", 40, "<p>x</p>" * 60_000, "break-inside:avoid"),
    "footnotes": lambda: "<p>x<span style='float:footnote'>y</span></p>" * 300_000,
    "headings": lambda: "<h1>x</h1>" * 400_000,
    "anchors": lambda: many("<a href=#b id=b{n}>x</a> ", 500_000),
    "borders": lambda: "<p style='border:1px dotted;border-radius:9px'>x</p>" * 300_000,
}
RULES: dict[str, Callable[[], str]] = {
    "counted before": lambda: styled(
        "p{counter-increment:a}p::before{content:counter(a)}", "<p>x</p>" * 500_000
    ),
    "targets": lambda: styled(
        "a::after{content:target-counter(attr(href),page)}",
        many("<p id=a{n}><a href=#a{n}>x</a></p>", 300_000),
    ),
}
ENDLESS = TEXTS | BOXES | RULES
