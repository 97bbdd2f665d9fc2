"""Settings: the words around a consent in a further language; written, looked at, approved."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseForbidden
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from clinic.access.permissions import Permission, requires
from clinic.access.request import staff_of
from clinic.errors import ActionRefused
from clinic.tongues import direction_of, own_name
from clinic.web.forms import refuse
from clinic.web.notices import refused_notice
from treatments.consents.in_force import FURTHER
from treatments.consents.models import ConsentWords
from treatments.consents.phrasebook import phrasebook
from treatments.consents.phrases import phrase_faults, phrase_name
from treatments.consents.words import approve_words, write_words
from treatments.consents.words_forms import WordsForm


@requires(Permission.APPROVE_CATALOGUE)
@require_http_methods(["GET", "HEAD", "POST"])
def words(request: HttpRequest, language: str) -> HttpResponse:
    """Every text in the language under its English: the next version, and what waits."""
    if language not in FURTHER:
        raise Http404
    may_edit = staff_of(request).may(Permission.MANAGE_CLINIC)
    if request.method == "POST" and not may_edit:
        return HttpResponseForbidden()
    rows = ConsentWords.objects.filter(code=language).select_related("approved_by", "made_by")
    versions = list(rows.order_by("-version"))
    known = versions[0].phrases if versions else {}
    begun = {phrase_name(english): text for english, text in known.items()}
    form = WordsForm(request.POST or None, language=language, groups=phrasebook(), initial=begun)
    if request.method == "POST" and form.is_valid() and _written(request, language, form):
        messages.success(request, _("Saved. It is used once somebody has approved it."))
        return redirect("consent-texts:words", language)
    newest = versions[0] if versions else None
    context = {
        "form": form,
        "language": language,
        "name": own_name(language),
        "direction": direction_of(language),
        "versions": versions,
        "waiting": newest if newest and not newest.is_current else None,
        "written": sum(bool(known.get(english)) for english in form.english.values()),
        "total": len(form.english),
        "may_edit": may_edit,
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "treatments/consent_words.html", context, status=status)


def _written(request: HttpRequest, language: str, form: WordsForm) -> bool:
    """Whether it could be kept; else all that is wrong stands beside its field."""
    note = form.cleaned_data["note"]
    try:
        write_words(by=staff_of(request), language=language, phrases=form.phrases, note=note)
    except ActionRefused as refused:
        wrong = phrase_faults(form.phrases)
        for name, said in wrong.items():
            form.add_error(name, said)
        if not wrong:
            refuse(form, refused)
        return False
    return True


@requires(Permission.APPROVE_CATALOGUE)
@require_POST
def words_approve(request: HttpRequest, language: str, version: int) -> HttpResponse:
    """Take responsibility for the words of a language; consents can be made in it from now on."""
    row = get_object_or_404(ConsentWords, code=language, version=version)
    with refused_notice(request):
        approve_words(by=staff_of(request), row=row)
        messages.success(request, _("Approved with your name. It is used from now on."))
    return redirect("consent-texts:words", language)
