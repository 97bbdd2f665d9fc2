"""The texts a clinic starts with. A location that has not written its own uses these.

The French SMS keep to the letters of GSM 03.38, so that they cost no more than they need.
"""

from __future__ import annotations

from typing import Final

from patients.messages.kinds import Kind
from patients.messages.texts import Words

SHIPPED: Final[dict[tuple[str, str], Words]] = {
    (Kind.CONFIRMATION, "en"): Words(
        "Your appointment is booked",
        "Hello,\n\nyour appointment at {clinic} is booked:\n\n{when}\n\n{address}\n\n"
        "The attached file puts it into your calendar. If you cannot come, please call {phone} as "
        "early as you can.\n\nYour own page, with what there is to read and to fill in before:\n"
        "{link}\n\n{clinic}\n",
        "{clinic}: your appointment is booked, {when}. If you cannot come, call {phone}.",
    ),
    (Kind.CONFIRMATION, "fr"): Words(
        "Votre rendez-vous est enregistré",
        "Bonjour,\n\nvotre rendez-vous à {clinic} est enregistré :\n\n{when}\n\n{address}\n\n"
        "Le fichier joint l’ajoute à votre agenda. Si vous ne pouvez pas venir, appelez-nous dès "
        "que possible au {phone}.\n\nVotre page personnelle, avec ce qu’il y a à lire et à remplir "
        "avant votre venue :\n{link}\n\n{clinic}\n",
        "{clinic} : rendez-vous enregistré, {when}. En cas d'empêchement : {phone}.",
    ),
    (Kind.CHANGE, "en"): Words(
        "Your appointment has a new time",
        "Hello,\n\nyour appointment at {clinic} has been moved. It is now:\n\n{when}\n\n{address}"
        "\n\nThe attached file changes it in your calendar. If this does not suit you, please call "
        "{phone}.\n\n{clinic}\n",
        "{clinic}: your appointment has been moved to {when}. If this does not suit: {phone}.",
    ),
    (Kind.CHANGE, "fr"): Words(
        "Votre rendez-vous a été déplacé",
        "Bonjour,\n\nvotre rendez-vous à {clinic} a été déplacé. Il a maintenant lieu :\n\n{when}"
        "\n\n{address}\n\nLe fichier joint le modifie dans votre agenda. Si cela ne vous convient "
        "pas, appelez-nous au {phone}.\n\n{clinic}\n",
        "{clinic} : rendez-vous déplacé, {when}. Si cela ne convient pas : {phone}.",
    ),
    (Kind.CANCELLATION, "en"): Words(
        "Your appointment is cancelled",
        "Hello,\n\nthis appointment at {clinic} is cancelled:\n\n{when}\n\nThe attached file "
        "cancels it in your calendar. For a new time, please call {phone}.\n\n{clinic}\n",
        "{clinic}: your appointment {when} is cancelled. For a new time call {phone}.",
    ),
    (Kind.CANCELLATION, "fr"): Words(
        "Votre rendez-vous est annulé",
        "Bonjour,\n\nce rendez-vous à {clinic} est annulé :\n\n{when}\n\nLe fichier joint "
        "l’annule dans votre agenda. Pour une nouvelle date, appelez-nous au {phone}."
        "\n\n{clinic}\n",
        "{clinic} : votre rendez-vous {when} est annulé. Pour une nouvelle date : {phone}.",
    ),
    (Kind.REMINDER, "en"): Words(
        "A reminder of your appointment",
        "Hello,\n\nwe are expecting you at {clinic}:\n\n{when}\n\n{address}\n\nIf you cannot come, "
        "please call {phone} now, so that someone else can have the time.\n\nYour own page, with "
        "what there is to read and to fill in before:\n{link}\n\n{clinic}\n",
        "{clinic}: we are expecting you, {when}. If you cannot come, please call {phone}.",
    ),
    (Kind.REMINDER, "fr"): Words(
        "Rappel de votre rendez-vous",
        "Bonjour,\n\nnous vous attendons à {clinic} :\n\n{when}\n\n{address}\n\nSi vous ne pouvez "
        "pas venir, appelez-nous dès maintenant au {phone}, afin que quelqu’un d’autre puisse "
        "profiter de ce créneau.\n\nVotre page personnelle, avec ce qu’il y a à lire et à remplir "
        "avant votre venue :\n{link}\n\n{clinic}\n",
        "{clinic} : nous vous attendons, {when}. En cas d'empêchement : {phone}.",
    ),
    (Kind.NO_SHOW, "en"): Words(
        "We missed you",
        "Hello,\n\nwe had expected you at {clinic}:\n\n{when}\n\nWe hope that all is well. For a "
        "new appointment, please call {phone}.\n\n{clinic}\n",
        "{clinic}: we missed you, {when}. For a new appointment call {phone}.",
    ),
    (Kind.NO_SHOW, "fr"): Words(
        "Nous vous attendions",
        "Bonjour,\n\nnous vous attendions à {clinic} :\n\n{when}\n\nNous espérons que tout va "
        "bien. Pour un nouveau rendez-vous, appelez-nous au {phone}.\n\n{clinic}\n",
        "{clinic} : nous vous attendions, {when}. Nouveau rendez-vous : {phone}.",
    ),
    (Kind.OFFER, "en"): Words(
        "A time has become free",
        "Hello,\n\na time has become free at {clinic}:\n\n{when}\n\nIt is kept for you until "
        "{until}. Take it or leave it on your own page:\n\n{link}\n\n{clinic}\n",
        "{clinic}: free for you {when}, kept until {until}: {link}",
    ),
    (Kind.OFFER, "fr"): Words(
        "Un créneau s’est libéré",
        "Bonjour,\n\nun créneau s’est libéré à {clinic} :\n\n{when}\n\nIl vous est réservé "
        "jusqu’à {until}. Acceptez-le ou refusez-le sur votre page personnelle :\n\n{link}\n\n"
        "{clinic}\n",
        "{clinic} : libre pour vous {when}, réservé jusqu'à {until} : {link}",
    ),
    (Kind.RECALL, "en"): Words(
        "We have not seen you for a while",
        "Hello,\n\nit has been a while since you were at {clinic}. If you would like to come "
        "again, call {phone}; we shall find a time that suits you.\n\nIf you would rather not be "
        "invited, say so on your own page:\n{link}\n\n{clinic}\n",
        "{clinic}: it has been a while. For an appointment call {phone}. To stop: {link}",
    ),
    (Kind.RECALL, "fr"): Words(
        "Cela fait un moment",
        "Bonjour,\n\nvotre dernière visite à {clinic} remonte à quelque temps. Si vous "
        "souhaitez revenir, appelez-nous au {phone} ; nous trouverons un horaire qui vous "
        "convient.\n\nSi vous préférez ne plus recevoir d’invitations, dites-le sur votre page "
        "personnelle :\n{link}\n\n{clinic}\n",
        "{clinic} : cela fait un moment. Rendez-vous au {phone}. Ne plus recevoir : {link}",
    ),
    (Kind.SAFETY, "en"): Words(
        "Please contact your clinic",
        "Hello,\n\nplease call {clinic} at {phone}: we would like to speak with you. You will also "
        "find a letter from us on your own page:\n\n{link}\n\n{clinic}\n",
        "{clinic}: please call {phone}, or read our letter: {link}",
    ),
    (Kind.SAFETY, "fr"): Words(
        "Merci de contacter votre clinique",
        "Bonjour,\n\nmerci d’appeler {clinic} au {phone} : nous souhaitons vous parler. Une lettre "
        "de notre part vous attend aussi sur votre page personnelle :\n\n{link}\n\n{clinic}\n",
        "{clinic} : merci de nous appeler au {phone}, ou lisez notre lettre : {link}",
    ),
    (Kind.CHECK_IN, "en"): Words(
        "A short question from your clinic",
        "Hello,\n\nhow are you after your visit? Please answer a few short questions; it takes "
        "less than a minute:\n\n{link}\n\nIf you are worried, do not wait: call {phone}.\n\n"
        "{clinic}\n",
        "{clinic}: how are you after your visit? Please answer: {link} Worried? Call {phone}.",
    ),
    (Kind.CHECK_IN, "fr"): Words(
        "Une petite question de votre clinique",
        "Bonjour,\n\ncomment allez-vous depuis votre visite ? Merci de répondre à quelques "
        "questions courtes ; cela prend moins d’une minute :\n\n{link}\n\nSi vous êtes inquiet ou "
        "inquiète, n’attendez pas : appelez le {phone}.\n\n{clinic}\n",
        "{clinic} : comment allez-vous ? Merci de répondre : {link} Inquiet ? Appelez le {phone}.",
    ),
}
