"""Hostile words in every field that reaches a PDF."""

from __future__ import annotations

import json
from typing import Any

from django.apps import apps
from django.db import Error, connection, models
from psycopg.types.json import Jsonb

from clinic.audit.models import AuditEntry
from patients.registry.models import Patient
from tests.aftercare.papers import attend_as, unguarded

OURS = {"clinic", "patients", "treatments", "aftercare"}
NOT_SAID = (models.SlugField, models.UUIDField, models.URLField)
NEVER = {
    *("html", "language", "timezone", "signature_svg", "countersignature_svg", "password"),
    *("file_name", "sha256", "origin", "category", "rule", "level", "what", "pass_key"),
    *("session_key", "token_hash", "secret_hash", "step", "chart", "decision"),
}
"""Words that are no field of a form: composed by us, chosen from a list, or never printed."""
ADDRESSES = {"Location.email"}
"""The addresses that are printed; the others are written to."""
SAID_IN = {
    *("text", "words", "name", "title", "label", "pharmacy", "note", "reason", "value", "detail"),
    *("warnings", "maker", "number", "serial_number", "place", "product", "technique", "unit"),
    *("name_en", "name_fr", "programme", "prepared_by", "other", "fact", "source", "said"),
}
"""The keys of stored data whose words are printed."""

LINKS = (
    "<img src='{}'>",
    "<img srcset='{} 2x'>",
    "<picture><source srcset='{}'></picture>",
    "<object data='{}'></object>",
    "<embed src='{}'>",
    "<iframe src='{}'></iframe>",
    "<script src='{}'></script>",
    "<style>@import url({});</style>",
    "<link rel=stylesheet href='{}'>",
    "<link rel=attachment href='{}'>",
    "<a rel=attachment href='{}'>x</a>",
    "<svg><image href='{}'/></svg>",
    "<svg><use href='{}#a'/></svg>",
    "<p style='background:url({})'>",
    "<meta http-equiv=refresh content='0;url={}'>",
    "<base href='{}'>",
)
SCHEMES = ("http://{at}/a", "file://{secret}", "//{at}/a", "data:text/html,<img src=http://{at}/a>")
OTHERS = (
    "{{ 7|add:7 }}",
    "{% load i18n %}{% include '/etc/passwd' %}",
    "{{ settings.SECRET_KEY }}",
    "${7*7}#{7*7}",
    "</body></html><body>",
    "</dd></dl></section><h1>",
    "]]><!--",
    "--><img src=x onerror=alert(1)>",
    "\"'><svg onload=alert(1)>",
    "&#60;img src='http://{at}/a'&#62;",
    "/Contents <00>/ByteRange [0 1 2 3]",
    "endobj 1 0 obj <</S/URI/URI(http://{at}/a)>>",
    "\u202egnp.exe\u202c",
    "\u2066\u2067\u2068",
    "a\u0301" * 20,
    "😀" * 20,
)
ALL = [link.replace("{}", scheme) for link in LINKS for scheme in SCHEMES] + [*OTHERS]


def written(words: str, *, at: str, secret: str) -> str:
    """One of `ALL` with the canary's address and file in it."""
    return words.replace("{at}", at).replace("{secret}", secret)


def poison(words: str) -> set[str]:
    """Put the words into every text of every table that takes them; the names of those fields."""
    done = set()
    for model in apps.get_models():
        if model._meta.app_label in OURS and model is not AuditEntry:
            for field in model._meta.concrete_fields:
                name = f"{model.__name__}.{field.name}"
                put = _put_inside if isinstance(field, models.JSONField) else _put
                if _takes_words(name, field) and put(model, field, words):
                    done.add(name)
    for patient in Patient.objects.filter(consents__attendants__isnull=False):
        for consent in patient.consents.all():
            attend_as(consent, words)
    return done


def _takes_words(name: str, field: models.Field) -> bool:
    if isinstance(field, models.JSONField):
        return "strokes" not in field.name
    if isinstance(field, models.EmailField) and name not in ADDRESSES:
        return False
    return (
        isinstance(field, (models.CharField, models.TextField))
        and not isinstance(field, NOT_SAID)
        and not field.choices
        and (not field.unique or field.name == "serial_number")
        and field.name not in NEVER
        and not field.name.endswith(("code", "codes", "_key", "sha256", "kind"))
    )


def _put(model: type[models.Model], field: models.Field, words: str) -> bool:
    """Whether the table takes the words, if need be each row with its own number behind them."""
    key, most = model._meta.pk.column, field.max_length or 2000
    return _set(model, field, "%s", words[:most]) or _set(
        model, field, f'%s || "{key}"::text', words[: most - 9]
    )


def _set(model: type[models.Model], field: models.Field, value: str, words: str) -> bool:
    """Triggers pause: what is signed and closed cannot be changed, and is poisoned all the same."""
    try:
        with unguarded(), connection.cursor() as cursor:
            cursor.execute(
                f'UPDATE "{model._meta.db_table}" SET "{field.column}" = {value}', [words]
            )
            return bool(cursor.rowcount)
    except Error:
        return False


def _put_inside(model: type[models.Model], field: models.Field, words: str) -> bool:
    """The words in place of those that stored data hold; whether there were any."""
    try:
        return _exchanged(model, field, words)
    except Error:
        return False


def _exchanged(model: type[models.Model], field: models.Field, words: str) -> bool:
    table, column = model._meta.db_table, field.column
    key, found = model._meta.pk.column, False
    with unguarded(), connection.cursor() as cursor:
        cursor.execute(f'SELECT "{key}"::text, "{column}"::text FROM "{table}"')
        for row, held in cursor.fetchall():
            changed = _with_words(json.loads(held) if held else None, words)
            if held and changed != json.loads(held):
                cursor.execute(
                    f'UPDATE "{table}" SET "{column}" = %s WHERE "{key}"::text = %s',
                    [Jsonb(changed), row],
                )
                found = True
    return found


def _with_words(held: Any, words: str, *, is_said: bool = False) -> Any:
    if isinstance(held, dict):
        return {key: _with_words(one, words, is_said=key in SAID_IN) for key, one in held.items()}
    if isinstance(held, list):
        return [_with_words(one, words, is_said=is_said) for one in held]
    return words if is_said and isinstance(held, str) and held else held
