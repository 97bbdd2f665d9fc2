"""One form for each step of the questionnaire. 'None of these' is an answer of its own.

What depends on another answer is hidden by the page for convenience; here it is dropped when that
answer was not given, whatever was sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from django import forms
from django.forms import BoundField
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clinic.web.fields import Signature, SignatureField, UnitField
from clinic.web.forms import ClinicForm
from patients.intake.actions import Ticks
from patients.intake.bddq import BDDQ_ITEMS, COPS_HIGHEST, GRADED, HIGHEST_GRADE, LOWEST_GRADE
from patients.intake.facts import steps_done
from patients.intake.models import History, Signing
from patients.intake.procedures import MOST, Procedure, is_possible
from patients.intake.questions import BDDQ, Question, questions, to_tick
from patients.registry.models import Patient

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

YES_NO = [("yes", _("Yes")), ("no", _("No"))]
NOT_ASKED = ("unasked", _("Not asked"))
LONGEST_AGO = timedelta(days=366)
"""An event that the questionnaire calls recent is at most a year old."""
TOPICS: dict[str, str | _StrPromise] = {
    "": _("Other"),
    "pregnancy": _("Pregnancy and birth"),
    "heart": _("Heart and circulation"),
    "blood": _("Blood"),
    "metabolism": _("Diabetes, thyroid, metabolism"),
    "organs": _("Lungs, kidneys, liver, stomach"),
    "immune": _("Cancer, immune system, severe reactions"),
    "nerves": _("Nerves and muscles"),
    "infection": _("Infections"),
    "skin": _("Skin"),
    "mind": _("Needles and appearance"),
}


@dataclass(frozen=True)
class Asking:
    """For whom a page is made, and by whom it is filled in."""

    patient: Patient
    today: date
    at_desk: bool = False


def yes_no(label: str | _StrPromise, **options: Any) -> forms.ChoiceField:
    """A question that must be answered; nothing is ticked beforehand."""
    options.setdefault("choices", YES_NO)
    return forms.ChoiceField(
        label=label,
        widget=forms.RadioSelect,
        error_messages={"required": _("Answer yes or no.")},
        **options,
    )


def said(answer: bool | None) -> str:
    """How a stored answer is ticked; an unanswered one is not."""
    return "" if answer is None else "yes" if answer else "no"


def heard(answer: str) -> bool | None:
    """The other way round; "not asked" is no answer."""
    return {"yes": True, "no": False}.get(answer)


class TickField(forms.MultipleChoiceField):
    """Must be answered, but 'none of these' beside it is an answer too: the form sees to that."""

    def validate(self, value: Any) -> None:
        """Refuse only what is not on the list."""
        for code in value:
            if not self.valid_value(code):
                raise forms.ValidationError(
                    self.error_messages["invalid_choice"], code="invalid_choice"
                )


@dataclass(frozen=True)
class Tick:
    """One question on the page: its box, what else is asked once ticked, and what follows it."""

    box: Any
    question: Question
    more: list[BoundField]
    then: list[Tick]
    is_asked_later: bool = False


class StepForm(ClinicForm):
    """A step: filled from a history, and giving back the values to keep.

    `list_name` is the list of `History` that its ticks are kept in, if it has any.
    """

    step = ""
    title: str | _StrPromise = ""
    lead: str | _StrPromise = ""
    list_name = "conditions"
    text_field = ""
    legend: str | _StrPromise = _("Tick each question that you would answer with yes")
    none_label: str | _StrPromise = _("None of these applies to me")
    after_ticks: tuple[str, ...] = ()
    """Fields that stand below the ticks."""

    def __init__(self, *args: Any, asking: Asking, known: Iterable[Question], **kw: Any) -> None:
        super().__init__(*args, **kw)
        self.asking = asking
        self.asked = to_tick(known, self.step)
        if self.asked:
            self._add_ticks()

    def _add_ticks(self) -> None:
        self.fields["chosen"] = TickField(
            label=self.legend,
            choices=[(question.code, question.text) for question in self.asked],
            widget=forms.CheckboxSelectMultiple,
            error_messages={"invalid_choice": _("Tick only what is on the list.")},
        )
        self.fields["none"] = forms.BooleanField(label=self.none_label, required=False)
        for question in self.asked:
            if question.detail:
                self.fields[detail_name(question)] = _detail_field(question)

    @property
    def tick_names(self) -> set[str]:
        """The fields that the ticks are made of."""
        return {"chosen", "none", *(detail_name(q) for q in self.asked if q.detail)}

    @property
    def leading(self) -> list[BoundField]:
        """The fields above the ticks."""
        apart = self.tick_names | set(self.after_ticks)
        return [self[name] for name in self.fields if name not in apart]

    @property
    def trailing(self) -> list[BoundField]:
        """The fields below the ticks."""
        return [self[name] for name in self.after_ticks if name in self.fields]

    @property
    def groups(self) -> list[tuple[str, list[Tick]]]:
        """The questions by their headings, each under the question that it depends on."""
        boxes = dict(zip([q.code for q in self.asked], self["chosen"].subwidgets, strict=True))
        found: dict[str, list[Tick]] = {}
        for question in self.asked:
            if self._parent(question) is None:
                found.setdefault(question.topic, []).append(self._tick(question, boxes))
        return [(str(TOPICS.get(topic, topic)), ticks) for topic, ticks in found.items()]

    def _tick(self, question: Question, boxes: Mapping[str, Any]) -> Tick:
        more = [self[detail_name(question)]] if question.detail else []
        then = [self._tick(one, boxes) for one in self.asked if self._parent(one) == question.code]
        return Tick(boxes[question.code], question, more, then)

    def _parent(self, question: Question) -> str | None:
        """The question of this page whose yes brings this one up; the first, where there are
        several. A question that is not on this page hides nothing."""
        here = {one.code for one in self.asked}
        return next((code for code in question.asked_if if code in here), None)

    def clean(self) -> dict[str, Any]:
        """Something is ticked or written, or 'none' is; never both, never neither."""
        given: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.asked or "chosen" in self.errors or self.text_field in self.errors:
            return given
        chosen = given["chosen"] = self._in_force(given.get("chosen", []))
        some = bool(chosen or (self.text_field and given.get(self.text_field)))
        if some and given.get("none"):
            self.add_error(
                "none",
                gettext("You named something and also ticked this. Please keep one of them."),
            )
        elif not some and not given.get("none"):
            label = str(self.none_label)
            self.add_error(
                "chosen", gettext("Tick what applies to you, or “%(none)s”.") % {"none": label}
            )
        self._clean_days(given, chosen)
        return given

    def _in_force(self, chosen: list[str]) -> list[str]:
        """Without the answers to questions that were not to be asked."""
        kept = [q.code for q in self.asked if q.code in chosen]
        return [
            q.code
            for q in self.asked
            if q.code in kept and (self._parent(q) is None or self._parent(q) in kept)
        ]

    def _clean_days(self, given: dict[str, Any], chosen: list[str]) -> None:
        for question in self.asked:
            day = given.get(detail_name(question))
            if question.code not in chosen or not isinstance(day, date):
                continue
            if day > self.asking.today:
                self.add_error(detail_name(question), gettext("This day is still to come."))
            elif day < self.asking.today - LONGEST_AGO:
                self.add_error(
                    detail_name(question),
                    gettext("This is more than a year ago: then do not tick the question."),
                )

    @classmethod
    def initial_of(cls, history: History) -> dict[str, Any]:
        """What to show ticked: the answers so far, or those of last time."""
        known = to_tick(questions(), cls.step)
        if not known:
            return {}
        codes = {question.code for question in known}
        chosen = [code for code in getattr(history, cls.list_name) if code in codes]
        text: str = getattr(history, cls.text_field) if cls.text_field else ""
        answered = cls.step in steps_done(history)
        initial: dict[str, Any] = {"chosen": chosen, "none": answered and not (chosen or text)}
        for question in known:
            if question.detail:
                kept = history.details.get(question.code, {})
                key = "on" if question.detail == "date" else "text"
                initial[detail_name(question)] = kept.get(key, "")
        return {**initial, cls.text_field: text} if cls.text_field else initial

    def ticks(self) -> Ticks | None:
        """What was ticked, for `save_draft`."""
        if not self.asked:
            return None
        chosen: list[str] = self.cleaned_data["chosen"]
        details = {q.code: self._detail(q) for q in self.asked if q.code in chosen and q.detail}
        return Ticks(
            list_name=self.list_name,
            asked=[question.code for question in self.asked],
            chosen=chosen,
            details={code: detail for code, detail in details.items() if detail},
        )

    def _detail(self, question: Question) -> dict[str, str]:
        value = self.cleaned_data.get(detail_name(question))
        if not value:
            return {}
        return {"on": value.isoformat()} if isinstance(value, date) else {"text": value}

    def values(self) -> dict[str, Any]:
        """What `save_draft` is to keep, besides the ticks."""
        values: dict[str, Any] = {}
        if self.asked:
            values["asked"] = {self.step: [[q.code, q.text, self._answer(q)] for q in self.asked]}
        if self.text_field:
            values[self.text_field] = self.cleaned_data[self.text_field]
        return values

    def _answer(self, question: Question) -> str:
        chosen = self.cleaned_data["chosen"]
        parent = self._parent(question)
        if parent is not None and parent not in chosen:
            return "not asked"
        return "yes" if question.code in chosen else "no"


def detail_name(question: Question) -> str:
    """The field of what else is asked once a question is ticked."""
    return f"{'on' if question.detail == 'date' else 'say'}_{question.code}"


def _detail_field(question: Question) -> forms.Field:
    if question.detail == "date":
        return forms.DateField(
            label=_("When was it, or when did it end?"),
            help_text=_("Leave it empty if you do not know."),
            widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
            required=False,
        )
    return forms.CharField(label=_("Which, and since when?"), max_length=200, required=False)


class AboutForm(StepForm):
    step = "about"
    title = _("About you")
    lead = _("Your weight helps us to work out a safe amount of anaesthetic.")

    weight_kg = UnitField(
        unit="kg",
        label=_("Your weight"),
        required=False,
        min_value=2,
        max_value=400,
        max_digits=4,
        decimal_places=1,
    )

    @classmethod
    def initial_of(cls, history: History) -> dict[str, Any]:
        return {"weight_kg": history.weight_kg}

    def values(self) -> dict[str, Any]:
        return {"weight_kg": self.cleaned_data["weight_kg"]}


class PregnancyForm(StepForm):
    """Asked of everyone; who is registered as male says first whether it can concern him at all,
    since what stands in the register need not be the whole of it."""

    step = "pregnancy"
    title = _("Pregnancy and breastfeeding")
    lead = _("Some products can harm an unborn child or a baby who is breastfed.")

    applies = yes_no(_("Could pregnancy, birth or breastfeeding concern you?"))
    pregnant = yes_no(_("Are you pregnant, or could you be?"))
    breastfeeding = yes_no(_("Are you breastfeeding?"))

    def __init__(self, *args: Any, **kw: Any) -> None:
        super().__init__(*args, **kw)
        if self.asking.patient.sex != Patient.Sex.MALE:
            del self.fields["applies"]
        if self.asking.at_desk:
            for name in ("pregnant", "breastfeeding"):
                self.fields[name].choices = [*YES_NO, NOT_ASKED]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Nothing more is asked of somebody whom it cannot concern, whatever was sent."""
        if self.cleaned_data.get("applies") != "no":
            return super().clean()
        self.errors.clear()
        self.cleaned_data |= {"chosen": [], "pregnant": "", "breastfeeding": "", "none": False}
        return self.cleaned_data

    @classmethod
    def initial_of(cls, history: History) -> dict[str, Any]:
        answered = cls.step in steps_done(history)
        unasked = NOT_ASKED[0] if answered else ""
        return super().initial_of(history) | {
            "applies": said(history.pregnancy_applies),
            "pregnant": said(history.pregnant) or unasked,
            "breastfeeding": said(history.breastfeeding) or unasked,
        }

    def values(self) -> dict[str, Any]:
        given = self.cleaned_data
        return super().values() | {
            "pregnancy_applies": given.get("applies") != "no",
            "pregnant": heard(given["pregnant"]),
            "breastfeeding": heard(given["breastfeeding"]),
        }

    def _answer(self, question: Question) -> str:
        never = self.cleaned_data.get("applies") == "no"
        return "not asked" if never else super()._answer(question)


