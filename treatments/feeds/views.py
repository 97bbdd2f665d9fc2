"""A feed for a calendar program, and the page on which feeds are switched on and off."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST, require_safe

from clinic.access.models import Staff
from clinic.access.permissions import Permission, Role, public, requires
from clinic.access.request import location_of, staff_of
from clinic.audit.actions import record_read
from clinic.errors import ActionRefused
from clinic.places.models import Room
from treatments.feeds.actions import (
    Subject,
    close_feed,
    may_keep,
    open_feed,
    secret_hash,
    set_shows,
)
from treatments.feeds.calendar import calendar_of
from treatments.feeds.limits import guessed_too_often, note_guess, read_too_often
from treatments.feeds.models import Feed


@public
@require_safe
def calendar(request: HttpRequest, token: str) -> HttpResponse:
    """The feed of a secret. Any other secret, and one of somebody who has left, is not there."""
    if guessed_too_often(request):
        return _private(HttpResponse(status=429))
    feeds = Feed.objects.open().select_related("staff", "room__location")
    feed = feeds.filter(token_hash=secret_hash(token)).first()
    if feed is None:
        note_guess(request)
        return _private(HttpResponse(status=404))
    if read_too_often(feed.pk):
        return _private(HttpResponse(status=429))
    record_read(what="feeds:calendar", patients=[], object_id=str(feed.pk))
    body = calendar_of(feed, timezone.now())
    return _private(HttpResponse(body, content_type="text/calendar; charset=utf-8"))


def _private(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store, private"
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex"
    return response


class Line(NamedTuple):
    """One person or room of the page, and its feed if it has one."""

    kind: str
    subject: Subject
    feed: Feed | None


@requires(Permission.KEEP_FEEDS)
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """One's own feed; for the manager those of every practitioner and room of their locations."""
    return _page(request)


def _page(request: HttpRequest, **more: Any) -> HttpResponse:
    lines = _people(staff_of(request)) + _rooms(staff_of(request))
    context = {"lines": lines, "shows": Feed.Shows.choices, "zone": location_of(request).zone}
    return render(request, "treatments/feeds.html", context | more)


def _people(me: Staff) -> list[Line]:
    people = Staff.objects.filter(role=Role.PRACTITIONER, is_active=True)
    if me.may(Permission.MANAGE_CLINIC):
        people = people.filter(memberships__location__in=me.place_ids).distinct()
    else:
        people = people.filter(pk=me.pk)
    rows = people.select_related("calendar_feed").order_by("name")
    return [Line("staff", row, getattr(row, "calendar_feed", None)) for row in rows]


def _rooms(me: Staff) -> list[Line]:
    if not me.may(Permission.MANAGE_CLINIC):
        return []
    rooms = Room.objects.filter(is_active=True, location__in=me.place_ids)
    rows = rooms.select_related("calendar_feed", "location").order_by("location__name", "name")
    return [Line("room", row, getattr(row, "calendar_feed", None)) for row in rows]


@requires(Permission.KEEP_FEEDS)
@require_POST
def change(request: HttpRequest, kind: str, pk: int) -> HttpResponse:
    """A new address (shown once, on the page that answers), what is shown, or none any more."""
    me, subject = staff_of(request), _subject(staff_of(request), kind, pk)
    shows = request.POST.get("shows", Feed.Shows.INITIALS)
    try:
        if "open" in request.POST:
            address = open_feed(by=me, subject=subject, shows=shows)
            return _page(request, address=address, of=subject)
        if "close" in request.POST:
            close_feed(by=me, subject=subject)
            messages.success(request, _("The feed is switched off; its address is dead."))
        else:
            set_shows(by=me, subject=subject, shows=shows)
            messages.success(request, _("Saved."))
    except ActionRefused as refused:
        messages.error(request, refused.message)
    return redirect("feeds:index")


def _subject(me: Staff, kind: str, pk: int) -> Subject:
    """The person or room of the address, unless its feed is not the person's to keep: 404."""
    found: Subject | None = None
    if kind == "staff":
        found = Staff.objects.filter(pk=pk).first()
    elif kind == "room":
        found = Room.objects.filter(pk=pk).first()
    if found is None or not may_keep(me, found):
        raise Http404
    return found
