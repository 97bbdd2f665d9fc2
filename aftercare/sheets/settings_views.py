"""Settings: the texts of aftercare sheets; written, looked at, tried, approved."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from aftercare.sheets import selectors
from aftercare.sheets.blocks import (
    approve_block,
    approve_words,
    block_faults,
    retire_block,
    text_of,
    write_block,
    write_words,
)
from aftercare.sheets.models import SheetWords
from aftercare.sheets.phrasebook import phrasebook
from aftercare.sheets.settings_forms import LANGUAGES, BlockForm, TryForm, WordsForm, begun
from aftercare.sheets.trying import (
    blocks_with_waiting,
    by_code,
    lines_in,
    treatment_like,
    tried,
    waiting_of,
    words_waiting,
)
from aftercare.sheets.wording import PLACES, phrase_faults, phrase_name, word_faults
from aftercare.sheets.words import FURTHER
from clinic.access.permissions import Permission, requires
from clinic.access.request import location_of, staff_of
from clinic.errors import ActionRefused
from clinic.tongues import is_right_to_left, own_name
from clinic.web.forms import refuse
from clinic.web.notices import refused_notice
from treatments.catalogue.models import AdviceBlock


@requires(Permission.APPROVE_CATALOGUE)
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Every piece of advice by what it follows, its version in force, and what waits."""
    rows = AdviceBlock.objects.select_related("approved_by").order_by("code", "version")
    named, spoken = selectors.names(), _words_by_language()
    phrases = {one["code"]: one["phrases"] for one in spoken}
    groups: dict[str, list[dict[str, Any]]] = {}
    for versions in by_code(rows).values():
        cell = _cell(versions, phrases)
        groups.setdefault(cell["row"].applies_to, []).append(cell)
    ordered = sorted(groups, key=lambda key: min(one["row"].position for one in groups[key]))
    context = {
        "groups": [
            (named.get(key, key), sorted(groups[key], key=lambda one: one["row"].position))
            for key in ordered
        ],
        "words": spoken,
        "languages": [(code, own_name(code)) for code in LANGUAGES],
    }
    return render(request, "aftercare/sheet_texts.html", context)


def _cell(versions: list[AdviceBlock], phrases: dict[str, Any]) -> dict[str, Any]:
    current = next((one for one in versions if one.is_current), None)
    row = current or versions[-1]
    written = {code for code, known in phrases.items() if row.text_en in known}
    written |= set(row.languages)
    return {
        "row": row,
        "current": current,
        "waiting": waiting_of(versions),
        "further": [(code, code in written) for code in FURTHER],
    }


def _words_by_language() -> list[dict[str, Any]]:
    rows = by_code(SheetWords.objects.select_related("approved_by").order_by("code", "version"))
    return [_spoken(code, rows.get(code, [])) for code in FURTHER]


def _spoken(code: str, versions: list[SheetWords]) -> dict[str, Any]:
    current = next((one for one in versions if one.is_current), None)
    waiting = words_waiting(versions)
    shown = current or waiting
    return {
        "code": code,
        "name": own_name(code),
        "current": current,
        "waiting": waiting,
        "phrases": shown.phrases if shown else {},
    }


@requires(Permission.EDIT_CATALOGUE)
@require_http_methods(["GET", "HEAD", "POST"])
def block(request: HttpRequest, code: str) -> HttpResponse:
    """Write the next version of a piece of advice. `what` is save, or show: nothing is kept."""
    pattern = AdviceBlock.objects.filter(code=code).order_by("-version").first()
    if pattern is None:
        raise Http404
    first = begun(text_of(pattern))
    form = BlockForm(request.POST or None, is_new=False, initial=first)
    return _write(request, form, pattern)


@requires(Permission.EDIT_CATALOGUE)
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """A piece of advice of the clinic's own."""
    return _write(request, BlockForm(request.POST or None, is_new=True), None)


