"""The note as a form. A draft may be incomplete; what is missing is asked for when it is signed."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import cached_property
from itertools import groupby
from typing import Any

from django import forms
from django.forms import BoundField
from django.utils.translation import gettext_lazy as _

from clinic.web.forms import ClinicForm
from treatments.catalogue.models import Area, NoteTemplate, RiskLine
from treatments.consultations.alternatives import ALTERNATIVES
from treatments.consultations.indications import indication_choices, indication_name
from treatments.consultations.models import Consultation
from treatments.consultations.signs import SIGNS, part_of
from treatments.consultations.skin import Question, current_scales, kept_answers, questions_of
from treatments.scales.actions import ScoreEntry, field_name
from treatments.scales.forms import ScaleGroup, entries_of, groups_of, initial_of, items_as_fields
from treatments.scales.reading import ScaleView
from treatments.scales.reading import current_scales as scales_in_force

SKIN_TYPES = (
    (1, _("I: always burns, never tans")),
    (2, _("II: usually burns, tans minimally")),
    (3, _("III: sometimes burns, tans")),
    (4, _("IV: rarely burns, tans well")),
    (5, _("V: very rarely burns")),
    (6, _("VI: never burns")),
)
GROUPS = {
    "face": _("Face"),
    "eyes": _("Around the eyes"),
    "lips": _("Lips"),
    "neck-decollete-hands": _("Neck, décolleté and hands"),
    "scalp": _("Scalp"),
    "body": _("Body"),
}
SIDES = (
    ("none", _("no side")),
    ("left", _("left")),
    ("right", _("right")),
    ("both", _("both sides")),
)
MOST_ROWS = 60
ROW = re.compile(r"f-(\d{1,3})-area")
TEXTS = ("concern", "examination", "discussion", "alternatives", "advice", "decision_reason")
SECTION_OF_FIELD = {
    "areas": "findings",
    "fitzpatrick": "skin",
    "alternatives_named": "alternatives",
    "decision_reason": "decision",
    "refer_to": "decision",
    "think_until": "decision",
}


class _AskedLater:
    """Needed to sign, so not marked optional; a draft may still be saved without it."""

    def validate(self, value: Any) -> None:
        """Judge only what was given."""
        if value not in self.empty_values:  # type: ignore[attr-defined]
            super().validate(value)  # type: ignore[misc]


class _Words(_AskedLater, forms.CharField):
    """Lines end with one sign, as in what templates and actions write: the same is the same."""

    def to_python(self, value: Any) -> str:
        return (super().to_python(value) or "").replace("\r\n", "\n")


class _Choices(_AskedLater, forms.MultipleChoiceField):
    pass


class _Choice(_AskedLater, forms.ChoiceField):
    pass


class _Number(_AskedLater, forms.TypedChoiceField):
    pass


class _Day(_AskedLater, forms.DateField):
    pass


def _words(label: Any, longest: int, rows: int, help_text: Any = "") -> forms.CharField:
    return _Words(
        label=label,
        max_length=longest,
        help_text=help_text,
        widget=forms.Textarea({"rows": rows}),
    )


class FindingForm(forms.Form):
    """What is seen on one area and side. A row without an area and without words does not count."""

    use_required_attribute = False
    area = forms.ChoiceField(
        label=_("Area"), required=False, widget=forms.Select({"class": "form-select"})
    )
    side = forms.ChoiceField(
        label=_("Side"),
        choices=SIDES,
        required=False,
        widget=forms.Select({"class": "form-select"}),
    )
    signs = forms.MultipleChoiceField(
        label=_("Seen or felt"),
        choices=[(sign.code, sign.name) for sign in SIGNS],
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    words = forms.CharField(
        label=_("In words"),
        max_length=500,
        required=False,
        widget=forms.TextInput({"class": "form-control", "autocomplete": "off"}),
    )

    def __init__(self, *args: Any, areas: AreaChoices, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.areas = areas
        self.fields["area"].choices = areas.choices  # type: ignore[attr-defined]

    @property
    def chips(self) -> list[tuple[Any, str]]:
        """Each tick with the parts of the body it is offered on."""
        return list(zip(self["signs"].subwidgets, (sign.where for sign in SIGNS), strict=True))

    @property
    def is_blank(self) -> bool:
        """The row at the end, waiting for an area."""
        return not self["area"].value()

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        area, side = data.get("area"), data.get("side") or "none"
        if not area and (data.get("words") or data.get("signs")):
            self.add_error("area", _("Choose the area that this is about."))
        data["side"] = side if area in self.areas.sided else "none"
        return data

    @property
    def value(self) -> dict[str, Any] | None:
        """The finding as the note keeps it."""
        data = self.cleaned_data
        if not data.get("area"):
            return None
        return {name: data[name] for name in ("area", "side", "signs", "words")}


class AreaChoices:
    """The areas in force, grouped; read once for all rows."""

    def __init__(self) -> None:
        self.rows = list(Area.objects.current().order_by("group", "pk"))
        self.sided = {row.code for row in self.rows if row.is_sided}
        self.parts = {row.code: part_of(row.group) for row in self.rows}

    @property
    def parts_json(self) -> str:
        """Area -> part of the body, for the page's script."""
        return json.dumps(self.parts)

    @property
    def sided_json(self) -> str:
        """The areas that have a left and a right."""
        return json.dumps(sorted(self.sided))

    @cached_property
    def choices(self) -> list[tuple[str, Any]]:
        """For a select with a heading per part of the body."""
        grouped = groupby(self.rows, key=lambda row: row.group)
        listed = [
            (str(GROUPS.get(group, group)), [(row.code, row.name) for row in rows])
            for group, rows in grouped
        ]
        return [("", _("Choose an area")), *listed]


