"""Forms of safety: an event, its closing, a trace, a recall, a call, a look-back and its cases."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from crispy_forms.layout import HTML, Div, Layout
from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from aftercare.safety.exposures import Exposure, Kind
from aftercare.safety.models import AdverseEvent, Attempt, EventReport, Grade
from clinic.access.models import Staff
from clinic.places.models import Device, Location, Room
from clinic.web.forms import ClinicForm, ReadOnce
from clinic.web.templatetags.clinic_web import clinical_date
from patients.intake.forms import TickField
from patients.photos.models import Photo
from treatments.catalogue.models import AdverseEventType, Area, Product, Technique
from treatments.diary.slots import midnight
from treatments.plans.models import Side
from treatments.sessions.models import Session
from treatments.stock.models import OpenContainer

FIRST_DAY, LAST_DAY = date(1990, 1, 1), date(2999, 12, 31)
UNSAID = ("", "---------")
"""Before anything is chosen: nothing grave is said by leaving a field as it stands."""
SESSIONS_OFFERED = 30
CONTAINERS_OFFERED = 200


def day_field(label: Any, **kwargs: Any) -> forms.DateField:
    """A day, from a calendar or typed."""
    return forms.DateField(
        label=label,
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        validators=[MinValueValidator(FIRST_DAY), MaxValueValidator(LAST_DAY)],
        **kwargs,
    )


class NamedChoice(forms.ModelChoiceField):  # type: ignore[type-arg]
    """A row by its `name`, read once."""

    iterator = ReadOnce

    def label_from_instance(self, obj: Any) -> str:
        return str(getattr(obj, "name", obj))


class SessionChoice(NamedChoice):
    """A session by its day, number and plan."""

    def label_from_instance(self, obj: Any) -> str:
        day = clinical_date(obj.started_at.astimezone(obj.location.zone).date())
        return f"{day} · {obj.plan.title} · {obj.number}"


class EventForm(ClinicForm):
    """What a practitioner says of an event. The session can be chosen only when it is opened."""

    session = SessionChoice(
        label=_("After which session"),
        queryset=Session.objects.none(),
        required=False,
        empty_label=_("No session of ours"),
        help_text=_("Lots, mixture, device, room and people are taken from its record."),
    )
    kind = NamedChoice(label=_("What it is"), queryset=AdverseEventType.objects.none())
    onset_on = day_field(_("Began on"))
    onset_time = forms.TimeField(
        label=_("At"),
        required=False,
        widget=forms.TimeInput({"type": "time"}, format="%H:%M"),
        help_text=_("Only where it matters and is known."),
    )
    grade = forms.TypedChoiceField(
        label=_("Grade (CTCAE)"), choices=[UNSAID, *Grade.choices], coerce=int
    )
    relatedness = forms.ChoiceField(
        label=_("Related to the treatment"), choices=[UNSAID, *AdverseEvent.Relatedness.choices]
    )
    area = NamedChoice(
        label=_("Area"), queryset=Area.objects.none(), required=False, empty_label=_("No one area")
    )
    side = forms.ChoiceField(label=_("Side"), choices=Side, initial=Side.NONE)
    chart = forms.SlugField(required=False, widget=forms.HiddenInput, max_length=40)
    point_x = forms.FloatField(required=False, widget=forms.HiddenInput, min_value=0, max_value=1)
    point_y = forms.FloatField(required=False, widget=forms.HiddenInput, min_value=0, max_value=1)
    description = forms.CharField(
        label=_("What is seen"), widget=forms.Textarea({"rows": 4}), max_length=4000
    )
    action_taken = forms.CharField(
        label=_("What was done"),
        widget=forms.Textarea({"rows": 3}),
        max_length=4000,
        required=False,
    )
    photos = TickField(
        label=_("Photos that show it"), required=False, widget=forms.CheckboxSelectMultiple
    )
    outcome = forms.ChoiceField(
        label=_("Outcome so far"),
        choices=AdverseEvent.Outcome,
        initial=AdverseEvent.Outcome.ONGOING,
    )
    follow_up_on = day_field(
        _("Look at it again on"),
        required=False,
        help_text=_("Left empty: when the catalogue expects it to be over."),
    )
    revision = forms.IntegerField(required=False, widget=forms.HiddenInput, min_value=0)

    def __init__(
        self,
        *args: Any,
        zone: ZoneInfo,
        sessions: Any = None,
        photos: Sequence[tuple[str, str]] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.zone = zone
        self.fields["kind"].queryset = AdverseEventType.objects.current()  # type: ignore[attr-defined]
        self.fields["area"].queryset = Area.objects.current().order_by("pk")  # type: ignore[attr-defined]
        if sessions is None:
            del self.fields["session"]
        else:
            self.fields["session"].queryset = sessions  # type: ignore[attr-defined]
        if photos:
            self.fields["photos"].choices = photos  # type: ignore[attr-defined]
        else:
            del self.fields["photos"]
        self.helper.layout = Layout(
            *(["session"] if sessions is not None else []),
            "kind",
            Div("onset_on", "onset_time", css_class="form-row"),
            Div("grade", "relatedness", css_class="form-row"),
            Div("area", "side", css_class="form-row"),
            "revision",
            "chart",
            "point_x",
            "point_y",
            HTML("{% include 'aftercare/event_site.html' %}"),
            "description",
            "action_taken",
            *(["photos"] if photos else []),
            Div("outcome", "follow_up_on", css_class="form-row"),
        )

    def clean(self) -> dict[str, Any]:
        """The onset as a moment on the location's clock; a point is all of it or nothing."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        day, at = cleaned.get("onset_on"), cleaned.get("onset_time")
        if day is not None:
            exact = datetime.combine(day, at, tzinfo=self.zone) if at else midnight(day, self.zone)
            cleaned["onset_at"], cleaned["is_timed"] = exact, at is not None
        point = [cleaned.get(name) for name in ("point_x", "point_y")]
        if None in point or not cleaned.get("chart"):
            cleaned |= {"chart": "", "point_x": None, "point_y": None}
        return cleaned


