import importlib.util
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_says_what_the_tables_say():
    spec = importlib.util.spec_from_file_location("mapping_page", DOCS / "mapping.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    assert (DOCS / "mapping.md").read_text("utf-8") == module.page(), "run `make docs`"
