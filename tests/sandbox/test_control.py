"""The control plane: what a test sees and moves. trust.md section 3."""

import json

import pytest
import requests

from tests.sandbox.google_driver import EVERY_FIELD, PEOPLE, GoogleDriver, events_of, ids

CONNECTIONS = f"{PEOPLE}/people/me/connections"
TOKEN = "oauth2.googleapis.com/token"


def test_people_are_known_by_all_their_names(google: GoogleDriver) -> None:
    people = google.control("people")["people"]

    assert [person["id"] for person in people] == ["ada", "grace"]
    assert people[0]["google"]["email"] == "ada.lovelace@gmail.example"
    keys = [part for person in people for part in (*person["google"].values(), *person["microsoft"].values())]
    assert len(keys) == len(set(keys))


def test_the_log_tells_everything_but_secrets(google: GoogleDriver) -> None:
    token = google.token()
    google.get(CONNECTIONS, personFields="names", token=token)
    form = {"grant_type": "refresh_token", "refresh_token": "1//CNRYsecret", "client_id": "c", "client_secret": "CNRYs"}
    requests.post(f"{google.url}/{TOKEN}", data=form, timeout=10)
    requests.get(f"{google.url}/oauth2.googleapis.com/tokeninfo?access_token={token}", timeout=10)

    entries = google.control("log")["entries"]

    assert "CNRY" not in json.dumps(entries)
    read, refreshed, asked = entries
    assert (read["host"], read["path"], read["query"]) == (
        *("people.googleapis.com", "/v1/people/me/connections", "personFields=names"),
    )
    assert (read["method"], read["status"], read["person"]) == ("GET", 200, "ada")
    assert refreshed["form"] == {**form, "refresh_token": "***", "client_secret": "***"}
    assert (refreshed["status"], refreshed["person"]) == (400, None)
    assert asked["query"] == "access_token=***"
    assert google.control(f"log?since={read['n']}")["entries"] == entries[1:]


def test_counters_count_by_route_and_can_be_cleared(google: GoogleDriver) -> None:
    for _ in range(3):
        google.get(CONNECTIONS, personFields="names")
    google.get("graph.microsoft.com/v1.0/nothing")

    assert google.control("counters") == {
        "GET people.googleapis.com /v1/people/me/connections": 3,
        "GET graph.microsoft.com ?": 1,
    }
    google.control("log", method="DELETE")
    assert google.control("counters") == {}
    assert google.control("log")["entries"] == []


def test_truth_is_what_a_full_read_shows(google: GoogleDriver) -> None:
    truth = google.truth()

    listed, _ = google.connections()
    assert truth["contacts"] == listed
    assert truth["calendars"] == google.calendars()
    assert truth["events"] == {calendar["id"]: google.events(calendar["id"])[0] for calendar in truth["calendars"]}
    assert set(google.control("truth")) == {"ada", "grace"}
    assert set(google.control("truth")["ada"]) == {"google", "microsoft"}


def test_the_clock_moves_and_tokens_die_with_it(google: GoogleDriver) -> None:
    google.control("clock", {"advance_seconds": 3601})

    assert google.refused(CONNECTIONS, personFields="names") == (401, "authError")
    google.control("clock", {"advance_seconds": -3601})
    assert google.get(CONNECTIONS, personFields="names").status_code == 200


def test_access_tokens_expire_for_one_person_alone(google: GoogleDriver) -> None:
    other = google.token(person="grace")

    ended = google.control("expire", {"what": "access_tokens", "person": "ada", "provider": "google"})

    assert ended == {"expired": "access_tokens", "count": 1}
    assert google.get(CONNECTIONS, personFields="names").status_code == 401
    assert google.get(CONNECTIONS, personFields="names", token=other).status_code == 200


@pytest.mark.parametrize(
    ("path", "order", "status"),
    [
        ("mutate", {"person": "nobody", "provider": "google"}, 404),
        ("mutate", {"person": "ada", "provider": "aol"}, 404),
        (
            "mutate",
            {"person": "ada", "provider": "google", "kind": "contact", "action": "delete", "id": "people/c1"},
            404,
        ),
        ("mutate", {"person": "ada", "provider": "google", "kind": "mood", "action": "delete", "id": "x"}, 400),
        (
            *(
                "mutate",
                {"person": "ada", "provider": "google", "kind": "contact", "action": "create", "patch": {"x": []}},
            ),
            400,
        ),
        ("expire", {"what": "patience"}, 400),
        ("switches", {"rain": True}, 400),
        ("switches", {"deny": 1}, 400),
        ("switches", {"microsoft_rotation": "never"}, 400),
        ("faults", {"do": {}}, 400),
        ("faults", {"match": {"moon": "full"}, "do": {"status": 500}}, 400),
        ("faults", {"match": {"path": "("}, "do": {"status": 500}}, 400),
        ("faults", {"match": {"query": "("}, "do": {"status": 500}}, 400),
        ("faults", {"do": {"empty_pages": "some"}}, 400),
        ("pages", {"largest": 0}, 400),
        ("pages", {"largest": True}, 400),
        ("device", {"user_code": "NOPE", "person": "ada"}, 404),
    ],
)
def test_an_order_that_makes_no_sense_is_refused_and_named(
    google: GoogleDriver, path: str, order: dict[str, object], status: int
) -> None:
    answer = requests.post(f"{google.url}/__sandbox__/{path}", json=order, timeout=10)

    assert answer.status_code == status
    assert answer.json()["error"]


