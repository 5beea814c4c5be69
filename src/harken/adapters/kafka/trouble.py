"""What Kafka's client reports -> one line for people, said once until things are well again."""

from collections.abc import Callable

from confluent_kafka import KafkaError

from harken.adapters.kafka.address import Address

_KEPT = "Nothing was lost"
_RETRIED = f"{_KEPT}: it is tried again until it works."
_PASSING = (KafkaError._TRANSPORT, KafkaError._TIMED_OUT, KafkaError._STATE)
"""One connection of several, or one request: the client repeats them, and says so when all have failed."""

_LINES = {
    KafkaError._ALL_BROKERS_DOWN: f"Kafka does not answer at {{where}}. {_RETRIED}",
    KafkaError._RESOLVE: f"Kafka's host in {{where}} has no address. {_RETRIED}",
    KafkaError._SSL: f"Kafka at {{where}} was not trusted, or speaks no TLS: check security= and ca= of its URL. {_RETRIED}",
    KafkaError._AUTHENTICATION: f"Kafka at {{where}} refuses the login: check USER:PASSWORD@ and sasl= of its URL. {_RETRIED}",
    KafkaError.UNKNOWN_TOPIC_OR_PART: f"Kafka at {{where}} has no topic {{topic}}: create it, or correct the URL. {_RETRIED}",
    KafkaError.TOPIC_AUTHORIZATION_FAILED: f"Kafka at {{where}} does not let us use the topic {{topic}}: its ACLs decide. {_RETRIED}",
    KafkaError.GROUP_AUTHORIZATION_FAILED: f"Kafka at {{where}} does not let us join the group {{group}}: its ACLs decide. {_RETRIED}",
    KafkaError._MAX_POLL_EXCEEDED: f"A batch of {{topic}} took so long that its partitions went to others. {_KEPT}: we join again.",
}
_SAME = {
    KafkaError._UNKNOWN_TOPIC: KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError.SASL_AUTHENTICATION_FAILED: KafkaError._AUTHENTICATION,
}


_NO_CONNECTION = frozenset(
    {KafkaError._ALL_BROKERS_DOWN, KafkaError._RESOLVE, KafkaError._SSL, KafkaError._AUTHENTICATION}
)


class Troubles:
    def __init__(self, address: Address, report: Callable[[str], None]) -> None:
        self._address, self._report = address, report
        self._said: set[int] = set()

    @property
    def cut_off(self) -> bool:
        return not self._said.isdisjoint(_NO_CONNECTION)

    def heard(self, error: KafkaError) -> None:
        code = _SAME.get(error.code(), error.code())
        if code in self._said or code in _PASSING:
            return
        self._said.add(code)
        line = _LINES.get(code, f"Kafka at {{where}} says {error.name()}. {_RETRIED}")
        self._report(line.format(where=self._address.where, topic=self._address.topic, group=self._address.group))

    def connected(self) -> None:
        if self.cut_off:
            self._report(f"Kafka at {self._address.where} answers again.")
        self._said -= _NO_CONNECTION

    def over(self) -> None:
        """Records come: whatever was wrong is not."""
        if self._said:
            self.connected()
            self._said.clear()
