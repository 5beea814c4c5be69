"""What one event says of two identifiers."""

from typing import Literal, NamedTuple


class Link(NamedTuple):
    """`tie`: both were seen together; `alias`: somebody who knows says that they are one; `part`: that they are not."""

    kind: Literal["tie", "alias", "part"]
    one: str
    other: str