class ConsultationForm(ClinicForm):
    """The draft. `revision` is the one the page was opened with, `writer` whose page it is."""

    use_required_attribute = False
    revision = forms.IntegerField(min_value=0, widget=forms.HiddenInput)
    writer = forms.IntegerField(required=False, widget=forms.HiddenInput)
    scales = forms.MultipleChoiceField(required=False, widget=forms.MultipleHiddenInput)
    areas = forms.CharField(required=False, label=_("Areas"), widget=forms.HiddenInput)
    concern = _words(_("Concern, in the patient's words"), 4000, 3)
    indications = _Choices(label=_("Indications"), widget=forms.CheckboxSelectMultiple)
    examination = _words(_("Examination"), 8000, 5)
    fitzpatrick = _Number(
        label=_("Skin type (Fitzpatrick)"),
        choices=SKIN_TYPES,
        coerce=int,
        empty_value=None,
        widget=forms.RadioSelect,
    )
    explained = _Choices(label=_("Risks explained"), widget=forms.CheckboxSelectMultiple)
    discussion = _words(_("What was explained"), 8000, 5)
    alternatives_named = _Choices(
        label=_("Alternatives named"), choices=ALTERNATIVES, widget=forms.CheckboxSelectMultiple
    )
    alternatives = _words(
        _("Alternatives discussed"),
        4000,
        3,
        _("Less risky treatments, other methods, doing nothing."),
    )
    decision = _Choice(
        label=_("Decision"),
        choices=Consultation.Decision.choices,
        widget=forms.RadioSelect,
    )
    refer_to = _Words(label=_("Referred to"), max_length=200)
    think_until = _Day(
        label=_("To think it over until"),
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
    )
    decision_reason = _words(_("Reason"), 2000, 2)
    advice = _words(_("Advice"), 4000, 3)

    def __init__(self, *args: Any, note: Consultation, writer: int = 0, **kwargs: Any) -> None:
        self.note = note
        self.scores = list(note.scores.select_related("scale").order_by("pk"))
        kwargs.setdefault(
            "initial", {**_initial(note), **initial_of(self.scores), "writer": writer}
        )
        super().__init__(*args, **kwargs)
        self.skin = current_scales()
        self.questions: list[Question] = questions_of(self.skin.used)
        self._offer_indications(note.indications)
        self._offer_risks()
        self.areas_offered = AreaChoices()
        for question in self.questions:
            self.fields[f"skin_{question.code}"] = _Number(
                label=question.text,
                choices=question.answers,
                coerce=int,
                empty_value=None,
                widget=forms.RadioSelect,
            )
        self.all_scales = scales_in_force()
        self.fields["scales"].choices = [(v.code, v.name) for v in self.all_scales]  # type: ignore[attr-defined]
        self.shown = self._shown_scales()
        for view in self.shown:
            for side in view.sides:
                self.fields.update(items_as_fields(view, side))

    def _offer_indications(self, kept: Sequence[str]) -> None:
        """The current ones, and those of this note that the catalogue no longer has."""
        choices = indication_choices()
        known = {code for code, _name in choices}
        choices += [(code, indication_name(code)) for code in kept if code not in known]
        self.fields["indications"].choices = choices  # type: ignore[attr-defined]

    def _offer_risks(self) -> None:
        """What every consent names, what lies under an area, and what was ticked before."""
        ticked = {row["code"] for row in self.note.explained}
        rows = RiskLine.objects.current().order_by("position", "pk")
        self.risks = [
            row
            for row in rows
            if row.applies_to in ("base", "thorax", f"country:{self.note.location.country_id}")
            or row.code in ticked
        ]
        self.fields["explained"].choices = [(r.code, r.said("text")) for r in self.risks]  # type: ignore[attr-defined]

    def _given(self, name: str, kept: Sequence[str]) -> list[str]:
        return self.data.getlist(name) if self.is_bound else list(kept)  # type: ignore[attr-defined]

    def _shown_scales(self) -> list[ScaleView]:
        """Answered ones in the version answered; those added; those an indication asks for."""
        answered = {score.scale.code: ScaleView(score.scale) for score in self.scores}
        indications = set(self._given("indications", self.note.indications))
        added = {*self._given("scales", self.note.scales), *self._given("add_scale", ())}
        offered = added | offered_scales(self.all_scales, indications)
        suited = [view for view in self.all_scales if view.code in offered or self._is_sent(view)]
        named = {view.code: view for view in suited} | answered
        return sorted(named.values(), key=lambda view: view.name)

    def _is_sent(self, view: ScaleView) -> bool:
        """A page that was left may answer a scale that nothing asks for any more."""
        starts = tuple(field_name(view.code, side, "") for side in view.sides)
        return self.is_bound and any(name.startswith(starts) for name in self.data)

    @cached_property
    def scale_groups(self) -> list[ScaleGroup]:
        """Each shown scale with its fields and its score as last saved."""
        return groups_of(self, self.shown, self.scores)

    @property
    def other_scales(self) -> list[ScaleView]:
        """Those that may be added."""
        shown = {view.code for view in self.shown}
        return [view for view in self.all_scales if view.code not in shown]

    @property
    def shape(self) -> str:
        """What the page is made of beyond its values: changes when a part must be drawn anew."""
        return ",".join(view.code for view in self.shown)

    @cached_property
    def rows(self) -> list[FindingForm]:
        """One row per area and side, and a blank one at the end."""
        kept = _finding_rows(self.note)
        if not self.is_bound:
            return [
                FindingForm(prefix=f"f-{number}", initial=row, areas=self.areas_offered)
                for number, row in enumerate([*kept, {"side": "both"}])
            ]
        sent = (ROW.fullmatch(name) for name in self.data)
        numbers = sorted({int(found[1]) for found in sent if found})[:MOST_ROWS]
        rows = [
            FindingForm(self.data, prefix=f"f-{number}", areas=self.areas_offered)
            for number in numbers
        ]
        if not rows or not rows[-1].is_blank:
            after = numbers[-1] + 1 if numbers else 0
            rows.append(FindingForm(prefix=f"f-{after}", areas=self.areas_offered))
        return rows

    @property
    def skin_fields(self) -> list[BoundField]:
        """The ten questions, in order."""
        return [self[f"skin_{question.code}"] for question in self.questions]

    def clean_scales(self) -> list[str]:
        """Those that were there, and the one chosen without scripts."""
        chosen: list[str] = self.cleaned_data["scales"]
        added = self.data.get("add_scale", "")
        known = {view.code for view in self.all_scales}
        return [*chosen, added] if added in known and added not in chosen else chosen

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        for row in self.rows:
            if row.is_bound and not row.is_valid():
                messages = [str(one) for errors in row.errors.values() for one in errors]
                self.add_error("areas", messages)
        return data

    @property
    def wrong_sections(self) -> set[str]:
        """The sections that hold something which cannot be kept."""
        return {section_of(name) for name in self.errors}

    @property
    def values(self) -> dict[str, Any]:
        """What `save_consultation` takes; of a form with errors only what is whole."""
        data = self.cleaned_data
        plain = (*TEXTS, "indications", "fitzpatrick", "alternatives_named", "decision")
        found = {name: data[name] for name in (*plain, "refer_to", "think_until") if name in data}
        found["scales"] = data.get("scales", [])
        if "areas" not in self.errors:
            found |= self._findings()
        if "explained" in data:
            versions = {row.code: row.version for row in self.risks}
            before = {row["code"]: row["version"] for row in self.note.explained}
            found["explained"] = [
                {"code": code, "version": before.get(code, versions[code])}
                for code in data["explained"]
            ]
        answers = {
            question.code: data[f"skin_{question.code}"]
            for question in self.questions
            if data.get(f"skin_{question.code}") is not None
        }
        found["fitzpatrick_answers"] = kept_answers(self.skin, answers)
        return found

    def _findings(self) -> dict[str, Any]:
        values = [row.value for row in self.rows if row.is_bound]
        findings = [value for value in values if value is not None]
        return {
            "findings": findings,
            "areas": list(dict.fromkeys(row["area"] for row in findings)),
        }

    @property
    def entries(self) -> list[ScoreEntry]:
        """The answers to the scales that the page showed."""
        return entries_of(self.shown, self.cleaned_data)


