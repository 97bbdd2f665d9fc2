"""The sheets of 27 sessions in four languages, line by line against the figures of the domain.

`ROWS` is written down from the tables of aftercare by hand, not read from the catalogue: for each
area, technique and substance what a sheet must add, in hours from the end of the treatment. The
clock times are worked out by hand too, in nights in which the clocks change among others.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import transaction

from aftercare.sheets.blocks import approve_words
from aftercare.sheets.content import Content, content_of
from aftercare.sheets.models import SheetWords
from clinic.places.models import CountryProfile
from tests.access.world import World, make_world
from tests.conftest import Cast
from treatments.catalogue.models import Anaesthetic, Area, Lot, Product, Technique
from treatments.sessions.models import Anaesthesia, MixComponent, Session, TreatedArea

pytestmark = pytest.mark.django_db

Rows = dict[tuple[str, str], int | None]

BASE: Rows = {
    ("avoid", "touch"): 48,
    ("do", "water"): None,
    ("avoid", "exercise"): 48,
    ("avoid", "sun"): 240,
    ("do", "follow-up"): None,
    ("avoid", "washing"): 8,
    ("avoid", "make-up"): 12,
    ("avoid", "heat"): 72,
    ("avoid", "alcohol"): 48,
    ("avoid", "procedures"): 336,
    ("avoid", "electrotherapy"): 72,
    ("avoid", "scabs"): None,
    ("do", "medicines"): None,
    ("normal", "normal"): 336,
    ("call", "call"): None,
    ("emergency", "emergency"): None,
}
ROWS: dict[str, Rows] = {
    "face": {("do", "cleansing"): None, ("avoid", "shaving"): 24},
    "eyes": {
        ("normal", "swelling"): None,
        ("do", "head-raised"): None,
        ("do", "cold-pack"): None,
        ("avoid", "contact-lenses"): None,
        ("emergency", "eyes-emergency"): None,
    },
    "lips": {
        ("avoid", "lipstick"): 12,
        ("do", "cold-pack"): None,
        ("call", "cold-sore"): None,
    },
    "neck": {("do", "sun-exposed"): None, ("avoid", "cleaning-products"): 24},
    "submental": {("do", "ice"): None},
    "scalp": {
        ("avoid", "washing"): 24,
        ("avoid", "dye"): 168,
        ("normal", "scalp-blood"): None,
        ("do", "wash-before"): None,
    },
    "body": {("do", "clothes"): 48, ("avoid", "sun"): 240, ("call", "lump"): None},
    "nappage": {("normal", "marks"): 48, ("avoid", "warmth"): 48},
    "papule": {("normal", "bumps"): None},
    "deep": {("normal", "deep-normal"): None, ("call", "deep-call"): None},
    "mesogun": {("normal", "device"): None},
    "microneedling": {
        ("avoid", "sun"): 240,
        ("avoid", "make-up"): 24,
        ("avoid", "actives"): 168,
    },
    "needle-free": {("normal", "needle-free"): 1},
    "prp": {("normal", "prp"): 48, ("avoid", "anti-inflammatories"): 168},
    "botulinum": {
        ("avoid", "face-down"): 24,
        ("avoid", "touch"): 24,
        ("avoid", "heat"): 24,
        ("do", "upright"): 4,
        ("emergency", "toxin-emergency"): None,
    },
    "deoxycholic": {
        ("normal", "deoxycholic"): None,
        ("do", "ice"): None,
        ("call", "deoxycholic-call"): None,
    },
    "tranexamic": {
        ("do", "daily-sunscreen"): None,
        ("emergency", "tranexamic-emergency"): None,
    },
    "sunscreen": {("do", "daily-sunscreen"): None},
    "dutasteride": {("avoid", "hair-medicine"): None},
    "polynucleotides": {("normal", "bumps"): 72},
    "ketoprofen": {("avoid", "sun"): 336},
    "numbed": {("avoid", "numb"): 2, ("emergency", "numb-emergency"): None},
}
PHRASES = {
    "touch": ("touch, rub or massage", "masse"),
    "water": ("Drink plenty", "Buvez"),
    "exercise": ("strenuous", "effort"),
    "sun": ("sun", "soleil"),
    "follow-up": ("weeks later", "semaines"),
    "washing": ("wash", "lave"),
    "make-up": ("make-up", "maquillage"),
    "heat": ("sauna", "sauna"),
    "alcohol": ("alcohol", "alcool"),
    "procedures": ("laser", "laser"),
    "electrotherapy": ("electrotherapy", "électrothérapie"),
    "scabs": ("pick at scabs", "croûtes"),
    "medicines": ("Never stop one", "jamais un sans"),
    "normal": ("small bruises", "petits bleus"),
    "call": ("any lump", "toute boule"),
    "emergency": ("trouble breathing", "gêne pour respirer"),
    "cleansing": ("cold pack", "poche froide"),
    "shaving": ("shaving, waxing or threading", "rasage"),
    "swelling": ("last longer", "plus longtemps"),
    "head-raised": ("head raised", "tête surélevée"),
    "cold-pack": ("cold pack", "poche froide"),
    "contact-lenses": ("until the numbness has gone", "engourdie"),
    "eyes-emergency": ("change in your sight", "changement de la vue"),
    "lipstick": ("lipstick", "rouge à lèvres"),
    "cold-sore": ("first tingling", "premier picotement"),
    "sun-exposed": ("sunscreen on them", "crème solaire"),
    "cleaning-products": ("gloves", "gants"),
    "ice": ("10 to 15 minutes", "10 à 15 minutes"),
    "dye": ("no tight hat", "pas de chapeau serré"),
    "scalp-blood": ("Pin-point bleeding", "points de sang"),
    "wash-before": ("next session", "prochaine séance"),
    "clothes": ("No compression", "Pas de compression"),
    "lump": ("weeks later", "semaines après"),
    "marks": ("Pin-point marks", "petits points"),
    "warmth": ("No heat", "Pas de chaleur"),
    "bumps": ("Do not press", "N’appuyez pas"),
    "deep-normal": ("several days", "plusieurs jours"),
    "deep-call": ("turns black", "noircit"),
    "device": ("single-use parts", "usage unique"),
    "actives": ("retinoid, acid", "rétinoïde"),
    "needle-free": ("metallic taste", "goût métallique"),
    "prp": ("throbbing", "élancements"),
    "anti-inflammatories": ("anti-inflammatory", "anti-inflammatoire"),
    "face-down": ("face down", "plat ventre"),
    "upright": ("upright", "verticale"),
    "toxin-emergency": ("swallowing, even weeks later", "avaler, même des semaines"),
    "deoxycholic": ("swelling and numbness", "engourdissement"),
    "deoxycholic-call": ("uneven smile", "sourire asymétrique"),
    "daily-sunscreen": ("SPF 50", "indice 50"),
    "tranexamic-emergency": ("leg or chest pain", "jambe"),
    "hair-medicine": ("pregnant partner", "partenaire enceinte"),
    "numb": ("no hot food", "aliment ni boisson chauds"),
    "numb-emergency": ("Grey-blue lips", "gris-bleu"),
}
"""What a line of each topic cannot do without, in English and French."""

IN_ARABIC_AND_HEBREW = {
    "touch": ("تدليكها", "לעסות"),
    "water": ("الماء", "מים"),
    "exercise": ("مجهود بدني شديد", "מאמץ גופני"),
    "sun": ("الشمس", "שמש"),
    "follow-up": ("بعد أسابيع", "אחרי שבועות"),
    "washing": ("يمنع غسل", "אין ל"),
    "make-up": ("لا مكياج", "אין להתאפר"),
    "heat": ("ساونا", "סאונה"),
    "alcohol": ("كحول", "אלכוהול"),
    "procedures": ("ليزر", "לייזר"),
    "electrotherapy": ("علاج بالكهرباء", "אלקטרותרפיה"),
    "scabs": ("القشور", "גלדים"),
    "medicines": ("دون سؤال الطبيب", "בלי לשאול את הרופא"),
    "normal": ("الكدمات الصغيرة", "חבורות קטנות"),
    "call": ("أي كتلة", "גוש כלשהו"),
    "emergency": ("صعوبة في التنفس", "קושי בנשימה"),
    "cleansing": ("الكمادة الباردة", "קומפרס קר"),
    "shaving": ("لا حلاقة", "אין לגלח"),
    "swelling": ("مدة أطول", "זמן רב יותר"),
    "head-raised": ("والرأس مرفوع", "ראש מוגבה"),
    "cold-pack": ("الكمادة الباردة", "קומפרס קר"),
    "contact-lenses": ("حتى يزول الخدر", "ההרדמה חולפת"),
    "eyes-emergency": ("أي تغير في البصر", "כל שינוי בראייה"),
    "lipstick": ("أحمر شفاه", "אודם"),
    "cold-sore": ("أول وخز", "העקצוץ הראשון"),
    "sun-exposed": ("واق من الشمس", "קרם הגנה"),
    "cleaning-products": ("قفازات", "כפפות"),
    "ice": ("10 إلى 15 دقيقة", "10 עד 15 דקות"),
    "dye": ("قبعة ضيقة", "כובע הדוק"),
    "scalp-blood": ("نقاط الدم", "נקודות דם"),
    "wash-before": ("الجلسة القادمة", "לטיפול הבא"),
    "clothes": ("لا ملابس ضاغطة", "בגד לחץ"),
    "lump": ("بعد أسابيع", "אחרי שבועות"),
    "marks": ("نقاط دقيقة", "סימנים קטנים"),
    "warmth": ("لا حرارة", "אין לחמם"),
    "bumps": ("يمنع الضغط عليها", "אין ללחוץ עליהן"),
    "deep-normal": ("عدة أيام", "כמה ימים"),
    "deep-call": ("اسود الجلد", "עור שמשחיר"),
    "device": ("تستعمل مرة واحدة", "חד־פעמיים"),
    "actives": ("ريتينويد", "רטינואיד"),
    "needle-free": ("الطعم المعدني", "טעם מתכתי"),
    "prp": ("الألم النابض", "כאב פועם"),
    "anti-inflammatories": ("مضاد للالتهاب", "נוגדת דלקת"),
    "face-down": ("الاستلقاء على الوجه", "הפנים כלפי מטה"),
    "upright": ("وضع قائم", "תנוחה זקופה"),
    "toxin-emergency": ("البلع، حتى بعد أسابيع", "בבליעה, גם אחרי שבועות"),
    "deoxycholic": ("والخدر", "תחושת נימול"),
    "deoxycholic-call": ("الابتسامة غير متناظرة", "החיוך אינו סימטרי"),
    "daily-sunscreen": ("حمامات شمس", "אין להשתזף"),
    "tranexamic-emergency": ("تورم الساق", "רגל נפוחה"),
    "hair-medicine": ("شريكة حامل", "בת זוג בהיריון"),
    "numb": ("طعام أو شراب ساخن", "דבר חם"),
    "numb-emergency": ("الرمادية المزرقة", "אפורות־כחולות"),
}

SPRING = datetime(2026, 3, 28, 17, tzinfo=UTC)  # Saturday 18:00 in Paris; clocks go on at 02:00
AUTUMN = datetime(2026, 10, 24, 17, 10, tzinfo=UTC)  # Saturday 18:10 in London; back at 02:00
PLAIN = datetime(2026, 3, 10, 11, tzinfo=UTC)  # Tuesday 12:00 in Paris
TIMES: dict[datetime, dict[int, tuple[str, str]]] = {
    PLAIN: {
        1: ("Tuesday 10 March, 13:00", "mardi 10 mars, 13:00"),
        2: ("Tuesday 10 March, 14:00", "mardi 10 mars, 14:00"),
        4: ("Tuesday 10 March, 16:00", "mardi 10 mars, 16:00"),
        8: ("Tuesday 10 March, 20:00", "mardi 10 mars, 20:00"),
        12: ("Wednesday 11 March, 00:00", "mercredi 11 mars, 00:00"),
        24: ("Wednesday 11 March, 12:00", "mercredi 11 mars, 12:00"),
        48: ("Thursday 12 March, 12:00", "jeudi 12 mars, 12:00"),
        72: ("Friday 13 March, 12:00", "vendredi 13 mars, 12:00"),
        168: ("the end of Tuesday 17 March", "mardi 17 mars inclus"),
        240: ("the end of Friday 20 March", "vendredi 20 mars inclus"),
        336: ("the end of Tuesday 24 March", "mardi 24 mars inclus"),
    },
    SPRING: {
        2: ("Saturday 28 March, 20:00", "samedi 28 mars, 20:00"),
        4: ("Saturday 28 March, 22:00", "samedi 28 mars, 22:00"),
        8: ("Sunday 29 March, 03:00", "dimanche 29 mars, 03:00"),
        12: ("Sunday 29 March, 07:00", "dimanche 29 mars, 07:00"),
        24: ("Sunday 29 March, 19:00", "dimanche 29 mars, 19:00"),
        48: ("Monday 30 March, 19:00", "lundi 30 mars, 19:00"),
        72: ("Tuesday 31 March, 19:00", "mardi 31 mars, 19:00"),
        168: ("the end of Saturday 4 April", "samedi 4 avril inclus"),
        240: ("the end of Tuesday 7 April", "mardi 7 avril inclus"),
        336: ("the end of Saturday 11 April", "samedi 11 avril inclus"),
    },
    AUTUMN: {
        1: ("Saturday 24 October, 19:15", "samedi 24 octobre, 19:15"),
        2: ("Saturday 24 October, 20:15", "samedi 24 octobre, 20:15"),
        4: ("Saturday 24 October, 22:15", "samedi 24 octobre, 22:15"),
        # 01:15 comes twice: the second one is put off until it is over.
        8: ("Sunday 25 October, 02:00", "dimanche 25 octobre, 02:00"),
        12: ("Sunday 25 October, 05:15", "dimanche 25 octobre, 05:15"),
        24: ("Sunday 25 October, 17:15", "dimanche 25 octobre, 17:15"),
        48: ("Monday 26 October, 17:15", "lundi 26 octobre, 17:15"),
        72: ("Tuesday 27 October, 17:15", "mardi 27 octobre, 17:15"),
        168: ("the end of Saturday 31 October", "samedi 31 octobre inclus"),
        240: ("the end of Tuesday 3 November", "mardi 3 novembre inclus"),
        336: ("the end of Saturday 7 November", "samedi 7 novembre inclus"),
    },
}
DAYS = {
    "Tuesday 10 March": ("يوم الثلاثاء 10 مارس", "יום שלישי 10 במרץ"),
    "Wednesday 11 March": ("يوم الأربعاء 11 مارس", "יום רביעי 11 במרץ"),
    "Thursday 12 March": ("يوم الخميس 12 مارس", "יום חמישי 12 במרץ"),
    "Friday 13 March": ("يوم الجمعة 13 مارس", "יום שישי 13 במרץ"),
    "Tuesday 17 March": ("يوم الثلاثاء 17 مارس", "יום שלישי 17 במרץ"),
    "Friday 20 March": ("يوم الجمعة 20 مارس", "יום שישי 20 במרץ"),
    "Tuesday 24 March": ("يوم الثلاثاء 24 مارس", "יום שלישי 24 במרץ"),
    "Saturday 28 March": ("يوم السبت 28 مارس", "יום שבת 28 במרץ"),
    "Sunday 29 March": ("يوم الأحد 29 مارس", "יום ראשון 29 במרץ"),
    "Monday 30 March": ("يوم الاثنين 30 مارس", "יום שני 30 במרץ"),
    "Tuesday 31 March": ("يوم الثلاثاء 31 مارس", "יום שלישי 31 במרץ"),
    "Saturday 4 April": ("يوم السبت 4 إبريل", "יום שבת 4 באפריל"),
    "Tuesday 7 April": ("يوم الثلاثاء 7 إبريل", "יום שלישי 7 באפריל"),
    "Saturday 11 April": ("يوم السبت 11 إبريل", "יום שבת 11 באפריל"),
    "Saturday 24 October": ("يوم السبت 24 أكتوبر", "יום שבת 24 באוקטובר"),
    "Sunday 25 October": ("يوم الأحد 25 أكتوبر", "יום ראשון 25 באוקטובר"),
    "Monday 26 October": ("يوم الاثنين 26 أكتوبر", "יום שני 26 באוקטובר"),
    "Tuesday 27 October": ("يوم الثلاثاء 27 أكتوبر", "יום שלישי 27 באוקטובר"),
    "Saturday 31 October": ("يوم السبت 31 أكتوبر", "יום שבת 31 באוקטובר"),
    "Tuesday 3 November": ("يوم الثلاثاء 3 نوفمبر", "יום שלישי 3 בנובמבר"),
    "Saturday 7 November": ("يوم السبت 7 نوفمبر", "יום שבת 7 בנובמבר"),
}
LANGUAGES = ("en", "fr", "ar", "he")


def time_said(ended: datetime, hours: int, language: str) -> str:
    """The time of a row as the sheet must say it; in Arabic and Hebrew from the English table."""
    english, french = TIMES[ended][hours]
    if language in ("en", "fr"):
        return (english, french)[LANGUAGES.index(language)]
    which = LANGUAGES.index(language) - 2
    if english.startswith("the end of "):
        return ("نهاية ", "סוף ")[which] + DAYS[english.removeprefix("the end of ")][which]
    day, clock = english.split(", ")
    return DAYS[day][which] + ("، الساعة ", ", בשעה ")[which] + clock


@dataclass(frozen=True)
class Case:
    """A session, the rows of the domain that it calls for, and when it ended."""

    areas: tuple[str, ...]
    technique: str
    products: tuple[str, ...]
    language: str
    rows: tuple[str, ...]
    ended: datetime = PLAIN
    numbed: bool = False
    method: str = "hand"

    def __str__(self) -> str:
        return f"{'+'.join(self.areas)}-{self.technique}-{self.products[0]}-{self.language}"


CASES = (
    Case(("cheek",), "papule", ("ha-1",), "en", ("face", "papule")),
    Case(("forehead",), "nappage", ("polyvitamin-5",), "fr", ("face", "nappage"), SPRING),
    Case(("tear-trough",), "papule", ("ha-1",), "en", ("eyes", "papule", "numbed"), AUTUMN, True),
    Case(("lip",), "papule", ("polynucleotides-20",), "fr", ("lips", "polynucleotides"), SPRING),
    Case(("vertex",), "nappage", ("dutasteride-05",), "en", ("scalp", "nappage", "dutasteride")),
    Case(("vertex",), "papule", ("prp-own-blood",), "fr", ("scalp", "papule", "prp")),
    Case(("abdomen",), "deep", ("caffeine-25",), "en", ("body", "deep"), AUTUMN),
    Case(("thigh-lateral",), "gun", ("organic-silicon-1",), "fr", ("body", "mesogun"), SPRING),
    Case(
        ("submental",),
        "deep",
        ("deoxycholic-10",),
        "en",
        ("neck", "submental", "deep", "deoxycholic"),
        AUTUMN,
    ),
    Case(("hand-dorsum",), "nappage", ("vitamin-c-10",), "fr", ("neck", "nappage", "sunscreen")),
    Case(
        ("decollete",),
        "microneedle",
        ("tranexamic-100",),
        "en",
        ("neck", "microneedling", "tranexamic"),
        SPRING,
    ),
    Case(
        ("cheek",),
        "microneedle",
        ("tranexamic-100", "vitamin-c-10"),
        "fr",
        ("face", "microneedling", "tranexamic", "sunscreen", "numbed"),
        AUTUMN,
        True,
    ),
    Case(("cheek",), "needle-free", ("peptide-cosmetic",), "en", ("face", "needle-free"), AUTUMN),
    Case(
        ("forehead",), "papule", ("botulinum-100",), "fr", ("face", "papule", "botulinum"), SPRING
    ),
    Case(("lower-back",), "sim-pain", ("ketoprofen-160",), "en", ("body", "papule", "ketoprofen")),
    Case(
        ("cheek", "vertex", "abdomen"),
        "nappage",
        ("prp-own-blood", "glutathione-100"),
        "fr",
        ("face", "scalp", "body", "nappage", "mesogun", "prp", "sunscreen"),
        AUTUMN,
        method="gun",
    ),
    Case(("forehead",), "papule", ("ha-1",), "ar", ("face", "papule")),
    Case(("vertex",), "nappage", ("dutasteride-05",), "ar", ("scalp", "nappage", "dutasteride")),
    Case(
        ("submental",),
        "deep",
        ("deoxycholic-10",),
        "ar",
        ("neck", "submental", "deep", "deoxycholic", "numbed"),
        AUTUMN,
        True,
    ),
    Case(
        ("cheek", "abdomen"),
        "microneedle",
        ("tranexamic-100", "glutathione-100"),
        "ar",
        ("face", "body", "microneedling", "tranexamic", "sunscreen"),
        SPRING,
    ),
    Case(("lower-back",), "sim-pain", ("ketoprofen-160",), "ar", ("body", "papule", "ketoprofen")),
    Case(("tear-trough",), "papule", ("ha-1",), "he", ("eyes", "papule", "numbed"), AUTUMN, True),
    Case(("lip",), "papule", ("polynucleotides-20",), "he", ("lips", "polynucleotides"), SPRING),
    Case(("vertex",), "papule", ("prp-own-blood",), "he", ("scalp", "papule", "prp")),
    Case(("forehead",), "papule", ("botulinum-100",), "he", ("face", "papule", "botulinum")),
    Case(("cheek",), "needle-free", ("peptide-cosmetic",), "he", ("face", "needle-free"), AUTUMN),
    Case(
        ("thigh-lateral",),
        "gun",
        ("organic-silicon-1",),
        "he",
        ("body", "mesogun"),
        SPRING,
    ),
)


@pytest.fixture
def world(cast: Cast) -> World:
    return make_world(cast.here, cast.practitioner, cast.treatment)


def session_of(world: World, case: Case) -> Session:
    """A session as the case has it, still open, so that the sheet counts from `case.ended`."""
    place, is_english = world.place, case.ended == AUTUMN
    place.timezone = "Europe/London" if is_english else "Europe/Paris"
    place.country = CountryProfile.objects.get(pk="GB" if is_english else "FR")
    place.save()
    session: Session = world.patient.sessions.get(number=1)
    session.location = place
    session.treated_areas.all().delete()
    for code in case.areas:
        TreatedArea.objects.create(
            session=session,
            area=Area.objects.current().get(code=code),
            chart="face-front",
            technique=Technique.objects.current().get(code=case.technique),
            method=case.method,
            depth_mm=1,
            ml_per_point=Decimal("0.02"),
        )
    for number, code in enumerate(case.products):
        product = Product.objects.current().get(code=code)
        lot = Lot.objects.create(
            location=place,
            product=product,
            number=f"LOT-{number}",
            expires_on=date(2027, 6, 30),
            quantity_ml=10,
        )
        MixComponent.objects.create(session=session, lot=lot, ml=1)
    if case.numbed:
        Anaesthesia.objects.create(
            session=session,
            anaesthetic=Anaesthetic.objects.current().get(code="emla"),
            grams=1,
            area_cm2=10,
            on_at=case.ended - timedelta(hours=1),
        )
    return session


def strictest(first: int | None, second: int | None, section: str) -> int | None:
    """Of two of one topic: an open end is the longest where it asks something of the patient."""
    hours = [one for one in (first, second) if one is not None]
    if section in ("avoid", "do") and len(hours) < 2:
        return None
    return max(hours, default=None)


def wanted(case: Case) -> Rows:
    found: Rows = {}
    for rows in (BASE, *(ROWS[name] for name in case.rows)):
        for (section, topic), hours in rows.items():
            known = found.get((section, topic), hours)
            found[(section, topic)] = strictest(known, hours, section)
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_sheets_say_what_the_domain_says_line_by_line(
    world: World, cast: Cast, language: str
) -> None:
    for row in SheetWords.objects.filter(code=language):
        approve_words(by=cast.practitioner, row=row)
    for case in (one for one in CASES if one.language == language):
        with transaction.atomic():
            content = content_of(session_of(world, case), language=language, at=case.ended)
            _check_lines(content, case)
            _check_facts(content, case, world)
            transaction.set_rollback(True)


def _check_lines(content: Content, case: Case) -> None:
    lines = {(line["section"], line["topic"]): line for line in content["lines"]}
    assert len(lines) == len(content["lines"]), f"{case}: something is said twice"
    expected = wanted(case)
    assert set(lines) == set(expected), case
    which = LANGUAGES.index(case.language)
    for (section, topic), hours in expected.items():
        line = lines[(section, topic)]
        said = time_said(case.ended, hours, case.language) if hours else ""
        assert line["said"] == said, (case, section, topic)
        assert said in line["text"], (case, section, topic)
        phrase = (*PHRASES[topic], *IN_ARABIC_AND_HEBREW[topic])[which]
        assert phrase.lower() in line["text"].lower(), (case, section, topic)
        assert "{" not in line["text"], (case, section, topic)
        assert line["language"] == case.language, (case, section, topic)
    founding = ["touch", "water", "exercise", "sun", "follow-up"]
    assert [line["topic"] for line in content["lines"][:5]] == founding, case


def _check_facts(content: Content, case: Case, world: World) -> None:
    """What was given, and whom to call."""
    place = world.place
    lots = [f"LOT-{number}" for number in range(len(case.products))]
    assert [one["lot"] for one in content["products"]] == lots
    assert all(one["substances"] for one in content["products"])
    assert {one["expires"] for one in content["products"]} == {"2027-06-30"}
    assert bool(content["numbing"]) == case.numbed
    assert len(content["areas"]) == len(case.areas)
    assert content["phone"] == place.phone
    assert content["phone_out_of_hours"] == place.phone_out_of_hours
    emergency = {"Europe/London": "999", "Europe/Paris": "112 (15)"}
    assert content["emergency_number"] == emergency[place.timezone]
    assert (content["initials"], content["version"]) == (world.patient.initials, 1)