def _write(request: HttpRequest, form: BlockForm, pattern: AdviceBlock | None) -> HttpResponse:
    status = 200
    if request.method == "POST" and request.POST.get("what") != "show":
        status = 422
        if form.is_valid() and _is_free(form, pattern):
            code = pattern.code if pattern else form.cleaned_data["code"]
            try:
                row = write_block(by=staff_of(request), code=code, said=form.said)
            except ActionRefused as refused:
                _refuse_everywhere(form, refused)
            else:
                messages.success(request, _("Saved. It is used once somebody has approved it."))
                return redirect("sheet-texts:version", row.code, row.version)
    return _edit_page(request, form, pattern, status)


def _is_free(form: BlockForm, pattern: AdviceBlock | None) -> bool:
    code = form.cleaned_data.get("code")
    if pattern is None and AdviceBlock.objects.filter(code=code).exists():
        form.add_error("code", _("There is a row with this code already."))
        return False
    return True


def _refuse_everywhere(form: BlockForm, refused: ActionRefused) -> None:
    """All that is wrong at once, each beside its field."""
    wrong = block_faults(form.said)
    for name, said in wrong.items():
        form.add_error(name, said)
    if not wrong:
        refuse(form, refused)


def _edit_page(
    request: HttpRequest, form: BlockForm, pattern: AdviceBlock | None, status: int
) -> HttpResponse:
    lines, wrong = _looked_at(request, form, pattern)
    topics = AdviceBlock.objects.current().values_list("topic", flat=True)
    context = {
        "form": form,
        "pattern": pattern,
        "places": PLACES.items(),
        "topics": sorted(set(topics)),
        "lines": lines,
        "faults": wrong,
    }
    is_part = request.POST.get("what") == "show" and getattr(request, "htmx", False)
    template = "aftercare/sheet_text_edit.html" + ("#preview" if is_part else "")
    return render(request, template, context, status=status)


def _looked_at(
    request: HttpRequest, form: BlockForm, pattern: AdviceBlock | None
) -> tuple[list[dict[str, Any]], list[str]]:
    """The block as patients would read it, or why it cannot be shown."""
    if not form.is_bound:
        return _lines(request, pattern) if pattern else [], []
    if not form.is_valid():
        wrong = [f"{form[name].label}: {said[0]}" for name, said in form.errors.items()]
        return [], wrong
    said = form.said
    if faults := block_faults(said):
        return [], [f"{form[name].label}: {fault}" for name, fault in faults.items()]
    return _lines(request, AdviceBlock(code="new", **said.columns)), []


def _lines(request: HttpRequest, row: AdviceBlock) -> list[dict[str, Any]]:
    return lines_in(row, location_of(request), LANGUAGES, timezone.now())


@requires(Permission.APPROVE_CATALOGUE)
@require_safe
def version(request: HttpRequest, code: str, version: int) -> HttpResponse:
    """One version to read, old ones too."""
    shown = _version(code, version)
    every = AdviceBlock.objects.filter(code=code).select_related("approved_by", "made_by")
    context = {
        "row": shown,
        "where": selectors.names().get(shown.applies_to, shown.applies_to),
        "versions": every.order_by("-version"),
        "lines": _lines(request, shown),
        "may_edit": staff_of(request).may(Permission.EDIT_CATALOGUE),
    }
    return render(request, "aftercare/sheet_text_version.html", context)


def _version(code: str, number: int) -> AdviceBlock:
    rows = AdviceBlock.objects.select_related("approved_by", "made_by")
    found: AdviceBlock = get_object_or_404(rows, code=code, version=number)
    return found


@requires(Permission.APPROVE_CATALOGUE)
@require_POST
def approve(request: HttpRequest, code: str, version: int) -> HttpResponse:
    """Take responsibility for the version that was shown, and use it from now on."""
    with refused_notice(request):
        approve_block(by=staff_of(request), block=_version(code, version))
        messages.success(request, _("Approved with your name. It is used from now on."))
    return redirect("sheet-texts:version", code, version)


@requires(Permission.EDIT_CATALOGUE)
@require_POST
def out(request: HttpRequest, code: str) -> HttpResponse:
    """Say it on no sheet any more."""
    current = get_object_or_404(AdviceBlock, code=code, is_current=True)
    with refused_notice(request):
        retire_block(by=staff_of(request), block=current)
        messages.success(request, _("It is on no sheet from now on. It can be put back."))
    return redirect("sheet-texts:version", code, current.version)