class ConditionsForm(StepForm):
    step = "conditions"
    title = _("Your health")
    lead = _("Tick everything that applies to you now, or that has happened.")


class MedicinesForm(StepForm):
    step, list_name, text_field = "medicines", "medicines", "medicines_text"
    title = _("Your medicines")
    lead = _("Some medicines make bruises or reactions more likely. Do not stop any of them now.")
    none_label = _("I take no medicines")
    after_ticks = ("medicines_text",)

    medicines_text = forms.CharField(
        label=_("Which others do you take?"),
        help_text=_("Also vitamins, herbs, and anything without a prescription."),
        widget=forms.Textarea({"rows": 3}),
        max_length=2000,
        required=False,
    )


class AllergiesForm(StepForm):
    step, list_name, text_field = "allergies", "allergies", "other_allergies"
    title = _("Your allergies")
    lead = _("Tick anything you have ever reacted to.")
    legend = _("Are you allergic to any of these?")
    none_label = _("I have no known allergy")
    after_ticks = ("other_allergies", "allergy_reaction")

    other_allergies = forms.CharField(label=_("Which others?"), max_length=500, required=False)
    allergy_reaction = forms.CharField(
        label=_("What happened?"),
        help_text=_("For example a rash, swelling, trouble breathing; and when."),
        max_length=500,
        required=False,
    )

    @classmethod
    def initial_of(cls, history: History) -> dict[str, Any]:
        return super().initial_of(history) | {"allergy_reaction": history.allergy_reaction}

    def values(self) -> dict[str, Any]:
        given = self.cleaned_data
        some = bool(given["chosen"] or given["other_allergies"])
        return super().values() | {
            "no_known_allergies": given["none"],
            "allergy_reaction": given["allergy_reaction"] if some else "",
        }


