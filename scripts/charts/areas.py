"""What every treatable area is called, coded as and grouped under.

SNOMED CT codes are those of "Skin of ..." in DICOM PS3.16 context group 4029 (version 20240913);
areas that the group does not hold are local and carry no code.
"""

from __future__ import annotations

from typing import NamedTuple

DICOM = "DICOM PS3.16 CID 4029 (20240913)"
LOCAL = "local"


class Area(NamedTuple):
    code: str
    name_en: str
    name_fr: str
    snomed: str | None
    parent: str | None
    group: str
    thorax_risk: bool = False


AREAS = [
    Area("face", "Face", "Visage", "73897004", None, "face"),
    Area("forehead", "Forehead", "Front", "68698007", "face", "face"),
    Area("glabella", "Glabella", "Glabelle", None, "face", "face"),
    Area("eyebrow", "Eyebrow", "Sourcil", "367577003", "face", "face"),
    Area("temple", "Temple", "Tempe", "16621002", "face", "face"),
    Area("periorbital", "Periorbital region", "Région périorbitaire", "362916000", "face", "eyes"),
    Area("crows-feet", "Crow's feet", "Patte d'oie", "37671003", "periorbital", "eyes"),
    Area("upper-eyelid", "Upper eyelid", "Paupière supérieure", "41310005", "periorbital", "eyes"),
    Area("lower-eyelid", "Lower eyelid", "Paupière inférieure", "40069000", "periorbital", "eyes"),
    Area("tear-trough", "Tear trough", "Vallée des larmes", None, "periorbital", "eyes"),
    Area("medial-canthus", "Inner corner of the eye", "Canthus interne", "27887005",
         "periorbital", "eyes"),
    Area("cheek", "Cheek", "Joue", "36141000", "face", "face"),
    Area("paranasal", "Cheek beside the nose", "Joue paranasale", "DCM 130314", "face", "face"),
    Area("nose", "Nose", "Nez", "113179006", "face", "face"),
    Area("nasolabial-fold", "Nasolabial fold", "Sillon nasogénien", "37108007", "face", "face"),
    Area("preauricular", "Preauricular region", "Région préauriculaire", "86719006", "face",
         "face"),
    Area("jawline", "Jawline", "Ovale mandibulaire", "244097004", "face", "face"),
    Area("jowl", "Jowl", "Bajoue", None, "face", "face"),
    Area("chin", "Chin", "Menton", "23747009", "face", "face"),
    Area("perioral", "Perioral region", "Région péribuccale", "110488009", "face", "lips"),
    Area("philtrum", "Philtrum", "Philtrum", "84365009", "perioral", "lips"),
    Area("lip", "Lips", "Lèvres", "88089004", "perioral", "lips"),
    Area("upper-lip", "Upper lip", "Lèvre supérieure", "16251004", "lip", "lips"),
    Area("lower-lip", "Lower lip", "Lèvre inférieure", "66934001", "lip", "lips"),
    Area("neck", "Neck", "Cou", "43081002", None, "neck-decollete-hands", True),
    Area("submental", "Under the chin", "Région sous-mentonnière", "34926004", "neck",
         "neck-decollete-hands"),
    Area("neck-anterior", "Front of the neck", "Face antérieure du cou", "11584001", "neck",
         "neck-decollete-hands", True),
    Area("neck-lateral", "Side of the neck", "Face latérale du cou", "5272005", "neck",
         "neck-decollete-hands", True),
    Area("nape", "Nape", "Nuque", "4658004", "neck", "neck-decollete-hands", True),
    Area("decollete", "Décolleté", "Décolleté", "244106003", None, "neck-decollete-hands", True),
    Area("sternal", "Breastbone", "Région sternale", "244107007", "decollete",
         "neck-decollete-hands", True),
    Area("infraclavicular", "Below the collarbone", "Région sous-claviculaire", "66288003",
         "decollete", "neck-decollete-hands", True),
    Area("hand", "Hand", "Main", "33712006", None, "neck-decollete-hands"),
    Area("hand-dorsum", "Back of the hand", "Dos de la main", "281642007", "hand",
         "neck-decollete-hands"),
    Area("scalp", "Scalp", "Cuir chevelu", "43067004", None, "scalp"),
    Area("frontal-scalp", "Front of the scalp", "Cuir chevelu frontal", None, "scalp", "scalp"),
    Area("vertex", "Vertex", "Vertex", "61719002", "scalp", "scalp"),
    Area("parietal-scalp", "Parietal scalp", "Cuir chevelu pariétal", "21672008", "scalp",
         "scalp"),
    Area("temporal-scalp", "Temporal scalp", "Cuir chevelu temporal", "16621002", "scalp",
         "scalp"),
    Area("occipital-scalp", "Occipital scalp", "Cuir chevelu occipital", "79951008", "scalp",
         "scalp"),
    Area("shoulder", "Shoulder", "Épaule", None, None, "body", True),
    Area("axilla", "Armpit", "Aisselle", "76261009", None, "body", True),
    Area("upper-arm-anterior", "Front of the upper arm", "Face antérieure du bras", "45981001",
         None, "body"),
    Area("upper-arm-posterior", "Back of the upper arm", "Face postérieure du bras", "72939005",
         None, "body"),
    Area("forearm-anterior", "Front of the forearm", "Face antérieure de l'avant-bras",
         "70559009", None, "body"),
    Area("forearm-posterior", "Back of the forearm", "Face postérieure de l'avant-bras",
         "41550009", None, "body"),
    Area("abdomen", "Abdomen", "Abdomen", "75093004", None, "body"),
    Area("upper-abdomen", "Upper abdomen", "Abdomen supérieur", "699935000", "abdomen", "body"),
    Area("epigastric", "Epigastric region", "Région épigastrique", "30598005", "upper-abdomen",
         "body"),
    Area("umbilicus", "Umbilicus", "Ombilic", "315003", "abdomen", "body"),
    Area("lower-abdomen", "Lower abdomen", "Abdomen inférieur", "699914002", "abdomen", "body"),
    Area("hypogastric", "Hypogastric region", "Région hypogastrique", "367578008",
         "lower-abdomen", "body"),
    Area("flank", "Flank", "Flanc", None, None, "body"),
    Area("back", "Back", "Dos", "66643007", None, "body", True),
    Area("upper-back", "Upper back", "Haut du dos", "699893008", "back", "body", True),
    Area("lower-back", "Lower back", "Bas du dos", "113182001", "back", "body"),
    Area("buttock", "Buttock", "Fesse", "22180002", None, "body"),
    Area("gluteal-fold", "Gluteal fold", "Pli sous-fessier", "63029009", None, "body"),
    Area("thigh-anterior", "Front of the thigh", "Face antérieure de la cuisse", "61248009",
         None, "body"),
    Area("thigh-posterior", "Back of the thigh", "Face postérieure de la cuisse", "4578000",
         None, "body"),
    Area("thigh-medial", "Inner thigh", "Face interne de la cuisse", "73958006", None, "body"),
    Area("thigh-lateral", "Outer thigh", "Face externe de la cuisse", None, None, "body"),
    Area("knee-anterior", "Front of the knee", "Face antérieure du genou", "181553006", None,
         "body"),
    Area("popliteal", "Back of the knee", "Creux poplité", "84507004", None, "body"),
    Area("lower-leg-anterior", "Front of the lower leg", "Face antérieure de la jambe",
         "25763004", None, "body"),
    Area("lower-leg-posterior", "Back of the lower leg", "Face postérieure de la jambe",
         "47224004", None, "body"),
]  # fmt: skip
