"""How an e-mail leaves: with the outbox's id, to one address, and with no password in clear; and what each failure means."""

import socket
from dataclasses import replace
from email import message_from_bytes, policy
from typing import Any

import pytest
from act_cases import KEY, START, TICKET, speaks
from benchmarks.hostile_proposals import MARIA
from pydantic import SecretStr

from harken.act.ports import Message, NotSentError, Receipt, RejectedError, UnknownOutcomeError
from harken.adapters.channels import email
from harken.errors import UnsuitableError

MAIL = Message(
    action="email",
    channel="email",
    ticket=TICKET.id,
    customer=MARIA,
    arguments={"subject": "Your card", "text": "Hello Maria,\nit is on its way."},
    at=START,
    to="maria@example.org",
)


class Postbox:
    """An SMTP server that keeps what it is given, or fails at one word."""

    def __init__(self, fails: dict[str, bytes] | None = None) -> None:
        self.mails: list[tuple[list[str], bytes]] = []
        self._fails = fails or {}

    def __call__(self, connection: socket.socket) -> None:
        lines, recipients = connection.makefile("rb"), []
        connection.sendall(b"220 here\r\n")
        for line in lines:
            word = line.split()[0].upper().decode() if line.split() else ""
            if word in self._fails:
                answer = self._fails[word]
                connection.sendall(answer)
                if not answer:
                    return
                continue
            if word == "RCPT":
                recipients.append(line.decode().strip())
            if word == "DATA":
                connection.sendall(b"354 go on\r\n")
                self.mails.append((recipients, b"".join(iter(lines.readline, b".\r\n"))))
                answer = self._fails.get("END", b"250 kept\r\n")
                connection.sendall(answer)
                if not answer:
                    return
            else:
                connection.sendall(b"221 bye\r\n" if word == "QUIT" else b"250 fine\r\n")


def mailed(box: Postbox, message: Message = MAIL) -> Receipt:
    with speaks(box) as port:
        where = email.server(SecretStr(f"smtp://127.0.0.1:{port}?from=support%40kestrel.example"))
        return email.Email(where).send(message, KEY)


def test_an_email_carries_the_outboxs_id_and_says_that_nobody_typed_it() -> None:
    box = Postbox()
    assert mailed(box) == Receipt(f"<{KEY}@kestrel.example>")

    [(recipients, raw)] = box.mails
    mail = message_from_bytes(raw, policy=policy.default)
    assert [each.lower() for each in recipients] == ["rcpt to:<maria@example.org>"]
    assert (mail["From"], mail["To"], mail["Subject"]) == ("support@kestrel.example", "maria@example.org", "Your card")
    assert (mail["Message-ID"], mail["Auto-Submitted"]) == (f"<{KEY}@kestrel.example>", "auto-replied")
    assert mail.get_content().replace("\r\n", "\n").strip() == MAIL.arguments["text"]


@pytest.mark.parametrize(
    ("fails", "error"),
    [
        ({"RCPT": b"550 unknown\r\n"}, RejectedError),
        ({"MAIL": b"553 not you\r\n"}, RejectedError),
        ({"END": b"554 spam\r\n"}, RejectedError),
        ({"END": b"451 later\r\n"}, NotSentError),
        ({"EHLO": b"", "HELO": b""}, NotSentError),
        ({"END": b""}, UnknownOutcomeError),
    ],
)
def test_what_a_mail_server_does_means(fails: dict[str, bytes], error: type[Exception]) -> None:
    with pytest.raises(error):
        mailed(Postbox(fails))


@pytest.mark.parametrize("to", ["", "no address", '"x" <a@b.example>,evil@c.example', "a@b.example, c@d.example", "a@b.example\r\nBcc: evil@c.example"])  # fmt: skip
def test_an_address_is_one_address(to: str) -> None:
    box = Postbox()
    with pytest.raises(RejectedError):
        mailed(box, replace(MAIL, to=to))
    assert box.mails == []


def test_a_subject_adds_no_header() -> None:
    with pytest.raises(RejectedError):
        mailed(Postbox(), replace(MAIL, arguments={"subject": "a\r\nBcc: evil@c.example", "text": "x"}))


@pytest.mark.parametrize("url", ["smtp://host", "http://host?from=a%40b.example", "smtp://u:secret@host:x?from=a%40b.example", "smtp://host?from=nobody"])  # fmt: skip
def test_a_mail_address_that_is_none_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(UnsuitableError) as told:
        email.server(SecretStr(url))
    assert "secret" not in str(told.value)


def test_no_password_goes_to_another_machine_in_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    box = Postbox()
    with speaks(box) as port:
        where = email.server(SecretStr(f"smtp://127.0.0.1:{port}?from=support%40kestrel.example"))
        elsewhere = email.Email(replace(where, host="mail.example", user="u", password=SecretStr("p")))
        monkeypatch.setattr(socket, "create_connection", _to_loopback(port))
        with pytest.raises(NotSentError):
            elsewhere.send(MAIL, KEY)
    assert box.mails == []


def _to_loopback(port: int) -> Any:
    original = socket.create_connection
    return lambda address, *more, **others: original(("127.0.0.1", port), *more, **others)
