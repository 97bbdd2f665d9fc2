"""Ten thousand wrong birth dates against one patient's links: nothing is seen, the patient gets in.

By one address and by thousands, at once and one after the other, with Redis and without it, on old
links and on the fresh ones that the patient asks for in between.
"""

from __future__ import annotations

import re
import threading
from datetime import date, timedelta
from queue import Empty, Queue

import pytest
from django.db import connections
from django.test import Client
from django.utils import timezone

from patients.messages.asking import answer_next
from patients.messages.sending import send_next
from patients.portal.actions import prove
from patients.portal.models import Link
from tests.access.world import make_world
from tests.patients.test_portal import RIGHT, home, question, token_for

pytestmark = pytest.mark.django_db(transaction=True)
GUESSES = 10_000
THREADS = 4


def guesses() -> Queue[date]:
    """Every day of 27 years and a half but the right one, and more than one round of none."""
    found: Queue[date] = Queue()
    day, right = date(1972, 1, 1), date(1985, 3, 15)
    while found.qsize() < GUESSES:
        if day != right:
            found.put(day)
        day += timedelta(days=1)
    return found


def as_form(day: date) -> dict[str, str]:
    return {
        "birth_date_0": str(day.day),
        "birth_date_1": str(day.month),
        "birth_date_2": str(day.year),
    }


def test_ten_thousand_wrong_birth_dates_show_nothing_and_the_patient_still_gets_in(
    cast, settings, mailoutbox
):
    world = make_world(cast.here, cast.practitioner, cast.treatment)
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    token, waiting = world.token, guesses()
    seen: list[str] = []
    statuses: dict[int, int] = {}
    lock = threading.Lock()

    def guess(number: int) -> None:
        client = Client()
        while not waiting.empty():
            try:
                day = waiting.get_nowait()
            except Empty:
                break
            address = f"10.{number}.{day.month}.{day.day}"
            answer = client.post(
                question(token), as_form(day), headers={"X-Forwarded-For": address}
            )
            text = answer.content.decode()
            with lock:
                statuses[answer.status_code] = statuses.get(answer.status_code, 0) + 1
                if any(word in text for word in (world.canary, world.secret, world.patient.number)):
                    seen.append(text)
        connections.close_all()

    threads = [threading.Thread(target=guess, args=(n,)) for n in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == []
    assert sum(statuses.values()) == GUESSES
    assert statuses[422] == Link.MOST_WRONG_ANSWERS, statuses
    assert set(statuses) <= {422, 429, 404}
    assert Client().post(question(token), RIGHT).status_code == 404, "this link is closed for good"
    assert Client().post(f"/my/{token}/again/").status_code == 302
    while answer_next(at=timezone.now()):
        pass
    while send_next():
        pass
    fresh = re.search(r"/my/([^/]{40,})/", mailoutbox[-1].body).group(1)
    client = Client()
    assert client.post(question(fresh), RIGHT).status_code == 302
    assert world.patient.given_name in client.get(home(fresh)).content.decode()


def test_without_the_lock_on_the_link_the_harness_would_see_it(cast, monkeypatch):
    """The negative control: with a lock that never closes, the right date is found among them."""
    monkeypatch.setattr(Link, "MOST_WRONG_ANSWERS", 30_000)
    token = token_for(cast.patient)
    found = any(
        prove(token=token, birth_date=date(1985, 3, 1) + timedelta(days=n), at=timezone.now())
        for n in range(31)
    )
    assert found


def test_two_thousand_made_up_links_open_nothing(cast):
    client = Client()
    for number in range(2_000):
        answer = client.get(f"/my/{'A' * 38}{number:05d}/")
        assert answer.status_code == 404
