"""Speaking the language of a consent: of a further one, the words that the clinic has approved."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from clinic.tongues import Phrases, is_of_the_house
from clinic.tongues import speaking as speaking_phrases
from treatments.consents.models import ConsentWords


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """With the words in force, by one query for a further language."""
    with speaking_phrases(language, phrases_in(language)):
        yield


@contextmanager
def speaking_for_a_look(language: str) -> Iterator[None]:
    """For a text that is looked at: the words in force, else those written or shipped last."""
    rows = ConsentWords.objects.filter(code=language).order_by("-is_current", "-version")
    row = None if is_of_the_house(language) else rows.first()
    with speaking_phrases(language, row.phrases if row else {}):
        yield


def phrases_in(language: str) -> Phrases:
    """The phrases in force, by their English; none for a language of the house."""
    if is_of_the_house(language):
        return {}
    row = ConsentWords.objects.current().filter(code=language).first()
    return row.phrases if row else {}