def offered_scales(scales: Sequence[ScaleView], indications: set[str]) -> set[str]:
    """The scales that the indications ask for: by their templates, else all that are made for them.

    The clinic says in a template which scales it wants; the others can still be added.
    """
    if not indications:
        return set()
    rows = NoteTemplate.objects.current().filter(indication__in=indications)
    wanted = {row.indication: set(row.scales) for row in rows}
    without = indications - set(wanted)
    made_for = {view.code for view in scales if without & set(view.row.indications)}
    return made_for.union(*wanted.values())


def section_of(field: str) -> str:
    """The section that a field belongs to."""
    if field.startswith("score-"):
        return "scales"
    if field.startswith("skin_"):
        return "skin"
    return SECTION_OF_FIELD.get(field, field)


def _finding_rows(note: Consultation) -> list[dict[str, Any]]:
    """The findings; a note that only names areas has a row for each."""
    named = {row["area"] for row in note.findings}
    plain = [{"area": code, "side": "none"} for code in note.areas if code not in named]
    return [*note.findings, *plain]


def _initial(note: Consultation) -> dict[str, Any]:
    answers = (note.fitzpatrick_answers or {}).get("answers", {})
    names = ("revision", "indications", "fitzpatrick", "scales", "alternatives_named")
    return {
        **{name: getattr(note, name) for name in (*names, *TEXTS)},
        **{name: getattr(note, name) for name in ("decision", "refer_to", "think_until")},
        "explained": [row["code"] for row in note.explained],
        **{f"skin_{code}": points for code, points in answers.items()},
    }


class AddendumForm(ClinicForm):
    """A later word on a signed note."""

    text = forms.CharField(
        label=_("Addendum"),
        max_length=4000,
        widget=forms.Textarea({"rows": 4}),
    )
    reason = forms.CharField(
        label=_("Why it is written"),
        max_length=300,
    )


class StartForm(forms.Form):
    """Which appointment a note is begun for, if any."""

    appointment = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1)
