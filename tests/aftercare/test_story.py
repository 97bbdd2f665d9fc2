"""The story page: every room's entries by day, in a number of queries that does not grow."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from clinic.access.models import Staff
from tests.bench.long_record import LongRecord
from tests.conftest import Cast

pytestmark = pytest.mark.django_db
ClientFor = Callable[[Staff], Client]


def queries(client: Client, path: str) -> int:
    client.get(path)
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(path)
    assert answer.status_code == 200
    return len(captured)


PAGES = {
    "patient": lambda p: reverse("patients:detail", args=[p.number]),
    "story": lambda p: reverse("story:page", args=[p.number]),
    "session": lambda p: reverse("sessions:detail", args=[p.number, p.sessions.latest("pk").pk]),
    "photos": lambda p: reverse("photos:gallery", args=[p.number]),
    "photos by view": lambda p: reverse("photos:gallery", args=[p.number]) + "?by=view",
    "plan": lambda p: reverse("plans:detail", args=[p.number, p.plans.latest("pk").pk]),
    "sessions": lambda p: reverse("sessions:panel", args=[p.number]),
    "plans": lambda p: reverse("plans:panel", args=[p.number]),
    "notes": lambda p: reverse("consultations:panel", args=[p.number]),
    "consents": lambda p: reverse("consents:panel", args=[p.number]),
    "scales": lambda p: reverse("scales:panel", args=[p.number]),
    "watch": lambda p: reverse("watch:panel", args=[p.number]),
    "sheets": lambda p: reverse("sheets:panel-all", args=[p.number]),
    "documents": lambda p: reverse("documents:panel", args=[p.number]),
    "photo panel": lambda p: reverse("photos:panel", args=[p.number]),
    "history": lambda p: reverse("intake:panel", args=[p.number]),
    "course": lambda p: reverse("courses:panel", args=[p.number]),
    "consent bar": lambda p: reverse("consents:bar", args=[p.number]),
    "plan bar": lambda p: reverse("plans:bar", args=[p.number]),
    "start": lambda p: reverse("sessions:start", args=[p.number, p.plans.latest("pk").pk]),
}


def test_first(cast: Cast, client_for: ClientFor) -> None:
    import time

    one = LongRecord(cast.here, cast.practitioner, plans=1, sessions_each=1, photos_each=1).write()
    three = LongRecord(
        cast.here, cast.practitioner, plans=3, sessions_each=1, photos_each=3
    ).write()
    t = time.time()
    many = LongRecord(cast.here, cast.practitioner).write()
    print("built", time.time() - t)
    client = client_for(cast.practitioner)
    for name, path in PAGES.items():
        out = []
        for p in (one, three, many):
            n = queries(client, path(p))
            t = time.time()
            a = client.get(path(p))
            out += [n, len(a.content), round(1000 * (time.time() - t))]
        print(name, out)
    from treatments.sessions.actions import start_session

    for p in (one, many):
        s = start_session(by=cast.practitioner, plan=p.plans.get(state="accepted"))
        path = reverse("sessions:edit", args=[p.number, s.pk])
        print("edit", queries(client, path))
    with CaptureQueriesContext(connection) as captured:
        t = time.time()
        client.get(path)
        print(time.time() - t)
    import collections

    for q in captured:
        print(q["time"], q["sql"][:260])


def test_print(cast: Cast, client_for: ClientFor) -> None:
    import time
    from clinic.rendering.pdf import render_html
    from aftercare.story.actions import print_record, print_session
    from django.template.loader import render_to_string
    from pathlib import Path
    import io
    from PIL import Image
    import random
    from patients.photos.models import Photo
    from clinic.vault import keep

    many = LongRecord(cast.here, cast.practitioner).write()
    im = Image.effect_noise((270, 360), 60).convert("RGB")
    b = io.BytesIO()
    im.save(b, "JPEG", quality=78)
    print("thumb", len(b.getvalue()))
    for photo in Photo.objects.all():
        keep(photo.stored_name("thumb"), b.getvalue())
    from patients.documents.pictures import with_pictures

    for name, make in (
        (
            "session",
            lambda: print_session(by=cast.practitioner, session=many.sessions.latest("pk")),
        ),
        ("record", lambda: print_record(by=cast.practitioner, patient=many)),
        ("photos", lambda: print_record(by=cast.practitioner, patient=many, with_photos=True)),
    ):
        t = time.time()
        with CaptureQueriesContext(connection) as captured:
            p = make()
        html = with_pictures(p.document.html, many.pk)
        print(
            name, "html", len(p.document.html), len(html), round(time.time() - t, 2), len(captured)
        )
        t = time.time()
        Path(f"/tmp/w/story_{name}.html").write_text(html)
        out = render_html(html)
        print("  pdf", len(out.pdf), out.pages, round(time.time() - t, 2))
        Path(f"/tmp/w/story_{name}.pdf").write_bytes(out.pdf)