class CloseEventForm(ClinicForm):
    """How it ended, in words."""

    outcome = forms.ChoiceField(
        label=pgettext_lazy("adverse event", "Outcome"),
        choices=[UNSAID, *((one.value, one.label) for one in AdverseEvent.ENDED)],
    )
    words = forms.CharField(
        label=_("Closing words"), widget=forms.Textarea({"rows": 3}), max_length=4000
    )
    revision = forms.IntegerField(required=False, widget=forms.HiddenInput, min_value=0)


class EventAddendumForm(ClinicForm):
    """A later word on a closed event."""

    text = forms.CharField(label=_("Addendum"), widget=forms.Textarea({"rows": 3}), max_length=4000)
    reason = forms.CharField(label=_("Reason"), max_length=300)


class ReportForm(ClinicForm):
    """To whom a report goes."""

    to = forms.ChoiceField(label=_("For"), choices=EventReport.To)


class ContainerChoice(NamedChoice):
    """An opened container by lot and the moment it was opened."""

    def label_from_instance(self, obj: Any) -> str:
        opened = obj.opened_at.astimezone(obj.lot.location.zone)
        return f"{obj.lot.number} · {obj.lot.product.name} · {clinical_date(opened)} {opened:%H:%M}"


class ProductsChoice(forms.MultipleChoiceField):
    """Products by their codes."""


