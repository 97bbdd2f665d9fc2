"""The note as a form. A draft may be incomplete; what is missing is asked for when it is signed."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from django import forms
from django.forms import BoundField
from django.utils.translation import gettext_lazy as _

from clinic.web.forms import ClinicForm
from treatments.catalogue.models import Area, Scale
from treatments.consultations.indications import indication_choices, indication_name
from treatments.consultations.models import Consultation
from treatments.consultations.skin import Question, current_scale, kept_answers, questions_of

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


class _AskedLater:
    """Needed to sign, so not marked optional; a draft may still be saved without it."""

    def validate(self, value: Any) -> None:
        """Judge only what was given."""
        if value not in self.empty_values:  # type: ignore[attr-defined]
            super().validate(value)  # type: ignore[misc]


class _Words(_AskedLater, forms.CharField):
    pass


class _Choices(_AskedLater, forms.MultipleChoiceField):
    pass


class _Choice(_AskedLater, forms.ChoiceField):
    pass


class _Number(_AskedLater, forms.TypedChoiceField):
    pass


def _words(label: Any, longest: int, rows: int, help_text: Any = "") -> forms.CharField:
    return _Words(
        label=label,
        max_length=longest,
        help_text=help_text,
        widget=forms.Textarea({"rows": rows}),
    )


class ConsultationForm(ClinicForm):
    """The draft. `revision` is the one the page was opened with."""

    use_required_attribute = False
    revision = forms.IntegerField(min_value=0, widget=forms.HiddenInput)
    concern = _words(_("Concern, in the patient's words"), 4000, 3)
    indications = _Choices(label=_("Indications"), widget=forms.CheckboxSelectMultiple)
    areas = _Choices(label=_("Areas"), widget=forms.CheckboxSelectMultiple)
    examination = _words(_("Examination"), 8000, 5)
    fitzpatrick = _Number(
        label=_("Skin type (Fitzpatrick)"),
        choices=SKIN_TYPES,
        coerce=int,
        empty_value=None,
        widget=forms.RadioSelect,
    )
    discussion = _words(_("What was explained"), 8000, 5)
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

    def __init__(self, *args: Any, note: Consultation, **kwargs: Any) -> None:
        kwargs.setdefault("initial", _initial(note))
        super().__init__(*args, **kwargs)
        self.scale: Scale | None = current_scale()
        self.questions: list[Question] = questions_of(self.scale)
        self._offer_indications(note.indications)
        rows = list(Area.objects.current().order_by("group", "pk"))
        self.fields["areas"].choices = [(row.code, row.name) for row in rows]  # type: ignore[attr-defined]
        self.group_of = {row.code: row.group for row in rows}
        for question in self.questions:
            self.fields[f"skin_{question.code}"] = _Number(
                label=question.text,
                choices=question.answers,
                coerce=int,
                empty_value=None,
                widget=forms.RadioSelect,
            )

    def _offer_indications(self, kept: Sequence[str]) -> None:
        """The current ones, and those of this note that the catalogue no longer has."""
        choices = indication_choices()
        known = {code for code, _name in choices}
        choices += [(code, indication_name(code)) for code in kept if code not in known]
        self.fields["indications"].choices = choices  # type: ignore[attr-defined]

    @property
    def skin_fields(self) -> list[BoundField]:
        """The ten questions, in order."""
        return [self[f"skin_{question.code}"] for question in self.questions]

    @property
    def area_groups(self) -> list[tuple[str, list[Any], int]]:
        """Areas by part of the body: name, boxes, and how many of them are ticked."""
        boxes = list(self["areas"].subwidgets)
        grouped = groupby(boxes, key=lambda box: self.group_of.get(str(box.data["value"]), ""))
        found = []
        for group, members in grouped:
            listed = list(members)
            ticked = sum(bool(box.data["selected"]) for box in listed)
            found.append((str(GROUPS.get(group, group)), listed, ticked))
        return found

    @property
    def values(self) -> dict[str, Any]:
        """What `save_consultation` takes."""
        data = self.cleaned_data
        answers = {
            question.code: data[f"skin_{question.code}"]
            for question in self.questions
            if data.get(f"skin_{question.code}") is not None
        }
        kept = ("concern", "indications", "areas", "examination", "fitzpatrick")
        return {
            **{name: data[name] for name in (*kept, "discussion", "alternatives", "decision")},
            "fitzpatrick_answers": kept_answers(self.scale, answers),
        }


def _initial(note: Consultation) -> dict[str, Any]:
    answers = (note.fitzpatrick_answers or {}).get("answers", {})
    names = ("revision", "concern", "indications", "areas", "examination", "fitzpatrick")
    return {
        **{name: getattr(note, name) for name in (*names, "discussion", "alternatives")},
        "decision": note.decision,
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
