"""The configuration: file, environment, and what it says about a wrong key."""

from datetime import timedelta
from pathlib import Path

import pytest

from ccdaemon.config import known_keys, load_config
from ccdaemon.errors import BadConfiguration
from ccdaemon.model import ProviderName

ROOT = Path(__file__).parents[2]


@pytest.fixture
def write(tmp_path: Path):
    def write(text: str) -> Path:
        path = tmp_path / "ccdaemon.toml"
        path.write_text(text)
        return path

    return write


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "CREDENTIALS_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)


def test_without_a_file_every_key_has_its_default():
    config = load_config(environment={})

    assert config.sync.interval == timedelta(minutes=15)
    assert config.dav.listen == "127.0.0.1:5232"
    assert config.provider.microsoft.tenant == "common"


def test_the_environment_wins_over_the_file(write, monkeypatch: pytest.MonkeyPatch):
    path = write('[dav]\nlisten = "127.0.0.1:1"\npublic_url = "https://dav.example.org"\n')
    monkeypatch.setenv("CCDAEMON_DAV__LISTEN", "127.0.0.1:0")

    config = load_config(path)

    assert config.dav.listen == "127.0.0.1:0"
    assert config.dav.public_url == "https://dav.example.org"


def test_relative_paths_are_relative_to_the_file(write, tmp_path: Path):
    config = load_config(write('data_dir = "state"\nkey_file = "../key"\n'), environment={})

    assert config.data_dir == tmp_path / "state"
    assert config.key_ring == tmp_path / "../key"
    assert config.database == f"sqlite:///{tmp_path}/state/ccdaemon.db"


def test_the_key_ring_of_systemd_is_used_when_it_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "ccdaemon.key").write_text("{}")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))

    assert load_config(environment={}).key_ring == tmp_path / "ccdaemon.key"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[dav]\nlisen = "x"', ("dav.lisen", "did you mean dav.listen")),
        ("sink = 1", ("sink",)),
        ('[provider.gogle]\nclient_id = "x"', ("provider.gogle.client_id", "provider.google.client_id")),
        ('[dav]\nlisten = "5232"', ("dav.listen", "127.0.0.1:5232")),
        ('[sync]\ninterval = "often"', ("sync.interval", "15m")),
        ('[sync]\ninterval = "99999999999999d"', ("sync.interval",)),
        ('[sync]\ninterval = "31d"', ("sync.interval",)),
        ('[sync]\nfull_interval = "1m"', ("sync.full_interval",)),
        ('[sync]\nwindow_ahead = "1500d"', ("sync", "1825d")),
        ("[sync]\nworkers = 0", ("sync.workers",)),
        ('[provider.google]\nendpoint = "http://example.org"', ("provider.google.endpoint", "https")),
        ('[provider.google]\nendpoint = "ftp://127.0.0.1"', ("provider.google.endpoint",)),
        ("dav = 3", ("dav",)),
        ('[dav]\nlisten = "0.0.0.0:5232"', ("dav", "TLS proxy", "public_url")),
        ('[dav]\nlisten = "[::]:5232"\npublic_url = "http://example.org"', ("dav", "TLS proxy")),
        ('[dav]\npublic_url = "dav.example.org"', ("dav.public_url", "https://dav.example.org")),
        ('[dav]\npublic_url = "https://dav.example.org:https"', ("dav.public_url", "https://dav.example.org")),
        ('[dav]\npublic_url = "https://dav.example.org:99999"', ("dav.public_url", "https://dav.example.org")),
        ('[dav]\npublic_url = "https://dav.example.org/?a=b"', ("dav.public_url", "no user, query or fragment")),
        ('[dav]\npublic_url = "https://ada:x@dav.example.org"', ("dav.public_url", "no user, query or fragment")),
        ('[dav]\npublic_url = "https://b\u00fccher.example"', ("dav.public_url", "xn--")),
        ('[provider.google]\nendpoint = "http://127.0.0.1:x"', ("provider.google.endpoint", "1 to 65535")),
        ("[dav", ("is not TOML",)),
    ],
)
def test_a_wrong_key_is_named_with_what_to_write(write, text: str, words: tuple[str, ...]):
    with pytest.raises(BadConfiguration) as caught:
        load_config(write(text), environment={})

    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_a_wrong_value_is_not_repeated_in_the_message(write):
    with pytest.raises(BadConfiguration) as caught:
        load_config(write('[provider.microsoft]\ntenant = "my secret!"'), environment={})

    assert "my secret" not in str(caught.value)


def test_an_unknown_environment_variable_is_named():
    with pytest.raises(BadConfiguration, match=r"CCDAEMON_DAV__LISEN.*did you mean dav\.listen"):
        load_config(environment={"CCDAEMON_DAV__LISEN": "x"})


def test_a_wrong_value_in_the_environment_is_not_blamed_on_the_file(write, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CCDAEMON_DAV__LISTEN", "nowhere")

    with pytest.raises(BadConfiguration, match=r"environment variable CCDAEMON_DAV__LISTEN: dav\.listen"):
        load_config(write('[sync]\ninterval = "5m"\n'))


def test_behind_a_tls_proxy_any_address_may_be_listened_on(write):
    config = load_config(
        write('[dav]\nlisten = "0.0.0.0:5232"\npublic_url = "https://dav.example.org"\n'), environment={}
    )

    assert config.dav.public_url == "https://dav.example.org"


def test_a_home_is_found_in_paths_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CCDAEMON_DATA_DIR", "~/state")

    assert load_config().data_dir == tmp_path / "state"


def test_a_file_that_was_asked_for_must_exist(tmp_path: Path):
    with pytest.raises(BadConfiguration, match="there is no configuration file"):
        load_config(tmp_path / "none.toml", environment={})


def test_loopback_endpoints_may_be_plain_http(write):
    config = load_config(write('[provider.google]\nendpoint = "http://127.0.0.1:8765/"'), environment={})

    assert config.provider.endpoint(ProviderName.GOOGLE) == "http://127.0.0.1:8765"


def test_the_example_file_shows_every_key_and_is_valid():
    path = ROOT / "config" / "ccdaemon.toml"
    text = path.read_text()

    load_config(path, environment={})
    for key in known_keys():
        assert key.rpartition(".")[2] in text, key


def test_trusted_proxies_are_addresses_and_networks(write, monkeypatch: pytest.MonkeyPatch):
    path = write('[dav]\ntrusted_proxies = ["10.0.0.1", "2001:db8::/32"]\n')

    from_file = load_config(path, environment={}).dav.trusted_proxies
    monkeypatch.setenv("CCDAEMON_DAV__TRUSTED_PROXIES", "10.0.0.1, 192.0.2.7/24")

    assert [str(one) for one in from_file] == ["10.0.0.1/32", "2001:db8::/32"]
    assert [str(one) for one in load_config(path).dav.trusted_proxies] == ["10.0.0.1/32", "192.0.2.0/24"]


@pytest.mark.parametrize("value", ['["proxy.example"]', '["10.0.0.0/33"]', "[1]", "7", '"*"'])
def test_trusted_proxies_that_are_no_addresses_are_refused(write, value: str):
    with pytest.raises(BadConfiguration, match=r"dav\.trusted_proxies: an? "):
        load_config(write(f"[dav]\ntrusted_proxies = {value}\n"), environment={})


@pytest.mark.parametrize("workers", [0, 17, -1])
def test_the_number_of_workers_is_bounded(write, workers: int):
    with pytest.raises(BadConfiguration, match=r"dav\.workers"):
        load_config(write(f"[dav]\nworkers = {workers}\n"), environment={})
