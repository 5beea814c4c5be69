"""A row with the columns of `knowledge_scope` -> the scope."""

from collections.abc import Mapping
from typing import Any

from harken.domain.document import DocumentClass, Risk, Scope, Visibility


def scope_of(row: Mapping[str, Any]) -> Scope:
    """`visibility`, `jurisdiction`, `class` and `risk`, as the database has them."""
    return Scope(
        visibility=Visibility(row["visibility"]),
        jurisdiction=row["jurisdiction"],
        document_class=DocumentClass(row["class"]),
        risk=Risk(row["risk"]),
    )
