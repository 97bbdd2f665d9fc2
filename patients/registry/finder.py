"""Finding patients in one statement that stops as soon as a page is full.

Three tiers, each over an index: names that begin with what was typed, by name; names that contain
every word in any order, by file number; and names that are nearly that, the nearest first.
PostgreSQL works a later tier only when the earlier ones did not fill the page.
"""

from __future__ import annotations

from datetime import date
from typing import Any, NamedTuple

from django.db.models import (
    BooleanField,
    CharField,
    F,
    Func,
    IntegerField,
    Q,
    QuerySet,
    TextField,
    Value,
)
from django.db.models.functions import Collate
from phonenumber_field.phonenumber import PhoneNumber

from patients.registry.models import Fold, Patient, PatientQuerySet
from patients.registry.search import Query, slips, swapped

PAGE = 20
SHORTEST_FOR_TRIGRAMS = 3
SHORTEST_FOR_MISTAKES = 4
ENOUGH_IN_A_ROW = 4
BEGINS, CONTAINS, RESEMBLES = 1, 2, 3


class Backwards(Func):
    """The text from its end, as the phone index keeps it."""

    function = "REVERSE"
    output_field = TextField()


class WordSimilarity(Func):
    """How well the first text fits into the second, 0 to 1 (pg_trgm)."""

    function = "WORD_SIMILARITY"


class Like(Func):
    """Whether the first text is of the second's form: `%` any letters, `_` one."""

    template = "(%(expressions)s)"
    arg_joiner = " LIKE "
    output_field = BooleanField()


class Found(NamedTuple):
    """A row of the result; `earlier_number` is that of the merged file by which it was found."""

    pk: int
    given_name: str
    family_name: str
    birth_date: date
    phone: PhoneNumber | str
    tier: int
    merged_into: int | None = None
    earlier_number: str = ""

    @property
    def number(self) -> str:
        return f"P{self.pk:06d}"

    @property
    def phone_written(self) -> str:
        """As people write it."""
        return str(self.phone.as_international) if isinstance(self.phone, PhoneNumber) else ""


class Cursor(NamedTuple):
    """Where the last page ended."""

    tier: int
    pk: int

    @classmethod
    def read(cls, text: str) -> Cursor | None:
        """From `2-123`; None for anything else."""
        tier, _, pk = text.partition("-")
        if tier in ("1", "2") and pk.isascii() and pk.isdigit() and len(pk) < 16:
            return cls(int(tier), int(pk))
        return None

    def __str__(self) -> str:
        return f"{self.tier}-{self.pk}"


class Page(NamedTuple):
    """At most `PAGE` patients and the cursor of the next page, or an empty one."""

    rows: list[Found]
    following: str


def find(visible: PatientQuerySet, query: Query, after: Cursor | None = None) -> Page:
    """One page of the patients that answer the query, best first; one SQL statement."""
    if query.is_empty:
        return _page(_rows(visible.in_use().order_by("-pk"), BEGINS)[: PAGE + 1], more=False)
    base = visible.filter(_facts(query))
    if not query.words:
        return _page(_rows(_in_order(base, after), BEGINS)[: PAGE + 1])
    return _page(_by_name(base, query.words, after)[: PAGE + 1])


def _page(rows: QuerySet[Any, Any], *, more: bool = True) -> Page:
    # Branches are appended in order, but SQL does not promise it.
    found = sorted((Found(*row) for row in rows), key=lambda row: row.tier)
    last = found[PAGE - 1] if len(found) > PAGE else None
    following = str(Cursor(last.tier, last.pk)) if more and last and last.tier < RESEMBLES else ""
    return Page(_kept(found[:PAGE]), following)


def _kept(found: list[Found]) -> list[Found]:
    """Each person once, where found first: in place of a merged file the one that counts.

    One more statement, and only where a merged file is among the rows.
    """
    merged = {row.merged_into for row in found if row.merged_into}
    if not merged:
        return found
    counting = {row.pk: row for row in found if row.merged_into is None}
    for patient in Patient.objects.filter(pk__in=merged - set(counting)):
        counting[patient.pk] = _found(patient)
    rows: dict[int, Found] = {}
    for row in found:
        kept = counting[row.merged_into or row.pk]
        earlier = row.number if row.merged_into else ""
        rows.setdefault(kept.pk, kept._replace(tier=row.tier, earlier_number=earlier))
    return list(rows.values())


def _found(patient: Patient) -> Found:
    names = (patient.given_name, patient.family_name)
    return Found(patient.pk, *names, patient.birth_date, patient.phone, tier=CONTAINS)


