"""A share of the engine's random histories (``tests/machine``) on PostgreSQL, where writers wait for each other's rows
and not for the whole database."""

import pytest

from ccdaemon.store.check import findings
from ccdaemon.store.engine import open_store
from tests.contract import postgres
from tests.machine.steps import planned
from tests.machine.trial import explain, in_the_small, live_through

EVERY = 25  # of how many seeds one runs here


@pytest.mark.postgresql
def test_histories_of_the_engine_converge_on_postgresql(postgresql: postgres.Server, seeds: range) -> None:
    with in_the_small(), postgresql.database() as url:
        store = open_store(url)
        try:
            for seed in seeds[::EVERY]:
                try:
                    live_through(seed, planned(seed), store)
                except BaseException as error:
                    explain(error, seed)
                    raise

            assert findings(store, deep=True) == []
        finally:
            store.close()
