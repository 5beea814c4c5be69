"""An own rule's `when` and `any` -> a function of the case. A closed list of comparisons; nothing is evaluated."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeAlias, get_args, get_type_hints

from harken.decide.case import Case, Known, Said, Talk
from harken.decide.errors import PolicyError, nearest
from harken.decide.explain import FEATURE, FIELDS, value_of
from harken.decide.policy_file import SITUATIONS, Condition
from harken.domain.conversation import Status
from harken.domain.event import Channel
from harken.kit.comparisons import LISTS, NUMERIC, holds, is_number

Test: TypeAlias = Callable[[Case], bool]

NUMBERS = (int, float)
CHOICES: Mapping[str, Sequence[str]] = {
    "status": tuple(Status),
    "channel": tuple(Channel),
    "situation": SITUATIONS,
}
KINDS: Mapping[str, Any] = {
    **get_type_hints(Talk),
    **get_type_hints(Said),
    **get_type_hints(Known),
    "situation": str,
}


def compiled(all_of: Sequence[Condition], any_of: Sequence[Condition]) -> Test:
    """True when all of the first hold, and one of the second where there are any."""
    every = tuple(map(_test, all_of))
    some = tuple(map(_test, any_of))
    return lambda case: all(test(case) for test in every) and (not some or any(test(case) for test in some))


def check(condition: Condition, where: str, features: Collection[str]) -> None:
    """PolicyError naming the field, operator or value that cannot work. No `features`: any name is taken."""
    name, value = condition.field, condition.value
    names = [*FIELDS, *(FEATURE + feature for feature in features)]
    if name not in names and (features or not name.startswith(FEATURE)):
        raise PolicyError(f"{where}: there is no field {name!r}{nearest(name, names)}")
    wrong = _mismatch(condition)
    if wrong:
        raise PolicyError(f"{where}: {name!r} {condition.is_} {value!r} cannot hold: {wrong}")


def _mismatch(condition: Condition) -> str:
    """What is wrong with the value, or nothing."""
    name, value, many = condition.field, condition.value, condition.is_ in LISTS
    if many != isinstance(value, tuple):
        return "it needs a list" if many else "it needs one value, not a list"
    if condition.is_ in NUMERIC and not is_number(value):
        return "it needs a number"
    if condition.is_ == "contains" and not isinstance(value, str):
        return "it needs a text"
    given = value if isinstance(value, tuple) else (value,)
    return "" if name.startswith(FEATURE) else _unlike(name, given, condition.is_)


def _unlike(name: str, given: Sequence[object], comparison: str) -> str:
    hint = KINDS[name]
    kinds = tuple(kind for kind in get_args(hint) or (hint,) if kind is not type(None))
    wanted = "true or false" if bool in kinds else "a number" if set(kinds) & set(NUMBERS) else "a text"
    fits = {"true or false": lambda v: isinstance(v, bool), "a number": is_number}.get(
        wanted, lambda v: isinstance(v, str)
    )
    if not all(fits(value) for value in given) or (wanted == "true or false" and comparison in NUMERIC):
        return f"it is {wanted}"
    choices = CHOICES.get(name)
    strange = [value for value in given if choices and comparison != "contains" and value not in choices]
    return f"it is one of {', '.join(choices)}" if choices and strange else ""


def _test(condition: Condition) -> Test:
    name, value, comparison = condition.field, condition.value, condition.is_
    return lambda case: holds(value_of(name, case), comparison, value)