MONTHS = [("", "—"), *((str(number), f"{number:02d}") for number in range(1, 13))]


@dataclass(frozen=True)
class ProcedureRow:
    """The fields of one earlier treatment."""

    number: int
    fields: list[BoundField]
    is_filled: bool


class RecentForm(StepForm):
    step = "recent"
    title = _("Lately, and before")
    lead = _(
        "What happened in the last weeks, and treatments of your skin or face in earlier years."
    )

    PARTS = ("kind", "year", "month", "what", "problem")

    def __init__(self, *args: Any, **kw: Any) -> None:
        super().__init__(*args, **kw)
        for number in range(MOST):
            self._add_row(number)

    def _add_row(self, number: int) -> None:
        own: dict[str, forms.Field] = {
            "kind": forms.ChoiceField(
                label=_("Treatment"), choices=[("", "—"), *Procedure.choices], required=False
            ),
            "year": forms.IntegerField(
                label=_("Year"),
                required=False,
                widget=forms.TextInput({"inputmode": "numeric", "maxlength": "4", "size": "4"}),
            ),
            "month": forms.ChoiceField(label=_("Month"), choices=MONTHS, required=False),
            "what": forms.CharField(
                label=_("Where, and with what?"), max_length=200, required=False
            ),
            "problem": forms.CharField(label=_("Any trouble?"), max_length=200, required=False),
        }
        self.fields |= {f"{part}_{number}": field for part, field in own.items()}

    @property
    def leading(self) -> list[BoundField]:
        return []

    @property
    def rows(self) -> list[ProcedureRow]:
        """The rows of the page; those that hold something come open."""
        found = []
        for number in range(MOST):
            bound = [self[f"{part}_{number}"] for part in self.PARTS]
            found.append(ProcedureRow(number + 1, bound, any(one.value() for one in bound)))
        return found

    @property
    def shown_rows(self) -> list[ProcedureRow]:
        """The filled rows and one empty one; without scripts a further one comes with each save."""
        filled = sum(row.is_filled for row in self.rows)
        return self.rows[: min(MOST, filled + 1)]

    @property
    def further_rows(self) -> list[ProcedureRow]:
        """The other empty ones."""
        return self.rows[len(self.shown_rows) :]

    def clean(self) -> dict[str, Any]:
        """A treatment has a kind; its time is possible."""
        given = super().clean()
        for number in range(MOST):
            self._clean_row(number, given)
        return given

    def _clean_row(self, number: int, given: dict[str, Any]) -> None:
        kind, year, month, what, problem = (given.get(f"{p}_{number}") for p in self.PARTS)
        if (year or month or what or problem) and not kind:
            self.add_error(f"kind_{number}", gettext("Say which treatment it was."))
        if month and not year and f"year_{number}" not in self.errors:
            self.add_error(f"year_{number}", gettext("Add the year."))
        born, today = self.asking.patient.birth_date, self.asking.today
        if year and not is_possible(year, int(month) if month else None, born=born, today=today):
            self.add_error(f"year_{number}", gettext("This is not a time in your past."))

    @classmethod
    def initial_of(cls, history: History) -> dict[str, Any]:
        initial = super().initial_of(history)
        for number, one in enumerate(history.procedures[:MOST]):
            year, _dash, month = one.get("on", "").partition("-")
            initial |= {
                f"kind_{number}": one.get("kind", ""),
                f"year_{number}": year,
                f"month_{number}": month.lstrip("0"),
                f"what_{number}": one.get("what", ""),
                f"problem_{number}": one.get("problem", ""),
            }
        return initial

    def values(self) -> dict[str, Any]:
        rows = [self._row(number) for number in range(MOST)]
        return super().values() | {"procedures": [row for row in rows if row]}

    def _row(self, number: int) -> dict[str, str]:
        kind, year, month, what, problem = (
            self.cleaned_data.get(f"{part}_{number}") for part in self.PARTS
        )
        if not kind:
            return {}
        on = f"{year}-{int(month):02d}" if year and month else str(year or "")
        return {"kind": kind, "on": on, "what": what, "problem": problem}


