"""What every unit test may rely on: nobody before it has set up logging, as each command does."""

import logging
from collections.abc import Iterator

import pytest
import stamina
import structlog

LEVELS_OF = ("ccdaemon", "radicale_plugin", "waitress.queue")  # whose levels log.py sets, beside the root's


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    levels = {name: logging.getLogger(name).level for name in LEVELS_OF}
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)
    structlog.reset_defaults()
    stamina.instrumentation.set_on_retry_hooks(None)
