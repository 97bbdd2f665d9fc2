"""Settings: how a location watches over its patients, and the way to what it asks them when."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from aftercare.watch.forms import RulesForm
from aftercare.watch.models import rules_of
from aftercare.watch.ruling import save_rules
from clinic.access.permissions import Permission, requires
from clinic.access.request import location_of, staff_of
from treatments.catalogue.models import CheckInTime


@requires(Permission.MANAGE_CLINIC)
@require_http_methods(["GET", "POST"])
def index(request: HttpRequest) -> HttpResponse:
    """When a red flag is late and who hears of it, when silence is silence, what a result needs."""
    place = location_of(request)
    form = RulesForm(request.POST or None, instance=rules_of(place), place=place)
    if request.method == "POST" and form.is_valid():
        save_rules(by=staff_of(request), location=place, **form.cleaned_data)
        messages.success(request, _("Saved."))
        return redirect("watch-settings:index")
    times = CheckInTime.objects.current().order_by("hours", "applies_to")
    context = {"form": form, "place": place, "times": times}
    return render(
        request, "aftercare/watch_settings.html", context, status=422 if form.errors else 200
    )
