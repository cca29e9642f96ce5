import pytest

for module in ("mirror", "ending"):  # their assertions tell what differs, as those of tests do
    pytest.register_assert_rewrite(f"tests.machine.{module}")
