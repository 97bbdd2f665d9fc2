"""The questions a patient is asked. The wing that knows medicine provides them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.utils.translation import get_language

CONDITION, MEDICINE, EVENT, ALLERGY = "condition", "medicine", "event", "allergy"


@dataclass(frozen=True)
class Question:
    """One thing that may be ticked. `kind`: condition, medicine, event or allergy."""

    code: str
    kind: str
    text_en: str
    text_fr: str
    position: int = 0

    @property
    def text(self) -> str:
        """The question in the language in force; English where there is no other."""
        french = (get_language() or "").startswith("fr")
        return self.text_fr if french and self.text_fr else self.text_en


Provider = Callable[[], Iterable[Question]]
_providers: list[Provider] = []


def provide(provider: Provider) -> None:
    """Name the function that knows the questions; called once from an `AppConfig.ready`."""
    if provider not in _providers:
        _providers.append(provider)


def questions(*kinds: str) -> list[Question]:
    """The questions of some kinds, or all of them, in their order."""
    known = [question for provider in _providers for question in provider()]
    wanted = [question for question in known if not kinds or question.kind in kinds]
    return sorted(wanted, key=lambda question: (question.position, question.code))


def labels() -> dict[tuple[str, str], str]:
    """Text by kind and code, events among the conditions."""
    return {
        (CONDITION if question.kind == EVENT else question.kind, question.code): question.text
        for question in questions()
    }
