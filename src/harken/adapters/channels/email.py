"""An answer -> an e-mail by SMTP. A mail server takes the same message twice, so nobody may send it twice.

Its Message-ID is derived from the outbox's id: whoever has to find out what became of it can look for that.
"""

import smtplib
import ssl
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from urllib.parse import parse_qs, unquote, urlsplit

from pydantic import SecretStr

from harken.act.ports import Message, NotSentError, Receipt, RejectedError, UnknownOutcomeError
from harken.errors import UnsuitableError

TIMEOUT_S = 10.0
_PORTS = {"smtp": 587, "smtps": 465}


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where mail is handed over, and who it says it is from."""

    scheme: str  #: `smtps`: TLS from the start; `smtp`: STARTTLS, which only a server on this machine may lack
    host: str
    port: int
    user: str
    password: SecretStr
    sender: Address


def server(url: SecretStr) -> Server:
    """`smtps://USER:PASSWORD@HOST:PORT?from=support@example.org`. Raises UnsuitableError, without the password."""
    try:
        parts = urlsplit(url.get_secret_value())
        [sender] = parse_qs(parts.query).get("from", [])
        return Server(
            scheme=parts.scheme,
            host=parts.hostname or "",
            port=parts.port or _PORTS[parts.scheme],
            user=unquote(parts.username or ""),
            password=SecretStr(unquote(parts.password or "")),
            sender=Address(addr_spec=sender),
        )
    except (ValueError, KeyError, IndexError):
        raise UnsuitableError(
            "HARKEN_SMTP_URL looks like smtps://USER:PASSWORD@HOST:465?from=support@example.org (or smtp://, with STARTTLS)."
        ) from None


class Email:
    def __init__(self, where: Server, context: ssl.SSLContext | None = None) -> None:
        self._where = where
        self._context = context or ssl.create_default_context()

    def send(self, message: Message, key: str) -> Receipt:
        mail = self._mail(message, key)
        try:
            session = self._session()
        except (OSError, smtplib.SMTPException) as closed:
            raise NotSentError(f"the mail server cannot be used ({type(closed).__name__})") from closed
        try:
            session.send_message(mail)
        except smtplib.SMTPRecipientsRefused as refused:
            raise RejectedError("the mail server does not take this recipient") from refused
        except (smtplib.SMTPSenderRefused, smtplib.SMTPNotSupportedError) as refused:
            raise RejectedError(f"the mail server refused it ({type(refused).__name__})") from refused
        except smtplib.SMTPDataError as refused:
            if refused.smtp_code >= 500:
                raise RejectedError(f"the mail server refused it ({refused.smtp_code})") from refused
            raise NotSentError(f"the mail server said later ({refused.smtp_code})") from refused
        except (OSError, smtplib.SMTPException) as broken:
            raise UnknownOutcomeError(f"the mail server went away midway ({type(broken).__name__})") from broken
        finally:
            session.close()
        return Receipt(str(mail["Message-ID"]))

    def _session(self) -> smtplib.SMTP:
        at = self._where
        if at.scheme == "smtps":
            session: smtplib.SMTP = smtplib.SMTP_SSL(at.host, at.port, timeout=TIMEOUT_S, context=self._context)
        else:
            session = smtplib.SMTP(at.host, at.port, timeout=TIMEOUT_S)
        try:
            session.ehlo()
            if at.scheme == "smtp":
                self._secured(session)
            if at.user:
                session.login(at.user, at.password.get_secret_value())
        except BaseException:
            session.close()
            raise
        return session

    def _secured(self, session: smtplib.SMTP) -> None:
        if session.has_extn("starttls"):
            session.starttls(context=self._context)
            session.ehlo()
        elif self._where.host not in ("localhost", "127.0.0.1", "::1"):
            raise smtplib.SMTPNotSupportedError("no STARTTLS")

    def _mail(self, message: Message, key: str) -> EmailMessage:
        """Built of address objects: a name that has a comma in it adds no recipient."""
        if not message.to:
            raise RejectedError("nobody knows an address of this customer")
        mail = EmailMessage()
        try:
            mail["From"] = self._where.sender
            mail["To"] = Address(addr_spec=message.to)
            mail["Subject"] = str(message.arguments.get("subject", ""))
        except (ValueError, IndexError) as wrong:
            raise RejectedError("its address or subject is none") from wrong
        mail["Date"] = format_datetime(message.at)
        mail["Message-ID"] = f"<{key}@{self._where.sender.domain}>"
        mail["Auto-Submitted"] = "auto-replied"
        mail["X-Auto-Response-Suppress"] = "All"
        mail.set_content(str(message.arguments.get("text", "")))
        return mail
