"""Hostile words in every field that reaches a PDF, and the documents that then come of them."""

from __future__ import annotations

from collections.abc import Iterator

from django.apps import apps
from django.db import Error, connection, models, transaction
from django.template.loader import render_to_string
from django.utils import timezone, translation

from aftercare.sheets.content import content_of, page_of
from aftercare.story.actions import print_record, print_session
from clinic.access.models import Staff
from patients.documents.evidence import with_evidence
from patients.registry.models import Patient
from treatments.consents.evidence import evidence_page
from treatments.consents.proof import evidence_of

OURS = {"clinic", "patients", "treatments", "aftercare"}
NOT_SAID = (models.SlugField, models.UUIDField, models.EmailField, models.URLField)
NEVER = {"html", "language", "timezone", "signature_svg", "password", "file_name", "sha256"}
"""Words that are no field of a form: composed by us, chosen from a list, or never printed."""

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
        if model._meta.app_label in OURS:
            for field in model._meta.concrete_fields:
                if _takes_words(field) and _put(model, field, words):
                    done.add(f"{model.__name__}.{field.name}")
    return done


def _takes_words(field: models.Field) -> bool:
    return (
        isinstance(field, (models.CharField, models.TextField))
        and not isinstance(field, NOT_SAID)
        and not field.choices
        and not field.unique
        and field.name not in NEVER
        and not field.name.endswith(("code", "codes", "_key", "number", "sha256", "kind"))
    )


def _put(model: type[models.Model], field: models.Field, words: str) -> bool:
    """Triggers pause: what is signed and closed cannot be changed, and is poisoned all the same."""
    table, column = model._meta.db_table, field.column
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute(
                f'UPDATE "{table}" SET "{column}" = %s', [words[: field.max_length or 2000]]
            )
            return bool(cursor.rowcount)
    except Error:
        return False
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = origin")


def documents(patient: Patient, by: Staff) -> Iterator[tuple[str, str]]:
    """The words of each kind of document of this patient, by its kind."""
    by.refresh_from_db()
    with translation.override("en"):
        session = patient.sessions.filter(signed_at__isnull=False).first()
        yield "session", print_session(by=by, session=session).document.html
        yield "record", print_record(by=by, patient=patient, with_photos=False).document.html
        consent = patient.consents.filter(signed_at__isnull=False).first()
        page = evidence_page(consent)
        number = session.pk
        yield "consent", with_evidence(page, evidence_of(consent), number=number, language="en")
        content = content_of(session, language="en", at=timezone.now())
        said = page_of(content, language="en")
        said |= {"patient": session.patient, "location": session.location}
        yield "sheet", render_to_string("pdf/sheet.html", said)
