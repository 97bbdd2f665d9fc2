"""Two people in one open adverse event: each is told, and nothing of either is lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.urls import reverse

from aftercare.safety import actions
from aftercare.safety.actions import change_event, close_event
from aftercare.safety.changing import StaleEvent, as_seen, differing
from aftercare.safety.models import AdverseEvent
from clinic.access.models import Staff
from clinic.errors import ActionRefused
from tests.aftercare.safety_world import AT, make_clinic
from tests.aftercare.test_events import begin, said
from tests.aftercare.watch_races import at_once
from tests.conftest import Cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def event(cast: Cast) -> AdverseEvent:
    clinic = make_clinic(cast)
    return begin(cast, clinic.session(clinic.patient()))


def change(cast: Cast, event: AdverseEvent, by: Staff | None = None, **fields: Any) -> AdverseEvent:
    revision = fields.pop("revision", 0)
    return change_event(
        by=by or cast.practitioner, event=event, said=said(**fields), revision=revision
    )


def test_what_each_has_written_in_another_part_stands(cast: Cast, event: AdverseEvent) -> None:
    change(cast, event, description="Larger.")
    both = change(cast, event, cast.colleague, action_taken="Culture taken.", grade=3)
    assert (both.description, both.action_taken, both.grade) == ("Larger.", "Culture taken.", 3)
    assert both.revision == 2


def test_what_both_have_written_is_refused_and_nothing_of_it_kept(
    cast: Cast, event: AdverseEvent
) -> None:
    change(cast, event, description="Larger.")
    with pytest.raises(StaleEvent) as refused:
        change(cast, event, cast.colleague, description="Smaller.", grade=3)
    assert refused.value.parts == ["description"]
    event.refresh_from_db()
    assert (event.description, event.grade, event.revision) == ("Larger.", 2, 1)


def test_the_same_word_twice_is_no_clash(cast: Cast, event: AdverseEvent) -> None:
    change(cast, event, description="Larger.")
    assert change(cast, event, cast.colleague, description="Larger.").revision == 1


def test_what_was_replaced_stays_readable(cast: Cast, event: AdverseEvent) -> None:
    first = event.description
    change(cast, event, description="Larger.")
    change(cast, event, cast.colleague, description="Gone.", revision=1)
    event.refresh_from_db()
    assert [one["was"]["description"] for one in event.earlier] == [first, "Larger."]
    assert [one["by"] for one in event.earlier] == ["Ada Rossi", "Noor Haddad"]


def test_parts_that_fit_only_together_are_still_checked(cast: Cast, event: AdverseEvent) -> None:
    """One makes it fatal and grade 5, the other a grade 3: neither half is stored alone."""
    change(cast, event, grade=5, outcome="fatal")
    with pytest.raises(StaleEvent):
        change(cast, event, cast.colleague, grade=3)
    later = AT + timedelta(days=20)
    moved = change(cast, event, grade=5, outcome="fatal", onset_at=later, revision=1)
    assert moved.onset_at == later


def test_nobody_closes_what_they_have_not_seen(cast: Cast, event: AdverseEvent) -> None:
    change(cast, event, description="Larger.")
    with pytest.raises(ActionRefused, match="changed this event"):
        close_event(by=cast.colleague, event=event, outcome="resolved", words="Healed.", revision=0)
    closed = close_event(
        by=cast.colleague, event=event, outcome="resolved", words="Healed.", revision=1
    )
    assert not closed.is_open


def test_what_was_seen_is_told_from_what_was_replaced() -> None:
    now = {"grade": 3, "description": "c"}
    earlier = [
        {"r": 1, "was": {"description": "a"}},
        {"r": 2, "was": {"description": "b", "grade": 2}},
    ]
    assert as_seen(now, earlier, 0) == {"grade": 2, "description": "a"}
    assert as_seen(now, earlier, 1) == {"grade": 2, "description": "b"}
    assert as_seen(now, earlier, 2) == now
    assert differing(now, as_seen(now, earlier, 1)) == ["grade", "description"]


# -- on the page -------------------------------------------------------------------------------


def typed(event: AdverseEvent, **fields: Any) -> dict[str, Any]:
    zone = event.location.zone
    return {
        "kind": event.kind_id,
        "onset_on": event.onset_at.astimezone(zone).date().isoformat(),
        "onset_time": "",
        "grade": 2,
        "relatedness": "probable",
        "area": event.area_id,
        "side": "none",
        "description": event.description,
        "action_taken": "",
        "outcome": "ongoing",
        "follow_up_on": event.follow_up_on.isoformat(),
        "revision": 0,
        **fields,
    }


def test_on_the_page_both_versions_are_seen_and_saving_again_keeps_the_form(
    cast: Cast, event: AdverseEvent, client_for: Callable[[Staff], Client]
) -> None:
    AdverseEvent.objects.update(
        onset_at=event.onset_at.astimezone(event.location.zone).replace(
            hour=0, minute=0, second=0, microsecond=0
        )
    )
    event.refresh_from_db()
    page = reverse("events:edit", args=[event.patient.number, event.pk])
    ada, noor = client_for(cast.practitioner), client_for(cast.colleague)
    opened = ada.get(page).content.decode()
    assert 'name="revision" value="0"' in opened
    assert ada.post(page, typed(event, description="Larger.", grade=3)).status_code == 302
    answer = noor.post(page, typed(event, description="Smaller."))
    text = answer.content.decode()
    assert answer.status_code == 409
    assert "Saved by Ada Rossi" in text
    for version in ("Larger.", "Smaller."):
        assert f"<pre>{version}</pre>" in text
    form = answer.context["form"]
    assert form["description"].value() == "Smaller."
    assert form["grade"].value() == "3", "what she left alone is as he has made it"
    assert form["revision"].value() == "1"
    again = typed(event, description="Smaller.", grade=3, revision=1)
    assert noor.post(page, again).status_code == 302
    event.refresh_from_db()
    assert (event.description, event.grade) == ("Smaller.", 3)
    assert "Larger." in str(event.earlier)


def test_words_typed_while_it_was_closed_stay_on_the_page(
    cast: Cast, event: AdverseEvent, client_for: Callable[[Staff], Client]
) -> None:
    page = reverse("events:edit", args=[event.patient.number, event.pk])
    close_event(by=cast.colleague, event=event, outcome="resolved", words="Healed.")
    ada = client_for(cast.practitioner)
    answer = ada.post(page, typed(event, description="Words of mine."))
    assert answer.status_code == 422
    assert "Words of mine." in answer.content.decode()
    assert ada.get(page).status_code == 302


def test_on_the_page_closing_is_sent_again_once_the_change_was_seen(
    cast: Cast, event: AdverseEvent, client_for: Callable[[Staff], Client]
) -> None:
    change(cast, event, cast.colleague, description="Larger.")
    page = reverse("events:close", args=[event.patient.number, event.pk])
    sent = {"outcome": "resolved", "words": "Healed.", "revision": 0}
    answer = client_for(cast.practitioner).post(page, sent)
    assert answer.status_code == 422
    text = answer.content.decode()
    assert "Larger." in text
    assert "Healed." in text
    assert 'name="revision" value="1"' in text


# -- at the same moment ------------------------------------------------------------------------


def both_at_once(cast: Cast, event: AdverseEvent) -> int:
    """Two save another word at the same moment; how many were told."""
    told: list[int] = []

    def write(by: Staff, words: str) -> None:
        try:
            change(cast, event, by, description=words)
        except StaleEvent:
            told.append(1)
        finally:
            connections.close_all()

    at_once(lambda: write(cast.practitioner, "One."), lambda: write(cast.colleague, "Two."))
    return len(told)


@pytest.mark.django_db(transaction=True)
def test_of_two_at_the_same_moment_one_is_told(cast: Cast, event: AdverseEvent) -> None:
    for number in range(4):
        AdverseEvent.objects.update(revision=0, earlier=[], description=f"Before {number}.")
        event.refresh_from_db()
        assert both_at_once(cast, event) == 1


@pytest.mark.django_db(transaction=True)
def test_without_what_was_seen_the_last_save_wins(
    cast: Cast, event: AdverseEvent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: whatever stands is taken for what the writer saw."""
    monkeypatch.setattr(actions, "as_seen", lambda now, earlier, revision: now)
    assert both_at_once(cast, event) == 0
