"""The questions a patient is asked. The wing that knows medicine provides them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.utils.translation import get_language

CONDITION, MEDICINE, EVENT, ALLERGY = "condition", "medicine", "event", "allergy"
BDDQ = "bddq"
"""An item of the BDDQ-AS, where the clinic has entered its own copy."""
PREGNANCY, SKIN, MIND = "pregnancy", "skin", "mind"
"""Topics that are asked on a page of their own."""
STEP_OF_KIND = {MEDICINE: "medicines", ALLERGY: "allergies", EVENT: "recent"}
STEP_OF_TOPIC = {PREGNANCY: "pregnancy", SKIN: "skin", MIND: "hopes"}


@dataclass(frozen=True)
class Question:
    """One thing that may be ticked. `kind`: condition, medicine, event or allergy.

    `name_*`: short, for those who read the answers. `topic`: the heading it stands under.
    `detail`: what else is asked once it is ticked: "", "date" or "text". `asked_if`: only where
    one of these codes of the same page is ticked; empty means always.
    """

    code: str
    kind: str
    text_en: str
    text_fr: str
    position: int = 0
    name_en: str = ""
    name_fr: str = ""
    topic: str = ""
    detail: str = ""
    asked_if: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The question in the language in force; English where there is no other."""
        return _said(self.text_en, self.text_fr)

    @property
    def name(self) -> str:
        """What is said in short by a yes."""
        return _said(self.name_en, self.name_fr) or self.text

    @property
    def step(self) -> str:
        """The page of the questionnaire on which it stands."""
        return STEP_OF_TOPIC.get(self.topic) or STEP_OF_KIND.get(self.kind, "conditions")


def _said(english: str, french: str) -> str:
    return french if (get_language() or "").startswith("fr") and french else english


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


def to_tick(known: Iterable[Question], step: str) -> list[Question]:
    """Those that are ticked on one page."""
    return [one for one in known if one.kind != BDDQ and one.step == step]