class SkinForm(StepForm):
    step = "skin"
    title = _("Your skin")
    after_ticks = ("cold_sores",)

    cold_sores = yes_no(
        _("Do you get cold sores?"),
        help_text=_("Needles near the lips can bring them back; there is a medicine against it."),
    )

    @classmethod
    def initial_of(cls, history: History) -> dict[str, Any]:
        known = cls.step in steps_done(history)
        return super().initial_of(history) | {
            "cold_sores": said(history.cold_sores) if known or history.cold_sores else ""
        }

    def values(self) -> dict[str, Any]:
        return super().values() | {"cold_sores": self.cleaned_data["cold_sores"] == "yes"}


class HopesForm(StepForm):
    """Needles, appearance, hopes; and the BDDQ-AS, in the clinic's own wording or by number."""

    step = "hopes"
    title = _("Needles, and what you hope for")
    after_ticks = ("expectations",)

    fear_of_needles = yes_no(
        _("Are you afraid of needles?"),
        help_text=_("Many people are. We can plan for it, and some methods need none."),
    )
    expectations = forms.CharField(
        label=_("What do you hope for?"),
        widget=forms.Textarea({"rows": 4}),
        max_length=2000,
        required=False,
    )

    def __init__(self, *args: Any, known: Iterable[Question], **kw: Any) -> None:
        every = list(known)
        super().__init__(*args, known=every, **kw)
        items = [one.text for one in every if one.kind == BDDQ]
        if not items and self.asking.at_desk:
            items = [gettext("Question %(n)s") % {"n": n} for n in range(1, BDDQ_ITEMS + 1)]
        for number, text in enumerate(items, start=1):
            self.fields[f"bddq_{number}"] = _bddq_field(number, text)
        if self.asking.at_desk:
            self.fields["cops"] = forms.IntegerField(
                label=_("COPS, total"),
                help_text=_("0 to 72, from your own copy of the questionnaire."),
                min_value=0,
                max_value=COPS_HIGHEST,
                required=False,
            )

    @property
    def bddq_names(self) -> list[str]:
        """The fields of the BDDQ-AS, where it is asked."""
        return [name for name in self.fields if name.startswith("bddq_")]

    @property
    def leading(self) -> list[BoundField]:
        return [self["fear_of_needles"]]

    @property
    def scales(self) -> list[BoundField]:
        """The items of the questionnaires on appearance."""
        return [self[name] for name in (*self.bddq_names, "cops") if name in self.fields]

    def clean(self) -> dict[str, Any]:
        """All seven, or none: a score needs every answer."""
        given = super().clean()
        missing = [name for name in self.bddq_names if not given.get(name)]
        if missing and len(missing) < BDDQ_ITEMS:
            for name in missing:
                if name not in self.errors:
                    self.add_error(name, gettext("Answer all seven, or none of them."))
        return given

    @classmethod
    def initial_of(cls, history: History) -> dict[str, Any]:
        known = cls.step in steps_done(history)
        fear = said(history.fear_of_needles) if known or history.fear_of_needles else ""
        initial = super().initial_of(history)
        initial |= {"fear_of_needles": fear, "expectations": history.expectations}
        for number, answer in enumerate(history.psychology.get("bddq") or [], start=1):
            initial[f"bddq_{number}"] = str(answer) if number in GRADED else said(answer)
        return initial | {"cops": history.psychology.get("cops")}

    def values(self) -> dict[str, Any]:
        given = self.cleaned_data
        psychology: dict[str, Any] = {}
        if self.bddq_names and all(given.get(name) for name in self.bddq_names):
            psychology["bddq"] = [self._graded(n) for n in range(1, BDDQ_ITEMS + 1)]
        if given.get("cops") is not None:
            psychology["cops"] = given["cops"]
        return super().values() | {
            "fear_of_needles": given["fear_of_needles"] == "yes",
            "expectations": given["expectations"],
            "psychology": psychology,
        }

    def _graded(self, number: int) -> bool | int:
        answer = self.cleaned_data[f"bddq_{number}"]
        return int(answer) if number in GRADED else answer == "yes"


