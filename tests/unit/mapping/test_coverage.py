from ccdaemon.mapping.coverage import Row, Ways, unmapped

COVERAGE = (
    Row(path="names[].givenName", property="N", ways=Ways.BOTH),
    Row(path="names[].metadata", property="", ways=Ways.NOISE),
    Row(path="photos", property="", ways=Ways.KEPT),
    Row(path="photos[].url", property="PHOTO", ways=Ways.READ),
    Row(path="id", property="", ways=Ways.NOISE),
)


def test_what_stands_in_no_body_is_named_once_by_its_path():
    payload = {
        "id": "1",
        "names": [
            {"givenName": "Ada", "metadata": {"primary": True, "source": {"type": "CONTACT"}}},
            {"givenName": "Ada", "brandNew": "x"},
            {"brandNew": {"deep": [1, 2]}},
        ],
        "photos": [{"url": "https://x.example", "default": False}],
        "unknown": 0,
    }

    assert unmapped(COVERAGE, payload) == [
        "names[].brandNew",
        "names[].brandNew.deep[]",
        "photos[].default",
        "unknown",
    ]


def test_what_is_empty_is_no_loss():
    assert unmapped(COVERAGE, {"a": None, "b": "", "c": [], "d": {}, "e": {"f": [None, ""]}}) == []
