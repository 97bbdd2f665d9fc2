"""The private servers, started for real: they start, are killed, start again and lose nothing."""

from __future__ import annotations

import email
import json
import os
import signal
import smtplib
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path

import psycopg
import pytest
import redis
from django.conf import settings
from django.test import Client

from clinic.embedded import child, services, supervisor, urls
from clinic.embedded.keys import ensure_keys
from clinic.embedded.lock import held
from clinic.embedded.postgres import Postgres
from clinic.embedded.redis import Redis
from clinic.embedded.services import Service
from clinic.embedded.supervisor import Supervisor
from clinic.embedded.trouble import EmbeddedError, descendants, is_alive, wait_until_gone


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[Postgres]:
    server = Postgres(tmp_path)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def private_redis(tmp_path: Path) -> Iterator[Redis]:
    server = Redis(tmp_path)
    server.start()
    yield server
    server.stop()


def eventually(question: Callable[[], object], seconds: float = 30) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if question():
            return True
        time.sleep(0.05)
    return False


# -- addresses ---------------------------------------------------------------------------------


def test_a_short_path_keeps_its_sockets_beside_the_data() -> None:
    base = Path("/srv/clinic/.clinic")
    assert urls.socket_folder(base) == base / "run"


def test_a_long_path_gets_a_short_folder_of_its_own() -> None:
    long, other = Path("/srv/" + "x" * 90), Path("/srv/" + "y" * 90)
    folder = urls.socket_folder(long)
    assert len(str(folder / urls.POSTGRES_SOCKET_NAME)) < urls.SOCKET_PATH_LIMIT
    assert folder == urls.socket_folder(long)
    assert folder != urls.socket_folder(other)


def test_addresses_start_and_create_nothing(tmp_path: Path) -> None:
    base = tmp_path / "nothing"
    urls.database_url("app", base)
    urls.redis_url(base)
    urls.email_url(base)
    urls.sms_url(base)
    assert not base.exists()


def test_the_roles_have_addresses_of_their_own(tmp_path: Path) -> None:
    assert "clinic_app@" in urls.database_url("app", tmp_path)
    assert "clinic_owner@" in urls.database_url("owner", tmp_path)


