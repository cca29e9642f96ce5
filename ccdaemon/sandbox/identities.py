"""The people of the sandbox: always the same ones in the same order, for any seed."""

import uuid

from ccdaemon.sandbox.world import Identity

PERSONAL_TENANT = "9188040d-6c67-4c5b-b112-36a304b66dad"
"""The tenant of all personal Microsoft accounts."""
WORK_TENANT = str(uuid.uuid5(uuid.NAMESPACE_DNS, "contoso.example"))

NAMES = (
    *(
        ("ada", "Ada", "Lovelace"),
        ("grace", "Grace", "Hopper"),
        ("alan", "Alan", "Turing"),
        ("emmy", "Emmy", "Noether"),
    ),
    *(("tim", "Tim", "Berners-Lee"), ("radia", "Radia", "Perlman"), ("edsger", "Edsger", "Dijkstra")),
    *(("barbara", "Barbara", "Liskov"), ("donald", "Donald", "Knuth"), ("hedy", "Hedy", "Lamarr")),
)


def identities(count: int) -> dict[str, Identity]:
    """That many people by id. After the named ones come person11, person12, …; every second one has a work account."""
    return {person.id: person for person in (_identity(number) for number in range(count))}


def _identity(number: int) -> Identity:
    short, given, family = NAMES[number] if number < len(NAMES) else _nobody(number + 1)
    is_personal = number % 2 == 0
    return Identity(
        id=short,
        given_name=given,
        family_name=family,
        google_sub=str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{short}.google.example").int)[:20].ljust(20, "0") + "1",
        google_email=f"{given}.{family}@gmail.example".lower(),
        microsoft_oid=_oid(short, is_personal=is_personal),
        microsoft_tid=PERSONAL_TENANT if is_personal else WORK_TENANT,
        microsoft_upn=f"{family}.{given}@{'outlook' if is_personal else 'contoso'}.example".lower(),
    )


def _nobody(number: int) -> tuple[str, str, str]:
    return f"person{number}", "Person", f"Number{number}"


def _oid(short: str, *, is_personal: bool) -> str:
    """A GUID; that of a personal account begins with zeros, as Microsoft's do."""
    oid = str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{short}.microsoft.example"))
    return f"00000000-0000-0000-{oid[19:]}" if is_personal else oid