def fault(google: GoogleDriver, do: dict[str, object], **match: object) -> str:
    """Set a rule; its id."""
    found: str = google.control("faults", {"match": {"host": "people.googleapis.com", **match}, "do": do})["id"]
    return found


def fired(google: GoogleDriver) -> dict[str, int]:
    """How often each rule fired."""
    return {rule["id"]: rule["fired"] for rule in google.control("faults")["faults"]}


def test_a_rule_answers_in_place_of_the_route_as_often_as_it_should(google: GoogleDriver) -> None:
    do = {"status": 429, "body": {"error": {"code": 429}}, "headers": {"Retry-After": "7"}}
    rule = fault(google, do, path="connections$", person="ada", times=2)

    answers = [google.get(CONNECTIONS, personFields="names") for _ in range(3)]
    other = google.get(CONNECTIONS, personFields="names", token=google.token(person="grace"))

    assert [answer.status_code for answer in answers] == [429, 429, 200]
    assert (answers[0].headers["Retry-After"], answers[0].json()) == ("7", {"error": {"code": 429}})
    assert other.status_code == 200
    assert fired(google) == {rule: 2}
    assert [entry["fault"] for entry in google.control("log")["entries"]] == [rule, rule, None, None]


def test_a_rule_may_hit_the_nth_request_only(google: GoogleDriver) -> None:
    fault(google, {"status": 503}, nth=2)

    assert [google.get(CONNECTIONS, personFields="names").status_code for _ in range(3)] == [200, 503, 200]


def test_rules_are_removed_one_by_one_or_all_at_once(google: GoogleDriver) -> None:
    first, second = fault(google, {"status": 500}), fault(google, {"status": 501})
    google.control(f"faults/{first}", method="DELETE")
    assert google.get(CONNECTIONS, personFields="names").status_code == 501

    google.control("faults", method="DELETE")
    assert google.get(CONNECTIONS, personFields="names").status_code == 200
    assert requests.delete(f"{google.url}/__sandbox__/faults/{second}", timeout=10).status_code == 404


def test_connections_break_before_or_after_the_work(google: GoogleDriver) -> None:
    before = fault(google, {"reset": True}, times=1)
    with pytest.raises(requests.ConnectionError, match="reset"):
        google.get(CONNECTIONS, personFields="names")
    after = fault(google, {"reset_after_commit": True}, times=1)
    with pytest.raises(requests.ConnectionError, match="reset"):
        google.get(CONNECTIONS, personFields="names")
    hang = fault(google, {"hang_seconds": 0.1}, times=1)
    with pytest.raises(requests.ConnectionError):
        google.get(CONNECTIONS, personFields="names")

    assert fired(google) == {before: 1, after: 1, hang: 1}
    assert [entry["status"] for entry in google.control("log")["entries"]] == [None, None, None]


def test_a_refresh_is_committed_before_the_connection_breaks(google: GoogleDriver) -> None:
    order = {"match": {"host": "oauth2.googleapis.com"}, "do": {"reset_after_commit": True}}
    google.control("faults", order)
    before = len(google.sandbox.world.access_tokens)
    token = google.sandbox.grants.new_refresh_token(
        provider="google", prefix="1//", client_id="c", identity=google.person, scopes=("openid",), lifetime=None
    )
    form = {"grant_type": "refresh_token", "refresh_token": token.value, "client_id": "c", "client_secret": "s"}

    with pytest.raises(requests.ConnectionError):
        requests.post(f"{google.url}/{TOKEN}", data=form, timeout=10)

    assert len(google.sandbox.world.access_tokens) == before + 1
    assert google.control("log")["entries"][-1]["person"] == "ada"


