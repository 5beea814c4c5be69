"""How many examples a property is tried on: few in the quick tests, all with `--hypothesis-profile=thorough`."""

from functools import partial

from hypothesis import HealthCheck, settings

QUICK, THOROUGH = "quick", "thorough"
_register = partial(
    settings.register_profile,
    parent=settings.get_profile(settings.get_current_profile_name()),  # its own for CI, where it is CI
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],  # nor is this one about anything but a machine's time
)
_register(QUICK, max_examples=20)
_register(THOROUGH, max_examples=100)
settings.load_profile(QUICK)


def tries(thorough: int) -> int:
    """A fifth of them, but no fewer than three, unless all are asked for."""
    return thorough if settings.get_current_profile_name() == THOROUGH else max(3, thorough // 5)