def _bddq_field(number: int, text: str) -> forms.ChoiceField:
    grades = [(str(n), str(n)) for n in range(LOWEST_GRADE, HIGHEST_GRADE + 1)]
    return forms.ChoiceField(
        label=text,
        choices=grades if number in GRADED else YES_NO,
        widget=forms.RadioSelect,
        required=False,
    )


class SignForm(ClinicForm):
    """The last step: sign what was checked, by hand or with a typed name."""

    signed_name = forms.CharField(
        label=_("Your full name"),
        help_text=_("By signing you confirm that your answers are true and complete."),
        max_length=200,
        widget=forms.TextInput({"autocomplete": "name"}),
        error_messages={"required": _("Type your full name to sign.")},
    )
    signature = SignatureField()

    @property
    def signing(self) -> dict[str, Any]:
        """What the actions take of a signature."""
        signature: Signature = self.cleaned_data["signature"]
        drawn = signature.is_drawn
        return {
            "signed_name": self.cleaned_data["signed_name"],
            "how": Signing.DRAWN if drawn else Signing.TYPED,
            "svg": signature.svg if drawn else "",
            "strokes": signature.strokes if drawn else None,
        }


class DeskSignForm(SignForm):
    """The same at the desk, where the patient may be on the telephone."""

    told = forms.BooleanField(
        label=_("The patient is not here and told me these answers: not signed"), required=False
    )

    def __init__(self, *args: Any, **kw: Any) -> None:
        super().__init__(*args, **kw)
        self.fields["signature"].required = False

    def clean(self) -> dict[str, Any]:
        """One of the two: a signature, or that there is none."""
        given: dict[str, Any] = super().clean() or self.cleaned_data
        if "signature" in self.errors:
            return given
        if given.get("signature") and given.get("told"):
            self.add_error("told", gettext("There is a signature: then do not tick this."))
        elif not given.get("signature") and not given.get("told"):
            self.add_error("signature", gettext("Sign in the box, or type your full name."))
        return given

    @property
    def signing(self) -> dict[str, Any]:
        if self.cleaned_data["told"]:
            return {"signed_name": self.cleaned_data["signed_name"], "how": Signing.TOLD}
        return super().signing


class ReviewForm(ClinicForm):
    """What the practitioner adds to the review."""

    note = forms.CharField(
        label=_("Note of the review"),
        max_length=1000,
        required=False,
        widget=forms.Textarea({"rows": 2}),
    )


STEP_FORMS: dict[str, type[StepForm]] = {
    form.step: form
    for form in (
        AboutForm,
        PregnancyForm,
        ConditionsForm,
        MedicinesForm,
        AllergiesForm,
        RecentForm,
        SkinForm,
        HopesForm,
    )
}
