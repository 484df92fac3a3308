"""A list of values is one value on PostgreSQL: `column = ANY($1)` for whatever is written `column.in_(values)`.

PostgreSQL takes 32,767 values in a statement and no more, and plans one anew for each length of a list (rule 912).
SQLite takes 250,000; ours is built so. What is written in place (`literal_binds`: indexes, EXPLAIN) stays a list.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BinaryExpression, BindParameter, all_, any_, bindparam
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.operators import in_op, not_in_op
from sqlalchemy.types import NullType, String, TupleType


@compiles(BinaryExpression, "postgresql")
def said(element: BinaryExpression[Any], compiler: SQLCompiler, **how: Any) -> str:
    """What PostgreSQL is asked; all that is no list is said as ever."""
    values = element.right
    if element.operator not in (in_op, not_in_op) or how.get("literal_binds") or not is_list(values):
        return str(compiler.visit_binary(element, **how))  # type: ignore[no-untyped-call]
    # the name stays, for what is given when a compiled statement is run again is found by it
    kind = String() if type(values.type) is String else values.type  # VARCHAR(12)[] would cut what is longer
    whole: BindParameter[Any] = bindparam(values.key, values.value, ARRAY(kind), required=values.required)
    one_of = element.left == any_(whole) if element.operator is in_op else element.left != all_(whole)
    return compiler.process(one_of, **how)


def is_list(values: Any) -> bool:
    """Whether it is a list of plain values of one known type."""
    return (
        isinstance(values, BindParameter)
        and values.expanding
        and not values.literal_execute
        and values.callable is None
        and not isinstance(values.type, NullType | TupleType)
    )
