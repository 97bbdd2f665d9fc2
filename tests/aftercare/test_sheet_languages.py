"""What is shipped in Arabic and Hebrew: whole, never said before it is approved, nothing lost."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

import pytest
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone
from hypothesis import example, given
from hypothesis import strategies as st
from pypdf import PdfReader

from aftercare.recovery.views import recovery_of
from aftercare.sheets import loading
from aftercare.sheets.actions import give_version
from aftercare.sheets.blocks import approve_block, approve_words, text_of, write_block, write_words
from aftercare.sheets.compose import Frame, Treatment, compose, spoken, until
from aftercare.sheets.content import Wish, content_of
from aftercare.sheets.languages import offered
from aftercare.sheets.loading import load_words
from aftercare.sheets.models import Sheet, SheetWords
from aftercare.sheets.phrasebook import phrasebook
from aftercare.sheets.wording import claim_in, numbers_in, phrase_faults
from aftercare.sheets.words import WORDS
from clinic.errors import ActionRefused
from patients.documents.actions import read_pdf, render_next
from patients.documents.models import Document
from tests.access.world import World, make_world
from tests.aftercare.test_sheets import ClientFor, signed_session
from tests.aftercare.test_watch import patient_browser
from tests.conftest import Cast
from treatments.catalogue.loading import CatalogueError, Report
from treatments.catalogue.models import AdviceBlock
from treatments.sessions.models import Session

SHIPPED = {
    language: json.loads((loading.DATA / f"sheet-words-{language}.json").read_text("utf-8"))[0]
    for language in ("ar", "he")
}
LETTERS = {"ar": ("\u0600", "\u06ff"), "he": ("\u0590", "\u05ff")}
ADVICE = Path(loading.__file__).parents[2] / "treatments/catalogue/data/advice.json"


@dataclass(frozen=True)
class Shipped:
    """A block as it is shipped."""

    code: str
    topic: str
    applies_to: str
    section: str
    hours: int | None
    position: int
    text_en: str
    text_fr: str
    version: int = 1

    def text_in(self, language: str) -> tuple[str, str]:
        return (self.text_fr, "fr") if language == "fr" else (self.text_en, "en")


BLOCKS = [
    Shipped(**{name: row.get(name) for name in Shipped.__annotations__ if name != "version"})
    for row in json.loads(ADVICE.read_text("utf-8"))
]
LAST_DAY = {
    "en": "the end of {day}",
    "fr": "{day} inclus",
    **{language: row["words"]["last_day"] for language, row in SHIPPED.items()},
}
LANGUAGES = ("en", "fr", "ar", "he")
WEEKDAYS = {
    "en": ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"],
    "fr": ["lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"],
    "ar": ["الاثنين", "الثلاثاء", "الأربعاء", "الخميس", "الجمعة", "السبت", "الأحد"],
    "he": ["שני", "שלישי", "רביעי", "חמישי", "שישי", "שבת", "ראשון"],
}
ZONES = st.sampled_from(sorted(name for name in available_timezones() if "/" in name))
MOMENTS = st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2035, 1, 1))  # noqa: DTZ001


@pytest.fixture
def world(cast: Cast) -> World:
    return make_world(cast.here, cast.practitioner, cast.treatment)


@pytest.fixture
def draft(world: World) -> Session:
    session: Session = world.patient.sessions.get(number=1)
    return session


@pytest.fixture
def signed(world: World) -> Session:
    return signed_session(world, number=3, areas=("cheek", "vertex"))


def words_of(language: str) -> SheetWords:
    row: SheetWords = SheetWords.objects.get(code=language, version=1)
    return row


def in_force(cast: Cast, *languages: str) -> None:
    for language in languages:
        approve_words(by=cast.practitioner, row=words_of(language))


# ---- nothing is lost --------------------------------------------------------------------------


@given(MOMENTS, st.integers(1, 2016), ZONES)
@example(datetime(2026, 10, 24, 17, 15), 8, "Europe/Paris")  # noqa: DTZ001
@example(datetime(2026, 4, 16, 12), 168, "Africa/Cairo")  # noqa: DTZ001
def test_each_language_says_the_same_day_and_clock(naive: datetime, hours: int, name: str) -> None:
    end = until(naive.replace(tzinfo=UTC), hours, ZoneInfo(name))
    said = {one: spoken(end, hours, one, LAST_DAY[one]) for one in LANGUAGES}
    (number,) = {WEEKDAYS["en"].index(day) for day in WEEKDAYS["en"] if day in said["en"]}
    for language, text in said.items():
        assert numbers_in(text) == numbers_in(said["en"]), text
        assert f"{WEEKDAYS[language][number]} " in text
        assert text.count(":") == said["en"].count(":")


CODES = {
    kind: sorted({b.applies_to for b in BLOCKS if b.applies_to.startswith(kind)})
    for kind in ("area", "technique", "substance")
}


def codes(kind: str) -> st.SearchStrategy[frozenset[str]]:
    names = [one.partition(":")[2] for one in CODES[kind]]
    return st.frozensets(st.sampled_from(names), max_size=3)


@given(
    st.builds(
        Treatment, codes("area"), codes("technique"), codes("substance"), anaesthetic=st.booleans()
    ),
    MOMENTS,
    ZONES,
)
def test_each_language_says_every_line_time_and_number(
    treatment: Treatment, naive: datetime, name: str
) -> None:
    """The strictest of each topic, once, and to the same moment, whatever it is said in."""
    sheets = {}
    for language in LANGUAGES:
        phrases = SHIPPED[language]["phrases"] if language in SHIPPED else {}
        frame = Frame(naive.replace(tzinfo=UTC), ZoneInfo(name), language, LAST_DAY, {}, phrases)
        sheets[language] = compose(BLOCKS, treatment, frame)
    for language, lines in sheets.items():
        for line, english in zip(lines, sheets["en"], strict=True):
            assert (line["block"], line["until"]) == (english["block"], english["until"])
            assert line["language"] == language
            assert line["said"] in line["text"]
            assert bool(line["said"]) == bool(english["said"])
            assert numbers_in(english["text"]) <= numbers_in(line["text"]), line["text"]


def test_a_lost_number_or_placeholder_is_found() -> None:
    """The control: each fault by itself."""
    english = "Not before {until}, SPF 50."
    assert not phrase_faults({english: "ليس قبل {until}، SPF 50."})
    assert not phrase_faults({english: "ليس قبل {until}، SPF ٥٠."})
    assert not phrase_faults({english: ""})
    for wrong in (
        "ليس قبل {until}، SPF 30.",
        "ليس قبل الغد، SPF 50.",
        "ليس قبل {until} {phone}، SPF 50.",
        "ليس قبل {when}، SPF 50.",
        "بدون ألم قبل {until}، SPF 50.",
        "ليس\u202e قبل {until}، SPF 50.",
    ):
        assert phrase_faults({english: wrong}), wrong


@pytest.mark.django_db
@pytest.mark.parametrize("language", SHIPPED)
def test_everything_a_patient_is_told_is_shipped(language: str) -> None:
    row = words_of(language)
    assert set(row.words) == set(WORDS)
    wanted = {text for group in phrasebook() for text in group.texts}
    assert len(wanted) > 200
    assert wanted == set(row.phrases)
    first, last = LETTERS[language]
    for text in (*row.words.values(), *row.phrases.values()):
        assert not claim_in(text)
        assert any(first <= letter <= last for letter in text) or text == "DMAE", text
        other = LETTERS["he" if language == "ar" else "ar"]
        assert not any(other[0] <= letter <= other[1] for letter in text), text


# ---- shipped is not approved -----------------------------------------------------------------


@pytest.mark.django_db
def test_what_is_shipped_is_given_to_nobody_before_it_is_approved(
    cast: Cast,
    draft: Session,
) -> None:
    for language in SHIPPED:
        row = words_of(language)
        assert (row.is_current, row.approved_by, row.origin) == (False, None, "shipped")
        assert row.general_knowledge
        with pytest.raises(ActionRefused):
            content_of(draft, language=language, at=draft.started_at)
    assert set(dict(offered())) == {"en", "fr"}
    with pytest.raises(ActionRefused):
        approve_words(by=cast.front_desk, row=words_of("ar"))
    in_force(cast, "ar")
    assert set(dict(offered())) == {"en", "fr", "ar"}


@pytest.mark.django_db
def test_a_newer_shipped_version_waits_beside_the_approved_one(cast: Cast, tmp_path: Path) -> None:
    in_force(cast, "ar")
    assert load_words(Report()).unchanged == 2
    row = SHIPPED["ar"] | {"source_note": "Read again."}
    (tmp_path / "sheet-words-ar.json").write_text(json.dumps([row]))
    assert load_words(Report(), tmp_path).held_back == ["sheet-words/ar"]
    assert SheetWords.objects.current().get(code="ar").version == 1
    broken = row | {"phrases": {"Until {until}.": "غدا"}}
    (tmp_path / "sheet-words-ar.json").write_text(json.dumps([broken]))
    with pytest.raises(CatalogueError, match="sheet-words/ar"):
        load_words(Report(), tmp_path)
    call_command("load_catalogue", verbosity=0)
    assert SheetWords.objects.filter(code="ar").count() == 3


@pytest.mark.django_db
def test_a_translation_stands_only_for_the_words_it_translates(
    cast: Cast,
    draft: Session,
) -> None:
    in_force(cast, "he")

    def heat() -> tuple[str, str]:
        lines = content_of(draft, language="he", at=draft.started_at)["lines"]
        return next((one["language"], one["until"]) for one in lines if one["topic"] == "heat")

    before = heat()
    said = text_of(AdviceBlock.objects.current().get(code="base-heat"))
    for changed, language in (({"hours": 96}, "he"), ({"text": "No sauna until {until}."}, "en")):
        texts = {**said.texts, **({"en": changed["text"]} if "text" in changed else {})}
        columns = {**said.__dict__, "hours": 96, "texts": texts}
        row = write_block(by=cast.manager, code="base-heat", said=type(said)(**columns))
        approve_block(by=cast.practitioner, block=row)
        assert heat()[0] == language
        assert heat()[1] > before[1]


@pytest.mark.django_db
def test_a_clinic_that_corrects_one_phrase_keeps_the_others(cast: Cast) -> None:
    row = words_of("ar")
    english = "No alcohol until {until}."
    said = write_words(
        by=cast.manager, language="ar", words=row.words, phrases={english: "لا خمور حتى {until}."}
    )
    assert said.phrases == {**row.phrases, english: "لا خمور حتى {until}."}
    with pytest.raises(ActionRefused) as refused:
        write_words(by=cast.manager, language="ar", words=row.words, phrases={english: "لا خمور."})
    assert (refused.value.field or "").startswith("phrase_")
    with pytest.raises(ActionRefused, match="Nothing has changed"):
        write_words(by=cast.manager, language="ar", words=row.words)


@pytest.mark.django_db
def test_the_settings_say_that_nobody_has_approved_it(cast: Cast, client_for: ClientFor) -> None:
    client = client_for(cast.practitioner)
    index = client.get(reverse("sheet-texts:index")).content.decode()
    assert index.count("translation not yet approved by the clinic") == 2
    url = reverse("sheet-texts:words", args=["he"])
    page = client.get(url).content.decode()
    assert "has not been approved by the clinic yet" in page
    assert SHIPPED["he"]["phrases"]["No alcohol until {until}."] in page
    client.post(reverse("sheet-texts:words-approve", args=["he", 1]))
    assert "has not been approved by the clinic yet" not in client.get(url).content.decode()
    manager = client_for(cast.manager)
    form = manager.get(url).context["form"]
    (name,) = [key for key, text in form.english.items() if text == "No alcohol until {until}."]
    typed = {**{one: form.initial.get(one, "") for one in form.fields}, "note": ""}
    assert manager.post(url, {**typed, name: "אין."}).status_code == 422
    assert manager.post(url, {**typed, name: "בלי אלכוהול עד {until}."}).status_code == 302
    assert SheetWords.objects.get(code="he", version=2).phrases.keys() == typed_phrases(form)


def typed_phrases(form: object) -> set[str]:
    english: dict[str, str] = form.english  # type: ignore[attr-defined]
    return set(english.values())


# ---- on paper and on the phone ---------------------------------------------------------------


def given_sheet(cast: Cast, session: Session, language: str) -> Sheet:
    in_force(cast, language)
    wish = Wish(language, f"{SHIPPED[language]['words']['phone']} +33 1 23 45 67 89.")
    return give_version(by=cast.practitioner, session=session, wish=wish, known=0)


def visible(line: str) -> str:
    return " ".join(line.translate({ord(one): None for one in "\u2066\u2067\u2068\u2069"}).split())


def words_in(text: str) -> set[str]:
    """The words without the signs around them; numbers are looked for by themselves."""
    return set(re.findall(r"[^\W\d_]+(?:[־׳][^\W\d_]+)*", text))


@pytest.mark.django_db
@pytest.mark.parametrize("language", SHIPPED)
def test_the_paper_copies_out_right(
    cast: Cast,
    signed: Session,
    language: str,
) -> None:
    sheet = given_sheet(cast, signed, language)
    while Document.objects.filter(state="queued").exists():
        render_next()
    reader = PdfReader(BytesIO(read_pdf(Document.objects.get(pk=sheet.document_id))))
    assert reader.trailer["/Root"]["/Lang"] == language
    said = visible(" ".join(page.extract_text() for page in reader.pages))
    numbers = numbers_in(said)
    for line in sheet.content["lines"]:
        assert line["language"] == language
        before, when, after = line["text"].partition(line["said"] or "\0")
        assert all(word in said for word in words_in(before + after)), line["text"]
        # Beside digits pypdf may part a word before its last two letters.
        assert all(word[:-2] in said for word in words_in(when)), when
        assert numbers_in(line["text"]) <= numbers, line["text"]
        assert all(clock in said for clock in re.findall(r"\d\d:\d\d", when)), when
    for whole in (
        signed.location.phone,
        signed.location.phone_out_of_hours,
        "+33 1 23 45 67 89",
        sheet.content["initials"],
        SHIPPED[language]["phrases"]["Vertex"],
        "Translation",
        "version 1, approved by",
        sheet.content_sha256,
        *(f"LOT {one['lot']}" for one in sheet.content["products"]),
    ):
        assert visible(whole) in said, whole


@pytest.mark.django_db
@pytest.mark.parametrize("language", SHIPPED)
def test_the_phone_page_is_whole_in_the_language(
    cast: Cast,
    world: World,
    signed: Session,
    language: str,
) -> None:
    sheet = given_sheet(cast, signed, language)
    browser = patient_browser(world)
    page = browser.get(reverse("my-sheets:sheet", args=[world.token, sheet.pk])).content.decode()
    article = page[page.index("<article") : page.index("</article")]
    assert f'lang="{language}" dir="rtl"' in article
    assert 'lang="en"' not in article
    assert SHIPPED[language]["phrases"]["Vertex"] in article
    newest = recovery_of(world.patient, timezone.now())
    assert newest is not None
    known = newest.sheet.version if newest.sheet else 0
    wish = Wish(language)
    give_version(by=cast.practitioner, session=newest.session, wish=wish, known=known)
    normal = browser.get(reverse("my-recovery:page", args=[world.token])).content.decode()
    bruise = SHIPPED[language]["phrases"]["Bruise"]
    assert f'<strong lang="{language}" dir="rtl">{bruise}</strong>' in normal
    assert normal.count(f'<ul lang="{language}" dir="rtl">') >= 2
    found = recovery_of(world.patient, timezone.now())
    assert found is not None
    assert found.direction == "rtl"


@pytest.mark.django_db
def test_the_questions_are_asked_in_the_language_too(
    cast: Cast,
    world: World,
    signed: Session,
) -> None:
    given_sheet(cast, signed, "ar")
    check_in = world.patient.check_ins.filter(state="open").first()
    assert check_in
    page = patient_browser(world).get(
        reverse("my-check-ins:check-in", args=[world.token, check_in.pk])
    )
    english = str(page.context["check_in"].asked[0]["en"])
    own = SHIPPED["ar"]["phrases"][english]
    assert f'<span class="own-words" lang="ar" dir="rtl">{own}</span>' in page.content.decode()
    assert english in page.content.decode()
