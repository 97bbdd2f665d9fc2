"""The check-in a patient answers, what came of a call, stopping the watch, and its rules."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from crispy_forms.layout import Div, Layout
from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from aftercare.sheets.words import FALLBACK
from aftercare.watch.models import Call, CallAttempt, CheckIn, WatchRules
from aftercare.watch.planning import own_choices
from aftercare.watch.signs import words_of
from aftercare.watch.tongue import ONLY_THE_PAGES, Tongue
from clinic.access.models import Staff
from clinic.imaging.pictures import too_large
from clinic.places.models import Location
from clinic.web.forms import ClinicForm, ClinicModelForm
from clinic.web.uploads import was_dropped
from patients.intake.forms import TickField
from patients.photos.forms import ACCEPTED
from treatments.diary.slots import NoSuchTimeError, instant

UNSAID = ("", "---------")


class CheckInForm(ClinicForm):
    """The signs asked for, an explicit "none of these", words of one's own, a score, a photo."""

    signs = TickField(
        label=_("What do you notice today?"),
        widget=forms.CheckboxSelectMultiple,
    )
    well = forms.BooleanField(label=_("None of these: all is as expected"), required=False)
    own_value = forms.TypedChoiceField(
        label=_("Compared with before the treatment, how does it look to you now?"),
        coerce=Decimal,
        empty_value=None,
        required=False,
        widget=forms.RadioSelect,
    )
    note = forms.CharField(
        label=_("Anything else you want us to know"),
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=1000,
        required=False,
    )
    photo = forms.FileField(
        label=_("A photo, if you wish"),
        required=False,
        widget=forms.FileInput({"accept": ACCEPTED}),
        help_text=_("It is kept in your medical record, which you allow by sending it."),
    )

    def __init__(
        self, *args: Any, check_in: CheckIn, tongue: Tongue = ONLY_THE_PAGES, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        signs, own = self.fields["signs"], own_choices(check_in)
        assert isinstance(signs, forms.MultipleChoiceField)
        signs.choices = [
            (sign["code"], tongue.beside(words_of(sign), str(sign["en"])))
            for sign in check_in.asked
        ]
        if own:
            with override(FALLBACK):
                english = dict(own_choices(check_in))
            self.fields["own_value"].choices = [  # type: ignore[attr-defined]
                (value, tongue.beside(words, english[value])) for value, words in own
            ]
        else:
            del self.fields["own_value"]
        if check_in.time is None or not check_in.time.wants_photo:
            del self.fields["photo"]

    def clean_photo(self) -> UploadedFile[Any] | None:
        """A file that was small enough to be held."""
        file: UploadedFile[Any] | None = self.cleaned_data["photo"]
        if file is not None and was_dropped(file):
            raise ValidationError(too_large())
        return file


class CallForm(ClinicForm):
    """Whether anybody answered, and what came of it; or when the patient is called again."""

    result = forms.ChoiceField(
        label=_("You called, and"),
        choices=CallAttempt.Result,
        widget=forms.RadioSelect,
        error_messages={"required": _("Say whether anybody answered.")},
    )
    outcome = forms.CharField(
        label=_("Outcome"),
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=2000,
        required=False,
    )
    ending = forms.ChoiceField(
        label=_("How it ended"),
        choices=[UNSAID, *Call.Ending.choices],
        required=False,
        help_text=_("Left empty, the call stays on the list and is due again."),
    )
    again_on = forms.DateField(
        label=_("Call again on"),
        required=False,
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
    )
    again_time = forms.TimeField(
        label=_("At"), required=False, widget=forms.TimeInput({"type": "time"}, format="%H:%M")
    )

    def __init__(self, *args: Any, zone: ZoneInfo, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone = zone
        again = Div("again_on", "again_time", css_class="form-row")
        self.helper.layout = Layout("result", "outcome", "ending", again)

    def clean(self) -> dict[str, Any]:
        """`again_at`: the moment on the location's clock, where one was typed."""
        values: dict[str, Any] = super().clean() or self.cleaned_data
        day, at = values.pop("again_on", None), values.pop("again_time", None)
        values["again_at"] = None
        if (day is None) != (at is None) and not {"again_on", "again_time"} & set(self.errors):
            self.add_error("again_on" if day is None else "again_time", _("Both are needed."))
        elif day is not None and at is not None:
            values["again_at"] = self._moment(day, at)
        return values

    def _moment(self, day: Any, at: Any) -> datetime | None:
        try:
            return instant(day, at, self.zone)
        except (NoSuchTimeError, OverflowError):
            self.add_error("again_time", _("The clocks skip this time on that day."))
            return None


class StopForm(ClinicForm):
    """Why nothing more is asked."""

    reason = forms.CharField(label=_("Reason"), max_length=300)


class RulesForm(ClinicModelForm):
    """How this location watches over its patients, and who hears of a red flag."""

    also_told = forms.ModelMultipleChoiceField(
        label=_("Also told of every red flag at once"),
        queryset=Staff.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_(
            "Besides who treated and the practitioners on duty, who always are; at any hour, by "
            "e-mail, and by SMS where there is a number and a gateway."
        ),
    )

    class Meta:
        model = WatchRules
        fields = ("red_minutes", "escalate_minutes", "silent_hours", "least_patients")
        help_texts = {
            "escalate_minutes": _(
                "Everybody of this location then gets a message. Patients’ names are in none."
            ),
            "red_minutes": _("After that it is shown as late, and a colleague may take it over."),
            "silent_hours": _("Counted from the question."),
            "least_patients": _(
                "Of fewer, somebody could be recognised, and chance decides what is seen."
            ),
        }

    def __init__(self, *args: Any, place: Location, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = Staff.objects.employed_at(place.pk)
        self.fields["also_told"].queryset = people  # type: ignore[attr-defined]
        self.initial["also_told"] = list(place.also_told.values_list("staff", flat=True))
        self.helper.layout = Layout(
            "red_minutes", "escalate_minutes", "also_told", "silent_hours", "least_patients"
        )