class TraceForm(ClinicForm):
    """By what the exposed are sought; only the field of the chosen kind is read."""

    by = forms.ChoiceField(choices=Kind, required=False, widget=forms.HiddenInput)
    lot = forms.CharField(
        label=_("Lot number"),
        required=False,
        max_length=60,
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"}),
    )
    product = forms.ChoiceField(label=_("Product"), required=False)
    mix = ProductsChoice(
        label=_("Together in one syringe, and nothing else"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    container = ContainerChoice(
        label=_("Opened container"), queryset=OpenContainer.objects.none(), required=False
    )
    device = NamedChoice(label=_("Device"), queryset=Device.objects.none(), required=False)
    room = NamedChoice(label=_("Room"), queryset=Room.objects.none(), required=False)
    practitioner = NamedChoice(
        label=_("Practitioner"), queryset=Staff.objects.none(), required=False
    )
    technique = forms.ChoiceField(label=_("Technique"), required=False)
    since = day_field(_("Treated from"), required=False)
    until = day_field(_("To"), required=False)

    def __init__(self, data: Any, *, staff: Staff) -> None:
        super().__init__()
        places = staff.place_ids
        self.kind = data.get("by") if data.get("by") in Kind.values else Kind.LOT.value
        keep = {"by", "since", "until", self.kind, *({"product"} if self.kind == "lot" else ())}
        for name in [name for name in self.fields if name not in keep]:
            del self.fields[name]
        self._offer(places)
        self.asks = any(data.get(name) for name in self._asked_by)
        if self.asks:
            self.is_bound, self.data = True, data
        if self.kind in self.fields:
            self.fields[self.kind].required = True

    def _offer(self, places: Sequence[int]) -> None:
        """The choices of the one field that is there."""
        if self.kind in ("product", "mix"):
            rows = [(row.code, row.name) for row in Product.objects.current()]
            empty = [] if self.kind == "mix" else [UNSAID]
            self.fields[self.kind].choices = [*empty, *rows]  # type: ignore[attr-defined]
        elif self.kind == "technique":
            rows = [(row.code, row.name) for row in Technique.objects.current()]
            self.fields["technique"].choices = [UNSAID, *rows]  # type: ignore[attr-defined]
        elif self.kind == "lot":
            self.fields["product"] = forms.SlugField(required=False, widget=forms.HiddenInput)
        elif self.kind in ("container", "device", "room", "practitioner"):
            self.fields[self.kind].queryset = _rows(self.kind, places)  # type: ignore[attr-defined]
        if self.kind == "container":
            self._offer_newest()

    def _offer_newest(self) -> None:
        """Any container may be asked for by its address; the newest ones are offered."""
        field: Any = self.fields["container"]
        newest = field.queryset[:CONTAINERS_OFFERED]
        field.choices = [UNSAID, *((row.pk, field.label_from_instance(row)) for row in newest)]

    def clean(self) -> dict[str, Any]:
        """The first day is not after the last."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and since > until:
            self.add_error("until", _("This date is before the first one."))
        return cleaned

    @property
    def _asked_by(self) -> tuple[str, ...]:
        """The fields of which one must say something, else nothing is asked yet."""
        return ("since", "until") if self.kind == Kind.WINDOW else (self.kind,)

    def exposure(self, key: tuple[str, ...] | None = None) -> Exposure:
        """What a valid form asks for. `key`: of a lot, once its product is known."""
        said = self.cleaned_data
        if key is None:
            value = said.get(self.kind)
            if self.kind == Kind.MIX:
                key = tuple(sorted(value or ()))
            elif self.kind == Kind.WINDOW:
                key = ()
            else:
                key = (str(getattr(value, "pk", value)),)
        return Exposure(self.kind, key, said.get("since"), said.get("until"))


def _rows(kind: str, places: Sequence[int]) -> Any:
    """What may be chosen at these locations."""
    if kind == "container":
        opened = OpenContainer.objects.filter(lot__location_id__in=places)
        return opened.select_related("lot__product", "lot__location").order_by("-opened_at", "-pk")
    if kind == "device":
        return Device.objects.filter(location_id__in=places)
    if kind == "room":
        return Room.objects.filter(location_id__in=places)
    # Whoever has left is still asked for.
    treated = Session.objects.filter(practitioner=OuterRef("pk"), location_id__in=places)
    return Staff.objects.filter(Exists(treated)).order_by("name")


class RecallForm(ClinicForm):
    """Why, and what the patients' letter says."""

    reason = forms.CharField(label=_("Why"), max_length=500)
    letter_words = forms.CharField(
        label=_("What the letter says"),
        required=False,
        max_length=2000,
        widget=forms.Textarea({"rows": 3}),
        help_text=_(
            "In the patients’ letter alone. The message itself says only to call, or to open the "
            "letter."
        ),
    )


class AttemptForm(ClinicForm):
    """What came of a call."""

    outcome = forms.ChoiceField(
        label=_("What came of it"), choices=[UNSAID, *Attempt.Outcome.choices]
    )
    note = forms.CharField(label=_("Note"), max_length=500, required=False)


class CloseRecallForm(ClinicForm):
    """How it ended, in words."""

    words = forms.CharField(
        label=_("Closing words"), widget=forms.Textarea({"rows": 3}), max_length=2000
    )


class LookBackForm(ClinicForm):
    """A new look-back."""

    title = forms.CharField(label=_("Title"), max_length=160)
    since = day_field(_("Treated from"))
    until = day_field(_("To"))
    places = forms.ModelMultipleChoiceField(
        label=_("Everyone treated at"),
        queryset=Location.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one location.")},
    )
    with_infections = forms.BooleanField(
        label=_("Begin with the infections recorded there since the first day"),
        required=False,
        initial=True,
    )

    def __init__(self, *args: Any, staff: Staff, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["places"]
        field.queryset = Location.objects.filter(pk__in=staff.place_ids).order_by("name")
        field.initial = staff.place_ids
        days = Div("since", "until", css_class="form-row")
        if len(staff.place_ids) > 1:
            self.helper.layout = Layout("title", days, "places", "with_infections")
        else:
            del self.fields["places"]
            self.helper.layout = Layout("title", days, "with_infections")


class CaseForm(ClinicForm):
    """A case by hand: the number of the patient's file, and when it began."""

    number = forms.CharField(label=_("Patient number"), max_length=12)
    onset_on = day_field(_("Began on"))

    def clean_number(self) -> int:
        """The number alone: `P000123` is 123."""
        digits = self.cleaned_data["number"].strip().upper().removeprefix("P")
        if not (digits.isascii() and digits.isdigit() and len(digits) < 10):
            raise forms.ValidationError(_("Write the number as on the file: P000123."))
        return int(digits)


def photo_choices(photos: Sequence[Photo]) -> list[tuple[str, str]]:
    """Photos with their words and days; needs `words`."""
    return [
        (str(one.public_id), f"{getattr(one, 'words', '')} · {clinical_date(one.taken_at.date())}")
        for one in photos
    ]
