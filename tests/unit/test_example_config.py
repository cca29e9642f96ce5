"""config/ccdaemon.toml shows every key, and changes nothing when it is used as it is."""

import re
import tomllib
from itertools import pairwise
from pathlib import Path

from ccdaemon.config import known_keys, load_config

EXAMPLE = Path(__file__).parents[2] / "config" / "ccdaemon.toml"
KEY = re.compile(r"^#?([a-z_]+) = ", re.MULTILINE)
SECTION = re.compile(r"^\[([a-z.]+)\]$", re.MULTILINE)


def shown_keys(text: str) -> list[str]:
    """Dotted keys in the order of the file, set or commented out."""
    pieces = SECTION.split(text)
    sections = zip(["", *pieces[1::2]], [pieces[0], *pieces[2::2]], strict=True)
    return [f"{name}.{key}".lstrip(".") for name, body in sections for key in KEY.findall(body)]


def test_the_example_shows_every_key_once() -> None:
    shown = shown_keys(EXAMPLE.read_text(encoding="utf-8"))

    assert sorted(shown) == sorted(known_keys())


def test_the_example_as_it_is_means_the_defaults() -> None:
    environment = {"HOME": "/nowhere"}

    assert load_config(EXAMPLE, environment) == load_config(None, environment)


def test_every_commented_key_may_be_uncommented(tmp_path: Path) -> None:
    text = re.sub(r"^#([a-z_]+ = )", r"\1", EXAMPLE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    (tmp_path / "all.toml").write_text(text, encoding="utf-8")
    config = load_config(tmp_path / "all.toml", {})

    assert set(shown_keys(text)) == {f"{section}.{key}".lstrip(".") for section, key in _leaves(tomllib.loads(text))}
    assert config.provider.google.client_file == tmp_path / "google.json"


def test_every_key_has_a_comment_right_above_it() -> None:
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    bare = [line for before, line in pairwise(lines) if KEY.match(line) and before[:2] != "# "]

    assert bare == []


def _leaves(table: dict[str, object], section: str = "") -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for key, value in table.items():
        if isinstance(value, dict):
            found += _leaves(value, f"{section}.{key}".lstrip("."))
        else:
            found.append((section, key))
    return found
