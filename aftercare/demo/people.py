"""Invented people with plausible names of several languages. Pure: the same seed, the same people.

Mail goes to reserved domains (RFC 2606), phones to the ranges that regulators keep for fiction
(Arcep 06 39 98, Ofcom 07700 900), so nothing of the demo can reach a real person.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from random import Random

FEMALE, MALE = "female", "male"


@dataclass(frozen=True)
class Culture:
    """Names that belong together, and how often they occur in Paris and in London."""

    female: tuple[str, ...]
    male: tuple[str, ...]
    family: tuple[str, ...]
    paris: int
    london: int


def _culture(female: str, male: str, family: str, paris: int, london: int) -> Culture:
    return Culture(
        tuple(female.split(", ")), tuple(male.split(", ")), tuple(family.split(", ")), paris, london
    )


CULTURES = (
    _culture(
        "Élodie, Camille, Anaïs, Océane, Hélène, Maëlle, Clémence, Solène, Agnès, Bérénice, "
        "Margaux, Inès, Jeanne, Zoé, Françoise, Marie-Laure, Aurélie, Noémie",
        "Étienne, Loïc, Benoît, Raphaël, Jérôme, Gaël, Théo, Rémi, Hugo, Jean-Baptiste, Anaël, "
        "Cédric, Aurélien, Maxime, Yann",
        "Lefèvre, Garçon, Benoît, D’Aubigné, L’Hôpital, Dupré, Bélanger, Moreau, Chevalier, "
        "Perrin, Lemaître, Rousseau, Guérin, Fabre, Le Goff, Mathieu, Noël, Picard, Renaud, "
        "Saint-Exupère, Vasseur, Barbier, Collet, Delacroix",
        10,
        1,
    ),
    _culture(
        "Charlotte, Imogen, Harriet, Poppy, Beatrice, Florence, Georgina, Rosalind, Verity, "
        "Philippa, Elspeth, Niamh, Siân, Róisín, Aoife, Catrin",
        "Oliver, Alistair, Rupert, Fergus, Declan, Callum, Rhys, Cormac, Séamus, Eoin, Hamish, "
        "Graham, Tobias, Elliot",
        "O’Keefe, O’Sullivan, MacIntyre, Whitcombe, Ashworth, Fairfax, Blackwood, Featherstone, "
        "Llewellyn, Ó Briain, Pemberton, Sinclair, Thornbury, Wetherby, Hargreaves, D’Arcy, "
        "Kingsley-Shaw, Ó Dálaigh, Aldridge, Marchmont",
        1,
        10,
    ),
    _culture(
        "Lucía, Begoña, Inés, Sofía, Ximena, Rocío, Belén",
        "Álvaro, Iñaki, Andrés, Joaquín, Ramón, Íñigo",
        "Núñez Ibáñez, Peña, García Márquez, Muñoz, Echeverría, Yáñez, de la Cruz, Zúñiga",
        3,
        2,
    ),
    _culture(
        "Joana, Conceição, Inês, Marília, Luísa, Assunção",
        "João, Antão, Luís, Estêvão, Simão, Sebastião",
        "Gonçalves, Magalhães, Simões, Conceição, d’Ávila, Falcão, Guimarães, Antunes",
        3,
        1,
    ),
    _culture(
        "Małgorzata, Żaneta, Agnieszka, Łucja, Bożena, Wisława",
        "Łukasz, Paweł, Michał, Bogusław, Grzegorz, Świętosław",
        "Wójcik, Kowalczyk, Dąbrowska, Błaszczyk, Grzęda, Żuraw, Śliwa, Jabłoński",
        2,
        4,
    ),
    _culture(
        "Ayşe, Gülşen, Çiğdem, Şule, Nergis",
        "Oğuz, İbrahim, Çağlar, Yiğit, Ömer",
        "Yılmaz, Öztürk, Çelik, Şahin, Güneş, Aydoğan",
        2,
        2,
    ),
    _culture(
        "Nguyệt, Thuỳ Linh, Phương, Hồng Vân, Ánh",
        "Đức, Tuấn, Quốc Bảo, Hữu Thắng",
        "Nguyễn, Trần, Phạm, Đặng, Võ, Huỳnh",
        2,
        1,
    ),
    _culture(
        "Ελένη, Δήμητρα, Χρυσούλα, Αγγελική",
        "Γιώργος, Νίκος, Λευτέρης",
        "Παπαδοπούλου, Αντωνίου, Κωνσταντίνου, Ιωάννου",
        1,
        1,
    ),
    _culture(
        "Jördis, Käthe, Sigrún, Anneliese, Bärbel",
        "Jörg, Götz, Björn, Søren, Åke, Ásgeir",
        "Müller-Lüdenscheidt, Groß, Bjørnsdóttir, Åkesson, Jørgensen, Schröder, Weiß",
        1,
        2,
    ),
    _culture(
        "Leïla, Noor, Yasmine, Salma, Amel, Hind",
        "Rachid, Karim, Idriss, Samir, Youssef, Anouar",
        "Ben Saïd, El Amrani, Haddad, Bouzid, Al-Masri, Belkacem, Chérif",
        4,
        2,
    ),
    _culture(
        "Adwoa, Ngozi, Folasade, Aïssatou, Mariam",
        "Kwabena, Chukwuemeka, Oluwaseun, Mamadou, Kofi",
        "Okonkwo, N’Diaye, Adeyẹmi, Traoré, Boateng, M’Bala, Diallo",
        2,
        3,
    ),
    _culture(
        "Ștefania, Božena, Zdeňka, Kateřina, Ilona",
        "Ștefan, Jiří, Tomáš, András, László",
        "Dvořák, Nováková, Ionescu, Țurcanu, Szőke, Kovács, Růžička",
        1,
        2,
    ),
)
LONGEST = (
    "Wolfeschlegelsteinhausenberger-Montgomery",
    "Maria Immaculata Theodora Konstantina Alexandrina Wilhelmina",
)
MAILS = ("example.org", "example.com", "example.net")


@dataclass(frozen=True)
class Person:
    """Someone who may become a patient; `weight_kg` is what they will say of themselves."""

    given_name: str
    family_name: str
    birth_date: date
    sex: str
    phone: str
    email: str
    language: str
    weight_kg: Decimal

    @property
    def name(self) -> str:
        """As they would sign."""
        return f"{self.given_name} {self.family_name}"


def people(*, seed: int, country: str, today: date) -> Iterator[Person]:
    """An endless line of people of one country ("FR", or anything else for Britain).

    The first one has a very long name. Now and then a parent is followed by two children of age
    or a partner, with the same family name, the same e-mail and no phone of their own.
    """
    random = Random(f"{seed} {country}")  # noqa: S311  plausible, not secret
    weights = [one.paris if country == "FR" else one.london for one in CULTURES]
    number = 0
    while True:
        culture = random.choices(CULTURES, weights)[0]
        head = _person(random, culture, country, today, number, LONGEST if not number else None)
        yield head
        number += 1
        for _relative in range(random.choice((0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2))):
            yield _relative_of(head, random, culture, today)
            number += 1


def _person(
    random: Random,
    culture: Culture,
    country: str,
    today: date,
    number: int,
    named: tuple[str, str] | None,
) -> Person:
    sex = random.choices((FEMALE, MALE), (4, 1))[0]
    given = named[1] if named else random.choice(culture.female if sex == FEMALE else culture.male)
    family = named[0] if named else random.choice(culture.family)
    speaks_french = random.random() < (0.85 if country == "FR" else 0.05)
    return Person(
        given_name=given,
        family_name=family,
        birth_date=_birth_date(random, today, 19, 78),
        sex=sex,
        phone=_phone(random, country) if random.random() < 0.9 else "",
        email=_email(given, family, number, random) if random.random() < 0.93 else "",
        language="fr" if speaks_french else "en",
        weight_kg=_weight(random, sex),
    )


def _relative_of(head: Person, random: Random, culture: Culture, today: date) -> Person:
    sex = random.choice((FEMALE, MALE))
    return Person(
        given_name=random.choice(culture.female if sex == FEMALE else culture.male),
        family_name=head.family_name,
        birth_date=_birth_date(random, today, 19, 60),
        sex=sex,
        phone="",
        email=head.email,
        language=head.language,
        weight_kg=_weight(random, sex),
    )


def _birth_date(random: Random, today: date, youngest: int, oldest: int) -> date:
    return today - timedelta(days=random.randint(youngest * 366, oldest * 365))


def _weight(random: Random, sex: str) -> Decimal:
    middle = 64 if sex == FEMALE else 80
    return Decimal(round(min(130.0, max(46.0, random.gauss(middle, 9))) * 2)) / 2


def _phone(random: Random, country: str) -> str:
    if country == "FR":
        return f"+3363998{random.randrange(10_000):04d}"
    return f"+447700900{random.randrange(1_000):03d}"


def _email(given: str, family: str, number: int, random: Random) -> str:
    name = ".".join(
        _plain(part) for part in (given.split(maxsplit=1)[0], family.rsplit(maxsplit=1)[-1])
    )
    return f"{name.strip('.') or 'patient'}{number}@{random.choice(MAILS)}"


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFKD", text.lower())
    return "".join(letter for letter in folded if letter.isascii() and letter.isalnum())[:24]