@requires(Permission.APPROVE_CATALOGUE)
@require_http_methods(["GET", "HEAD", "POST"])
def words(request: HttpRequest, language: str) -> HttpResponse:
    """The headings and labels in a language: the next version, and what waits for approval."""
    if language not in FURTHER:
        raise Http404
    rows = SheetWords.objects.filter(code=language).select_related("approved_by", "made_by")
    versions = list(rows.order_by("-version"))
    form = WordsForm(
        request.POST or None, language=language, groups=phrasebook(), initial=_begun(versions)
    )
    may_edit = staff_of(request).may(Permission.EDIT_CATALOGUE)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                _write_words(request, language, form)
            except ActionRefused as refused:
                _refuse_words(form, refused)
            else:
                messages.success(request, _("Saved. It is used once somebody has approved it."))
                return redirect("sheet-texts:words", language)
    context = {
        "form": form,
        "language": language,
        "name": own_name(language),
        "is_right_to_left": is_right_to_left(language),
        "versions": versions,
        "waiting": words_waiting(versions[::-1]),
        "written": _written(form),
        "may_edit": may_edit,
    }
    return render(request, "aftercare/sheet_words.html", context, status=status)


def _begun(versions: list[SheetWords]) -> dict[str, str]:
    """What the form begins with: the newest version, approved or not."""
    if not versions:
        return {}
    phrases = {phrase_name(english): text for english, text in versions[0].phrases.items()}
    return {**versions[0].words, **phrases}


def _written(form: WordsForm) -> tuple[int, int]:
    """How many of the texts are written in the language, of how many."""
    return sum(bool(form.initial.get(name)) for name in form.english), len(form.english)


def _write_words(request: HttpRequest, language: str, form: WordsForm) -> None:
    write_words(
        by=staff_of(request),
        language=language,
        words=form.words,
        phrases=form.phrases,
        note=form.cleaned_data["note"],
    )


def _refuse_words(form: WordsForm, refused: ActionRefused) -> None:
    wrong = word_faults(form.words) | phrase_faults(form.phrases)
    for name, said in wrong.items():
        form.add_error(name, said)
    if not wrong:
        refuse(form, refused)


@requires(Permission.APPROVE_CATALOGUE)
@require_POST
def words_approve(request: HttpRequest, language: str, version: int) -> HttpResponse:
    """Take responsibility for the words of a language; sheets can be given in it from now on."""
    row = get_object_or_404(SheetWords, code=language, version=version)
    with refused_notice(request):
        approve_words(by=staff_of(request), row=row)
        messages.success(request, _("Approved with your name. It is used from now on."))
    return redirect("sheet-texts:words", language)


@requires(Permission.APPROVE_CATALOGUE)
@require_safe
def try_out(request: HttpRequest) -> HttpResponse:
    """The sheet of a treatment that nobody had, and what is merged away in it."""
    place, now = location_of(request), timezone.localtime()
    with timezone.override(place.zone):
        form = TryForm(request.GET if request.GET else None, initial={"treated_at": now})
        is_asked = form.is_bound and form.is_valid()
        data = form.cleaned_data if is_asked else {}
    chosen = {name: data.get(name, []) for name in ("areas", "techniques", "substances")}
    labels = {name: dict(form.fields[name].choices) for name in chosen}  # type: ignore[attr-defined]
    rows = blocks_with_waiting() if data.get("waiting") else AdviceBlock.objects.current()
    found = tried(
        rows,
        treatment_like(**chosen, numbed=bool(data.get("numbed"))),
        place,
        treated_at=data.get("treated_at") or now,
        language=data.get("language") or settings.LANGUAGES[0][0],
        done={name: [labels[name][code] for code in chosen[name]] for name in labels},
    )
    context = {"form": form, "sample": found.page, "unsaid": found.unsaid, "place": place}
    return render(request, "aftercare/sheet_try.html", context)