def test_bodies_arrive_cut_or_slowly(google: GoogleDriver) -> None:
    fault(google, {"truncate_at": 20}, times=1)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        google.get(CONNECTIONS, personFields="names")
    fault(google, {"truncate_at": 20, "chunked": True}, times=1)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        google.get(CONNECTIONS, personFields="names")
    fault(google, {"slow_bytes_per_second": 100_000}, times=1)
    slow = google.get(CONNECTIONS, personFields=EVERY_FIELD)

    assert len(slow.json()["connections"]) == 25


def test_pages_of_other_kinds_come_instead(google: GoogleDriver) -> None:
    fault(google, {"html": True}, times=1)
    portal = google.get(CONNECTIONS, personFields="names")
    fault(google, {"content_type": "text/plain"}, times=1)
    plain = google.get(CONNECTIONS, personFields="names")
    fault(google, {"gzip_bomb": 3}, times=1)
    bomb = google.get(CONNECTIONS, personFields="names")

    assert (portal.status_code, portal.headers["Content-Type"]) == (200, "text/html; charset=UTF-8")
    assert plain.headers["Content-Type"] == "text/plain"
    assert len(bomb.content) == 3 * 1024 * 1024 + 2
    assert int(bomb.headers["Content-Length"]) < 20_000


def test_listings_lose_repeat_and_reorder_what_they_hold(google: GoogleDriver) -> None:
    query = {"personFields": "names", "pageSize": 10, "requestSyncToken": "true"}
    whole = google.read(CONNECTIONS, **query)

    fault(google, {"drop_terminal": True}, times=1)
    assert "nextPageToken" not in google.read(CONNECTIONS, **query)
    fault(google, {"empty_listing": True}, times=1)
    assert "connections" not in google.read(CONNECTIONS, **query)
    fault(google, {"duplicate": True}, times=1)
    assert ids(google.read(CONNECTIONS, **query)["connections"]) == ids(whole["connections"]) * 2
    fault(google, {"reorder": True}, times=1)
    assert ids(google.read(CONNECTIONS, **query)["connections"]) == ids(whole["connections"])[::-1]
    fault(google, {"keep_items": 3}, times=1)
    kept = google.read(CONNECTIONS, **query)
    assert (ids(kept["connections"]), "nextPageToken" in kept) == (ids(whole["connections"])[:3], True)
    google.control("faults", {"match": {"host": "www.googleapis.com"}, "do": {"empty_listing": True}})
    assert google.read(events_of("primary"))["items"] == []


def test_pages_are_as_small_as_a_test_wants_them(google: GoogleDriver) -> None:
    query = {"personFields": "names", "pageSize": 10}
    whole = google.read(CONNECTIONS, **query)

    google.control("pages", {"largest": 2})
    small = google.read(CONNECTIONS, **query)
    google.control("pages", {"largest": None})

    assert ids(small["connections"]) == ids(whole["connections"])[:2]
    assert ids(google.read(CONNECTIONS, **query)["connections"]) == ids(whole["connections"])


@pytest.mark.parametrize(("kind", "different"), [("same", 1), ("circle", 2), ("endless", 6)])
def test_empty_pages_go_on_without_end(google: GoogleDriver, kind: str, different: int) -> None:
    rule = fault(google, {"empty_pages": kind})
    google.control("faults", {"match": {"host": "graph.microsoft.com"}, "do": {"empty_pages": kind}})
    pages = [google.read(CONNECTIONS, personFields="names") for _ in range(6)]
    link = google.get("graph.microsoft.com/v1.0/me/contacts/delta").json()["@odata.nextLink"]

    assert len({page["nextPageToken"] for page in pages}) == different
    assert all(page.keys() == {"nextPageToken"} for page in pages)
    assert link.startswith("https://graph.microsoft.com/v1.0/me/contacts/delta?$skiptoken=")
    assert fired(google)[rule] == 6


def test_a_rule_may_look_at_the_query(google: GoogleDriver) -> None:
    fault(google, {"status": 503}, query="personFields=names,")
    answers = [google.get(CONNECTIONS, personFields=fields).status_code for fields in ("names", "names,photos")]

    assert answers == [200, 503]


def test_links_lead_elsewhere(google: GoogleDriver) -> None:
    fault(google, {"foreign_link": "evil.example"}, times=1)
    person = google.read(CONNECTIONS, personFields="photos")["connections"][0]
    google.control("faults", {"match": {"host": "accounts.google.com"}, "do": {"foreign_link": "http://127.0.0.1:1"}})
    query = {"client_id": "x", "response_type": "code", "scope": "openid", "redirect_uri": "http://127.0.0.1:9/cb"}
    answer = requests.get(
        f"{google.url}/accounts.google.com/o/oauth2/v2/auth", params=query, allow_redirects=False, timeout=10
    )

    assert person["photos"][0]["url"].startswith("https://evil.example/")
    assert answer.headers["Location"].startswith("http://127.0.0.1:1/cb?")
