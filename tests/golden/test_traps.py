"""providers.md section 7 lists 57 semantic traps; each has at least one case here that carries its number."""

from pathlib import Path

TRAPS = 57


def test_every_trap_has_a_case():
    named = {path.name.rpartition("-trap-")[2] for path in Path(__file__).parent.glob("*/*-trap-*") if path.is_dir()}

    assert sorted({str(number) for number in range(1, TRAPS + 1)} - named, key=int) == []