def _facts(query: Query) -> Q:
    """Birth date, and figures as a file number or the end of a phone number."""
    facts = Q()
    if query.birth_date:
        facts &= Q(birth_date=query.birth_date)
    figures = []
    if query.number is not None:
        figures.append(Patient.objects.filter(pk=query.number).values("pk"))
    if query.digits:
        ending = Patient.objects.alias(backwards=Backwards("phone"))
        figures.append(ending.filter(backwards__startswith=query.digits[::-1]).values("pk"))
    if figures:
        # One set of a few files, each by its index; an OR would be asked of every file in turn.
        facts &= Q(pk__in=figures[0].union(*figures[1:], all=True) if figures[1:] else figures[0])
    return facts


def _in_order(patients: PatientQuerySet, after: Cursor | None) -> PatientQuerySet:
    """By name in plain byte order, as its index keeps it, from the cursor on."""
    ordered = patients.alias(in_order=Collate(F("folded_name"), "C"))
    if after:
        last = Patient.objects.filter(pk=after.pk).values(name=Collate(F("folded_name"), "C"))
        ordered = ordered.filter(in_order__gte=last).filter(
            Q(in_order__gt=last) | Q(pk__gt=after.pk)
        )
    return ordered.order_by("in_order", "pk")


def _by_name(
    base: PatientQuerySet, words: tuple[str, ...], after: Cursor | None
) -> QuerySet[Any, Any]:
    named = base.alias(in_order=Collate(F("folded_name"), "C"))
    begins = Q(in_order__startswith=_folded(" ".join(words)))
    contain = named.filter(_all(words, _contained)).exclude(begins).order_by("pk")
    if after and after.tier == CONTAINS:
        tiers = [_rows(contain.filter(pk__gt=after.pk), CONTAINS)]
    else:
        tiers = [
            _rows(_in_order(named.filter(begins), after), BEGINS),
            _rows(contain, CONTAINS),
        ]
    tiers.append(_resembling(base, words))
    head, *rest = [tier[: PAGE + 1] for tier in tiers]
    return head.union(*rest, all=True)


def _resembling(base: PatientQuerySet, words: tuple[str, ...]) -> QuerySet[Any, Any]:
    if len(words) == 1:
        near = base.filter(_mistyped(words[0])).exclude(_contained(words[0]))
    else:
        near = base.filter(_all(words, _resembled)).exclude(_all(words, _contained))
    closeness = WordSimilarity(_folded(" ".join(words)), F("folded_name"))
    return _rows(near.order_by(closeness.desc(), "pk"), RESEMBLES)


def _all(words: tuple[str, ...], condition: Any) -> Q:
    every = Q()
    for word in words:
        every &= condition(word)
    return every


def _contained(word: str) -> Q:
    """Anywhere in the name; one or two letters only where a word begins, or no index could help."""
    if len(word) >= SHORTEST_FOR_TRIGRAMS:
        return Q(folded_name__contains=_folded(word))
    return Q(folded_name__startswith=_folded(word)) | Q(folded_name__contains=_folded(f" {word}"))


def _resembled(word: str) -> Q:
    """Contained as it is, or mistyped."""
    return (
        _contained(word)
        if len(word) < SHORTEST_FOR_MISTAKES
        else (_contained(word) | _mistyped(word))
    )


def _mistyped(word: str) -> Q:
    """With one wrong, missing, doubled or exchanged letter; nothing for very short words."""
    if len(word) < SHORTEST_FOR_MISTAKES:
        return Q(pk__in=[])
    near = Q(folded_name__trigram_word_similar=_folded(word))
    for variant in swapped(word):
        near |= Q(folded_name__contains=_folded(variant))
    for pattern in slips(word):
        near |= _like(pattern)
    return near


def _like(pattern: str) -> Q:
    """Anywhere in the name where many letters in a row let the index help, else where words begin.

    The beginning of a word is worth two more trigrams to the index.
    """
    if max(map(len, pattern.split("_"))) >= ENOUGH_IN_A_ROW or pattern.startswith("_"):
        return Q(Like(F("folded_name"), _folded(f"%{pattern}%")))
    somewhere = Q()
    for before in ("", "% ", "%-"):
        somewhere |= Q(Like(F("folded_name"), _folded(f"{before}{pattern}%")))
    return somewhere


def _folded(text: str) -> Fold:
    return Fold(Value(text, output_field=CharField()))


def _rows(patients: PatientQuerySet, tier: int) -> QuerySet[Any, Any]:
    return patients.annotate(tier=Value(tier, output_field=IntegerField())).values_list(
        "pk", "given_name", "family_name", "birth_date", "phone", "tier", "merged_into"
    )
