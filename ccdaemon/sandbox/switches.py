"""How the imitated clouds behave where the real ones vary by project, tenant or weather; the control plane sets it."""

from dataclasses import asdict, dataclass, fields
from typing import Any

from ccdaemon.sandbox.wire import Json

ROTATIONS = ("grace", "none", "strict")


@dataclass(slots=True)
class Switches:
    """Everything off: both clouds as on a good day."""

    deny: bool = False  # whoever is asked for consent says no
    google_testing: bool = False  # publishing status "Testing": refresh tokens live for seven days
    google_refresh_token: bool = True  # False: the token endpoint forgets to send one
    microsoft_admin_consent: bool = False  # the tenant wants an administrator to consent
    microsoft_rotation: str = (
        "grace"  # old refresh token: "grace" stays valid, "strict" dies, "none" no new one is sent
    )
    people_delay_seconds: float = 0.0  # how long People keeps changes out of deltas

    def change(self, order: Json) -> None:
        """Set what the order names. Raises ValueError for unknown names and wrong types, changing nothing."""
        known = {field.name for field in fields(self)}
        for name, value in order.items():
            if name not in known or not _fits(getattr(self, name), value):
                raise ValueError(f"switch {name!r} cannot be {value!r}")
        if order.get("microsoft_rotation", "grace") not in ROTATIONS:
            raise ValueError(f"microsoft_rotation is one of {', '.join(ROTATIONS)}")
        for name, value in order.items():
            setattr(self, name, value)

    def to_json(self) -> Json:
        """All of them."""
        return asdict(self)


def _fits(now: Any, value: Any) -> bool:
    if isinstance(now, float):
        return isinstance(value, int | float) and not isinstance(value, bool)
    return type(value) is type(now)