def test_two_clones_try_different_ports_first(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    assert len({urls.mail_port(one), urls.sms_port(one), urls.mail_port(two)}) == 3


def test_keys_are_private_and_never_replaced(tmp_path: Path) -> None:
    base = tmp_path / "home"
    base.mkdir()
    ensure_keys(base)
    kept = {path.name: path.read_bytes() for path in base.iterdir()}
    ensure_keys(base)
    assert {path.name: path.read_bytes() for path in base.iterdir()} == kept
    assert set(kept) == {"secret.key", "media.key", "seal.p12"}
    assert {path.stat().st_mode & 0o777 for path in base.iterdir()} == {0o600}


# -- PostgreSQL --------------------------------------------------------------------------------


def test_postgres_has_the_extensions_and_one_door(postgres: Postgres) -> None:
    with psycopg.connect(postgres.url()) as connection:
        found = {row[0] for row in connection.execute("SELECT extname FROM pg_extension")}
        listens = connection.execute("SHOW listen_addresses").fetchone()
        sorts = connection.execute("SELECT lower('É'), similarity('élodie', 'Élodie')").fetchone()
    assert {"btree_gist", "pg_trgm", "unaccent"} <= found
    assert listens == ("",)
    assert sorts == ("é", 1.0)
    assert postgres.sockets.stat().st_mode & 0o777 == 0o700
    assert postgres.data.stat().st_mode & 0o777 == 0o700


def test_the_application_changes_rows_but_no_tables(postgres: Postgres) -> None:
    with psycopg.connect(postgres.url("owner")) as owner:
        owner.execute("CREATE TABLE thing (id int)")
    with psycopg.connect(postgres.url("app"), autocommit=True) as app:
        app.execute("INSERT INTO thing VALUES (1)")
        assert app.execute("SHOW lock_timeout").fetchone() == ("2s",)
        for statement in ("TRUNCATE thing", "DROP TABLE thing", "CREATE TABLE other (id int)"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                app.execute(statement)


def test_killed_postgres_starts_again_with_its_rows(postgres: Postgres) -> None:
    with psycopg.connect(postgres.url("owner")) as owner:
        owner.execute("CREATE TABLE thing AS SELECT generate_series(1, 1000) AS id")
    assert postgres.process is not None
    postgres.process.kill()
    postgres.process.wait()
    again = Postgres(postgres.base)
    again.start()
    try:
        with psycopg.connect(again.url("owner")) as owner:
            assert owner.execute("SELECT count(*) FROM thing").fetchone() == (1000,)
    finally:
        again.stop()


def test_a_server_that_outlived_its_supervisor_is_ended_first(postgres: Postgres) -> None:
    assert postgres.process is not None
    again = Postgres(postgres.base)
    again.start()
    try:
        assert postgres.process.wait(30) == 0
        with psycopg.connect(again.url()) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    finally:
        again.stop()


def test_a_number_that_now_belongs_to_a_stranger_is_no_hindrance(postgres: Postgres) -> None:
    postgres.stop()
    lock = postgres.data / "postmaster.pid"
    lock.write_text(f"{os.getpid()}\n{postgres.data}\n")
    postgres.start()
    assert lock.read_text().splitlines()[0] != str(os.getpid())


def test_a_folder_of_another_version_is_refused_with_the_cure(postgres: Postgres) -> None:
    postgres.stop()
    version = postgres.data / "PG_VERSION"
    kept = version.read_text()
    version.write_text("17\n")
    with pytest.raises(EmbeddedError, match="make reset"):
        postgres.start()
    version.write_text(kept)


def test_a_half_made_folder_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "postgres.new").mkdir()
    (tmp_path / "postgres.new" / "PG_VERSION").write_text("18")
    server = Postgres(tmp_path, durable=False)
    server.start()
    server.stop()
    assert not (tmp_path / "postgres.new").exists()


def test_postgres_ends_when_its_supervisor_is_killed(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path\n"
        "from clinic.embedded.postgres import Postgres\n"
        "print(Postgres(Path(sys.argv[1]), durable=False).start().pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        server = int(parent.stdout.readline())
        assert is_alive(server)
        parent.kill()
    assert wait_until_gone(server, 10)


def test_missing_binaries_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(EmbeddedError, match="make demo"):
        Postgres(Path("/nowhere")).start()


# -- Redis -------------------------------------------------------------------------------------


def test_killed_redis_starts_again_with_its_data(private_redis: Redis) -> None:
    with redis.Redis(unix_socket_path=str(private_redis.socket)) as client:
        client.set("wake", "up")
        assert client.config_get("maxmemory-policy")["maxmemory-policy"] == "noeviction"
        time.sleep(1.1)  # the file is synced each second
    assert private_redis.process is not None
    private_redis.process.kill()
    private_redis.process.wait()
    private_redis.start()
    with redis.Redis(unix_socket_path=str(private_redis.socket)) as client:
        assert client.get("wake") == b"up"


def test_a_redis_that_outlived_its_supervisor_is_ended_first(private_redis: Redis) -> None:
    assert private_redis.process is not None
    again = Redis(private_redis.base)
    again.start()
    try:
        assert private_redis.process.wait(30) == 0
        assert again.answers()
    finally:
        again.stop()


def test_missing_redis_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(EmbeddedError, match="redis"):
        Redis(tmp_path).start()


# -- the mail sink and its pages ---------------------------------------------------------------


@pytest.fixture
def sink(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("CLINIC_HOME", str(tmp_path))
    command = [sys.executable, "-m", "clinic.embedded.mailbox", "--base", str(tmp_path)]
    with subprocess.Popen(command) as process:
        assert eventually(urls.port_file("smtp", tmp_path).exists)
        yield tmp_path
        process.terminate()
        assert process.wait(30) == 0


def letter() -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Clinic <clinic@demo.clinic>"
    message["To"] = "Élodie <elodie@example.org>"
    message["Subject"] = "Your aftercare sheet"
    message["Message-ID"] = "<one@demo.clinic>"
    message.set_content("Dear Élodie,\n\nhttp://127.0.0.1:8000/my/token/\n\n<b>not bold</b>\n")
    message.add_attachment(b"%PDF-1.7", maintype="application", subtype="pdf", filename="sheet.pdf")
    return message


def test_mail_sent_over_smtp_is_read_on_the_mailbox_page(sink: Path, client: Client) -> None:
    with smtplib.SMTP("127.0.0.1", urls.mail_port(sink)) as smtp:
        smtp.send_message(letter())
    page = client.get("/demo/mailbox/").content.decode()
    assert "Your aftercare sheet" in page
    kept = next(urls.mailbox_folder(sink).glob("*.eml"))
    page = client.get(f"/demo/mailbox/{kept.stem}/").content.decode()
    assert '<a href="http://127.0.0.1:8000/my/token/"' in page
    assert "<b>not bold</b>" not in page
    assert "one@demo.clinic" in page
    attachment = client.get(f"/demo/mailbox/{kept.stem}/0/")
    assert attachment.content == b"%PDF-1.7"
    assert 'filename="sheet.pdf"' in attachment["Content-Disposition"]
    assert client.get(f"/demo/mailbox/{kept.stem}/1/").status_code == 404


def test_sms_posted_by_apprise_is_kept(sink: Path, client: Client) -> None:
    request = urllib.request.Request(
        f"http://127.0.0.1:{urls.sms_port(sink)}/sms/%2B33612345678",
        data=json.dumps({"title": "", "message": "See you at 10:00", "type": "info"}).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as response:
        assert response.status == 200
    kept = email.message_from_bytes(next(urls.mailbox_folder(sink).glob("*.eml")).read_bytes())
    assert (kept["To"], kept["X-Channel"]) == ("+33612345678", "sms")
    assert "See you at 10:00" in client.get("/demo/mailbox/").content.decode()


def test_the_mailbox_is_empty_before_anything_was_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, client: Client
) -> None:
    monkeypatch.setenv("CLINIC_HOME", str(tmp_path))
    assert client.get("/demo/mailbox/").status_code == 200
    assert client.get("/demo/mailbox/20260101-1-1/").status_code == 404


def test_there_is_no_mailbox_outside_the_demo(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "DEMO", False)
    assert client.get("/demo/mailbox/").status_code == 404


# -- the supervisor's parts --------------------------------------------------------------------


def test_a_busy_port_is_named_with_the_cure() -> None:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        with pytest.raises(EmbeddedError, match=rf"Port {port}.*PORT={port + 1} make demo"):
            supervisor.refuse_busy_port(port)


@pytest.mark.parametrize("text", ["http", "0", "65535", "-1", "8000.5", "٣"])
def test_a_port_that_is_none_is_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", text)
    with pytest.raises(EmbeddedError, match="PORT"):
        supervisor.wanted_port()


def test_a_second_demo_of_one_folder_is_told_where_the_first_is(tmp_path: Path) -> None:
    with (
        supervisor.only_demo(tmp_path, 8123),
        pytest.raises(EmbeddedError, match=r"http://127\.0\.0\.1:8123"),
        supervisor.only_demo(tmp_path, 8124),
    ):
        pass
    with supervisor.only_demo(tmp_path, 8124):
        pass


def test_reset_refuses_while_a_demo_is_open(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "clinic.embedded", "reset"]
    environment = os.environ | {"CLINIC_HOME": str(tmp_path), "YES": "1"}
    (tmp_path / "kept").touch()
    with held(tmp_path / "demo.lock", "http://127.0.0.1:8123", "{note}"):
        refused = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False
        )
        assert (refused.returncode, "8123" in refused.stderr) == (1, True)
        assert (tmp_path / "kept").exists()
    subprocess.run(command, env=environment, check=True, capture_output=True)
    assert not tmp_path.exists()


def test_reset_asks_first(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "clinic.embedded", "reset"],
        env=os.environ | {"CLINIC_HOME": str(tmp_path), "YES": ""},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "YES=1" in done.stdout
    assert tmp_path.exists()


def sleeper(tmp_path: Path, seconds: str = "60") -> Service:
    command = [sys.executable, "-c", f"import time; print('here'); time.sleep({seconds})"]
    return Service("sleeper", command, tmp_path / "log" / "sleeper.log", dict(os.environ))


def test_a_service_that_ends_is_started_again_later_and_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = sleeper(tmp_path, "0")
    waits = []
    for _again in range(6):
        service.start()
        assert eventually(lambda: service.ended() is not None)
        waits.append(service.plan_restart())
    assert waits == [1, 2, 5, 10, 30, 30]
    assert not service.restart_if_due()
    service.again_at = time.monotonic() - 1
    assert service.restart_if_due()
    monkeypatch.setattr(services, "PROVED", 0.0)
    assert eventually(lambda: service.ended() is not None)
    assert service.plan_restart() == 1
    assert "here" in service.last_words()


def test_a_service_that_outlived_its_supervisor_is_ended_first(tmp_path: Path) -> None:
    first, second = sleeper(tmp_path), sleeper(tmp_path)
    first.start()
    assert first.process is not None
    assert eventually(lambda: "here" in first.last_words())
    second.start()
    assert first.process.wait(30) == -signal.SIGKILL
    second.send(signal.SIGKILL)
    assert second.process is not None
    second.process.wait()


def test_the_supervisor_starts_again_what_ended(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    watch = Supervisor(tmp_path, 8123)
    service = sleeper(tmp_path)
    watch.services.append(service)
    service.start()
    assert service.process is not None
    service.process.kill()
    assert eventually(lambda: service.ended() is not None)
    watch._restart_ended()
    service.again_at = time.monotonic() - 1
    watch._restart_ended()
    assert service.ended() is None
    assert "sleeper ended (code -9); starting it again in 1 s" in capsys.readouterr().out
    service.send(signal.SIGKILL)
    service.process.wait()


def test_the_demo_asks_for_its_own_servers_only_when_none_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://app@elsewhere/clinic")
    monkeypatch.setenv("DATABASE_OWNER_URL", "postgresql://owner@elsewhere/clinic")
    monkeypatch.delenv("REDIS_URL", raising=False)
    watch = Supervisor(tmp_path, 8123)
    assert watch.postgres is None
    assert watch.redis is not None
    assert watch.environment()["DATABASE_URL"] == "postgresql://app@elsewhere/clinic"
    assert watch.environment(owner=True)["DATABASE_URL"] == "postgresql://owner@elsewhere/clinic"
    assert watch.environment()["BASE_URL"] == "http://127.0.0.1:8123"


def test_descendants_are_seen() -> None:
    program = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'input()'])"
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE) as parent:
        assert eventually(lambda: len(descendants(parent.pid)) == 1)
        assert parent.pid in descendants(os.getpid())
        parent.communicate(b"\n")


def test_a_child_whose_parent_is_gone_does_not_start() -> None:
    done = subprocess.run([sys.executable, child.__file__, "1", "15", "true"], check=False)
    assert done.returncode == 1


def test_a_command_runs_beside_throw_away_servers(tmp_path: Path) -> None:
    program = (
        "import os, psycopg, redis\n"
        "with psycopg.connect(os.environ['DATABASE_URL'], autocommit=True) as c:\n"
        "    c.execute('CREATE DATABASE another')\n"
        "    c.execute('SET ROLE clinic_app')\n"
        "assert redis.Redis.from_url(os.environ['REDIS_URL']).ping()\n"
        "raise SystemExit(7)\n"
    )
    environment = {k: v for k, v in os.environ.items() if k not in {"DATABASE_URL", "REDIS_URL"}}
    done = subprocess.run(
        [sys.executable, "-m", "clinic.embedded", "test", "--", sys.executable, "-c", program],
        env=environment | {"CLINIC_HOME": str(tmp_path)},
        check=False,
    )
    assert done.returncode == 7
    assert not (tmp_path / "test").exists()
