"""A consent in four languages, to be rendered, looked at, and copied out again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.template.loader import render_to_string
from django.utils import translation

from patients.documents.evidence import Evidence, Signed, with_evidence

NUMBER = UUID("3f2c7d90-5a41-4f5e-9d0a-6a1e6cf20b11")
DRAWING = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 600 220" role="img"><title>Signature'
    '</title><path d="M40 160 C120 20 160 20 180 160 S260 220 330 90 480 40 560 150" fill="none" '
    'stroke="#1b2430" stroke-width="5"/></svg>'
)


@dataclass(frozen=True)
class Paper:
    """What one language's consent says. `lines` are whole sentences to be found again."""

    language: str
    title: str
    patient: str
    place: str
    heading: str
    lines: tuple[str, ...]
    points: tuple[str, ...]
    part: str
    method: str


PAPERS = {
    one.language: one
    for one in (
        Paper(
            "en",
            "Consent to treatment",
            "Élodie Martin-O’Keefe",
            "Rive Gauche Clinic",
            "What will be done",
            (
                "Small amounts of lidocaine 1 % (10 mg/mL) are injected 2 to 4 mm deep.",
                "You may stop at any time, without a reason.",
            ),
            ("Bruises are common.", "A lump after 2 to 12 weeks: call +33 1 23 45 67 89."),
            "patient",
            "drawn",
        ),
        Paper(
            "fr",
            "Consentement au traitement",
            "Ségolène Lefèbvre d’Œuvray",
            "Clinique de la Rive Gauche",
            "Ce qui sera fait",
            (
                "De petites quantités de lidocaïne à 1 % (10 mg/mL) sont injectées à 2 mm.",
                "Vous pouvez arrêter à tout moment, sans donner de raison.",
            ),
            ("Des ecchymoses sont fréquentes.", "Une boule après 2 à 12 semaines : appelez-nous."),
            "patiente",
            "dessinée",
        ),
        Paper(
            "ar",
            "الموافقة على العلاج",
            "ليلى بن يوسف",
            "عيادة الضفة اليسرى",
            "ما الذي سيتم",
            (
                "تُحقن كميات صغيرة من الليدوكائين على عمق ملليمترين إلى أربعة.",
                "يمكنك التوقف في أي وقت دون إبداء سبب.",
            ),
            ("الكدمات شائعة.", "اتصلي بالعيادة إذا ظهر تورم بعد اثني عشر أسبوعا."),
            "المريضة",
            "مرسوم",
        ),
        Paper(
            "he",
            "הסכמה לטיפול",
            "נועה בן־דוד",
            "מרפאת הגדה השמאלית",
            "מה ייעשה",
            (
                "כמויות קטנות של לידוקאין מוזרקות לעומק של שניים עד ארבעה מילימטרים.",
                "אפשר להפסיק בכל עת, בלי לתת סיבה.",
            ),
            ("חבורות הן שכיחות.", "אם מופיע גוש אחרי שנים עשר שבועות יש להתקשר למרפאה."),
            "המטופלת",
            "מצויר",
        ),
    )
}


def whole_page(paper: Paper) -> str:
    """The HTML of a signed consent with its evidence page."""
    points = "".join(f"<li>{one}</li>" for one in paper.points)
    words = "".join(f"<p>{one}</p>" for one in paper.lines)
    location = {
        "name": paper.place,
        "address": "1 rue de l’Essai\n75005 Paris",
        "phone": "+33 1 23 45 67 89",
        "email": "clinic@example.org",
    }
    with translation.override(paper.language):
        base = render_to_string(
            "pdf/base.html",
            {
                "language": paper.language,
                "location": location,
                "patient": {"initials": "LB", "number": "P000123"},
            },
        )
    body = (
        f"<h1>{paper.title}</h1><p class='lead'>{paper.patient}</p><h2>{paper.heading}</h2>{words}"
        f"<ul>{points}</ul><div class='signatures'><div class='signature'>{DRAWING}"
        f"<p><strong>{paper.patient}</strong></p></div></div>"
    )
    html = base.replace("<title></title>", f"<title>{paper.title}</title>")
    moment = datetime(2026, 7, 1, 9, 30, tzinfo=ZoneInfo("Europe/Paris"))
    signed = Signed(paper.patient, paper.part, paper.method, moment, paper.place, DRAWING)
    evidence = Evidence(f"{paper.title} 12", [signed], "ab" * 32, "2026-01")
    return with_evidence(
        html.replace("</body>", f"{body}</body>"),
        evidence,
        number=NUMBER,
        language=paper.language,
    )
