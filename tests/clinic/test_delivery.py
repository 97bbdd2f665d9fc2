"""What the transports say became of a message, against servers that misbehave on purpose."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

import pytest
from aiosmtpd.controller import Controller

from clinic.delivery.email import send_email
from clinic.delivery.outcome import NotHandedOver, Rejected, Unknown
from clinic.delivery.sms import send_sms

LETTER = {
    "to": "Élodie <elodie@example.org>",
    "subject": "Your clinic\nhas something",
    "body": "Bonjour,\n.\nà bientôt",
    "message_id": "<message-1@clinic.invalid>",
    "language": "fr",
    "reply_to": "clinic@example.org",
}


def by_smtp(settings, port: int) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    settings.EMAIL_TIMEOUT = 2


class Sink:
    def __init__(self) -> None:
        self.letters = []

    async def handle_DATA(self, server, session, envelope):  # noqa: N802  (aiosmtpd's name)
        self.letters.append(envelope)
        return "250 OK"


@pytest.fixture
def sink(settings):
    keeper = Sink()
    controller = Controller(keeper, hostname="127.0.0.1", port=free_port())
    controller.start()
    by_smtp(settings, controller.port)
    yield keeper
    controller.stop()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Scripted:
    """A server that answers each command as told; '' breaks off, None never answers."""

    def __init__(self, answers: dict[str, str | None]) -> None:
        self.answers = {
            "": "220 x",
            "ehlo": "250 x",
            "mail": "250 x",
            "rcpt": "250 x",
            "data": "354 x",
            ".": "250 x",
            "quit": "221 x",
            **answers,
        }
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self) -> None:
        caller, _address = self.socket.accept()
        with caller, caller.makefile("rb") as lines:
            if not self.say(caller, ""):
                return
            for line in lines:
                word = line.decode(errors="replace").split(" ")[0].strip().lower()
                if word in self.answers and word and not self.say(caller, word):
                    return

    def say(self, caller: socket.socket, word: str) -> bool:
        answer = self.answers[word]
        if answer is None:
            self.ended.wait(10)
            return False
        if not answer:
            return False
        caller.sendall(answer.encode() + b"\r\n")
        return True

    def close(self) -> None:
        self.ended.set()
        self.socket.close()
        self.thread.join()


@pytest.fixture
def scripted(settings):
    open_ones = []

    def start(**answers: str | None) -> None:
        named = {
            {"greeting": "", "dot": "."}.get(key, key): value for key, value in answers.items()
        }
        server = Scripted(named)
        open_ones.append(server)
        by_smtp(settings, server.port)

    yield start
    for server in open_ones:
        server.close()


def test_a_letter_arrives_whole(sink):
    send_email(**LETTER)
    (envelope,) = sink.letters
    text = envelope.content.decode()
    assert envelope.rcpt_tos == ["elodie@example.org"]
    assert "Message-ID: <message-1@clinic.invalid>" in text
    assert "Content-Language: fr" in text
    assert "Subject: Your clinic has something" in text
    assert "Reply-To: clinic@example.org" in text


@pytest.mark.parametrize(
    ("answers", "outcome"),
    [
        ({"greeting": "421 busy"}, NotHandedOver),
        ({"greeting": ""}, NotHandedOver),
        ({"mail": "451 later"}, NotHandedOver),
        ({"rcpt": "450 greylisted"}, NotHandedOver),
        ({"rcpt": ""}, NotHandedOver),
        ({"rcpt": None}, NotHandedOver),
        ({"rcpt": "550 no such mailbox"}, Rejected),
        ({"mail": "553 no"}, Rejected),
        ({"data": "451 later"}, NotHandedOver),
        ({"data": "554 no"}, Rejected),
        ({"dot": "452 full"}, NotHandedOver),
        ({"dot": "552 too big"}, Rejected),
        ({"dot": ""}, Unknown),
        ({"dot": None}, Unknown),
    ],
)
def test_every_way_to_go_wrong_has_its_name(scripted: Callable[..., None], answers, outcome):
    scripted(**answers)
    with pytest.raises(outcome):
        send_email(**LETTER)


@pytest.mark.parametrize("address", ["", "a@b@example.org"])
def test_what_is_no_address_is_refused(scripted, address):
    scripted()
    with pytest.raises(Rejected):
        send_email(**{**LETTER, "to": address})


def test_a_domain_in_its_own_script_is_written_as_mail_wants_it(sink):
    send_email(**{**LETTER, "to": "elodie@exämple.org"})
    assert sink.letters[0].rcpt_tos == ["elodie@xn--exmple-cua.org"]


def test_a_goodbye_that_fails_does_not_unsend(scripted):
    scripted(quit="")
    send_email(**LETTER)


def test_nobody_there_is_not_handed_over(settings):
    by_smtp(settings, free_port())
    with pytest.raises(NotHandedOver):
        send_email(**LETTER)


def test_an_sms_without_a_gateway_is_refused(settings):
    settings.SMS_URL = ""
    with pytest.raises(Rejected):
        send_sms(to="+33612345678", body="x")


def test_a_gateway_nobody_knows_is_refused(settings):
    settings.SMS_URL = "nonsense"
    with pytest.raises(Rejected):
        send_sms(to="+33612345678", body="x")


@pytest.mark.filterwarnings("ignore:'imghdr':DeprecationWarning")
def test_a_gateway_that_does_not_confirm_is_unknown(settings):
    settings.SMS_URL = f"json://127.0.0.1:{free_port()}/sms"
    with pytest.raises(Unknown):
        send_sms(to="+33612345678", body="x")
