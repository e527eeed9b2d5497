#!/usr/bin/env python3
"""GeoReport v2 as a client sees it: every line of the specification's checklist, over XML and JSON, against a real server.

    tests/open311/run.py [target/debug/whistle]

Written from the specification and what its clients do (FixMyStreet, CitySDK, Chicago, uReport), not from our code. Needs
nothing but Python 3. Each test's number is the checklist's: B1 general, B2 discovery, … B11 FixMyStreet.
"""

import datetime
import functools
import pathlib
import sys
import tempfile
import time
import unittest
import urllib.parse
import zlib

import places
from client import DATETIME, FORMATS, TYPES, Client, read_xml

V2 = "/open311/v2"
WHERE = {"lat": "46.640000", "long": "132.150000"}
EXTENDED = {"open", "closed", "fixed", "in_progress", "planned", "action_scheduled", "investigating", "duplicate",
            "not_councils_responsibility", "no_further_action", "internal_referral", "cancelled", "reopen", "for_triage",
            "unchanged"}
REQUEST_FIELDS = ["service_request_id", "status", "status_notes", "service_name", "service_code", "description",
                  "agency_responsible", "service_notice", "requested_datetime", "updated_datetime", "expected_datetime",
                  "address", "address_id", "zipcode", "lat", "long", "media_url"]
PRIVATE = {"email", "device_id", "account_id", "first_name", "last_name", "phone"}

client: Client = None
two: Client = None
change_the_second = None


def png(colour):
    """A picture of 8 x 8 points."""
    def chunk(kind, content):
        return len(content).to_bytes(4, "big") + kind + content + zlib.crc32(kind + content).to_bytes(4, "big")
    rows = (b"\0" + bytes(colour) * 8) * 8
    head = (8).to_bytes(4, "big") * 2 + bytes([8, 2, 0, 0, 0])
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def moment(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def now(**ago):
    return (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(**ago)).strftime("%Y-%m-%dT%H:%M:%SZ")


class GeoReport:
    """What is tested, once for each format."""

    format: str

    def get(self, path, query=(), **headers):
        return client.get(V2 + path, self.format, query, **headers)

    def found(self, path, query=(), **headers):
        answer = self.get(path, query, **headers)
        self.assertEqual(answer.status, 200, answer.text)
        return answer

    def requests(self, **query):
        return self.found("/requests", query).value

    def ids(self, **query):
        return [request["service_request_id"] for request in self.requests(**query)]

    def post(self, fields, path="/requests", **more):
        return client.post(V2 + path, self.format, fields, **more)

    def filed(self, **fields):
        answer = self.post({"service_code": "GY-DL", "description": f"{self.id()} {fields}", **WHERE, **fields})
        self.assertEqual(answer.status, 200, answer.text)
        return answer.only["service_request_id"]

    def refused(self, answer, status):
        self.assertEqual(answer.status, status, answer.text)
        return [error["description"] for error in answer.value]

    def assert_datetime(self, text):
        self.assertRegex(text, f"^{DATETIME.pattern}$")

    def assert_same(self, one, other, what=None):
        """Both answer the same. Work goes on in a live city, so what changed between the two is asked for again."""
        for _ in range(5):
            first, second = one(), other()
            if first == second:
                return
        self.assertEqual(first, second, what)

    # B1

    def test_b1_a_parameter_that_is_empty_is_absent(self):
        empty = {name: "" for name in ("service_request_id", "service_code", "status", "start_date", "end_date", "page",
                                       "page_size", "bbox", "lat", "long", "radius", "updated_after", "updated_before",
                                       "jurisdiction_id", "extensions", "locale")}
        self.assert_same(self.requests, lambda: self.requests(**empty))

    def test_b1_jurisdiction_is_ignored_unless_it_is_unknown(self):
        self.assertEqual(self.found("/services").value, self.found("/services", {"jurisdiction_id": "three-rivers"}).value)
        for path in ("/services", "/services/GY-JG", "/requests", "/requests/1", "/tokens/1", "/servicerequestupdates"):
            self.refused(self.get(path, {"jurisdiction_id": "elsewhere.gov"}), 404)
        self.refused(self.post({"jurisdiction_id": "elsewhere.gov", "service_code": "GY-DL", **WHERE}), 404)

    def test_b1_where_there_are_several_jurisdictions_one_is_named(self):
        for path in ("/services", "/requests", "/servicerequestupdates"):
            self.refused(two.get(V2 + path, self.format), 400)
        for code in ("east", "west"):
            services = two.get(f"{V2}/services", self.format, {"jurisdiction_id": code}).value
            self.assertEqual([service["service_code"] for service in services], [f"{code}-LAMP"])
        self.refused(two.get(f"{V2}/services", self.format, {"jurisdiction_id": "north"}), 404)

    def test_b1_only_a_report_needs_a_key_and_a_wrong_one_is_403(self):
        fields = {"service_code": "GY-DL", "description": "x", **WHERE}
        for key in (False, "whk_wrong", ""):
            self.refused(self.post(fields, key=key or False), 403)
        self.refused(self.post({**fields, "api_key": ""}, key=False), 403)
        self.refused(self.post({"service_request_id": "1", "description": "x"}, "/servicerequestupdates", key=False), 403)

    # B2

    def test_b2_discovery_says_all(self):
        discovery = client.get("/open311/discovery", self.format)
        self.assertEqual(discovery.status, 200)
        self.assertIn(discovery.root, (None, "discovery"))
        said = discovery.value
        self.assertEqual(list(said), ["changeset", "contact", "key_service", "endpoints"])
        self.assertTrue(all(said.values()))
        self.assert_datetime(said["changeset"])
        for endpoint in said["endpoints"]:
            self.assertEqual(list(endpoint), ["specification", "url", "changeset", "type", "formats"])
            self.assertEqual(endpoint["specification"], "http://wiki.open311.org/GeoReport_v2")
            self.assertIn(endpoint["type"], ("production", "test"))
            self.assert_datetime(endpoint["changeset"])
            self.assertEqual(set(endpoint["formats"]), {"text/xml", "application/json"})
            at_url = Client(endpoint["url"]).get("/services", self.format)
            self.assertEqual(at_url.value, self.found("/services").value)

    # B3, B4

    def test_b3_services(self):
        services = self.found("/services")
        self.assertIn(services.root, (None, "services"))
        codes = [service["service_code"] for service in services.value]
        self.assertEqual(len(codes), len(set(codes)))
        for service in services.value:
            self.assertEqual(list(service), ["service_code", "service_name", "description", "metadata", "type", "keywords", "group"])
            self.assertTrue(service["service_code"] and service["service_name"] and service["group"])
            self.assertIn(service["metadata"], ("true", "false"))
            self.assertIn(service["type"], ("realtime", "batch", "blackbox"))
        if services.raw:
            self.assertTrue(all(type(s["metadata"]) is bool and type(s["service_code"]) is str for s in services.raw))

    def test_b4_metadata_is_true_where_there_is_a_definition(self):
        for service in self.found("/services").value:
            definition = self.found(f"/services/{service['service_code']}")
            self.assertIn(definition.root, (None, "service_definition"))
            self.assertEqual(definition.value["service_code"], service["service_code"])
            asked = definition.value["attributes"] or []
            self.assertEqual(service["metadata"], "true" if asked else "false", service)

    def test_b4_a_definition_has_every_datatype_in_order(self):
        definition = self.found(f"/services/{places.ASKED}")
        attributes = definition.value["attributes"]
        self.assertEqual([a["order"] for a in attributes], [str(n) for n in range(1, 8)])
        self.assertEqual([a["datatype"] for a in attributes],
                         ["singlevaluelist", "multivaluelist", "number", "datetime", "string", "text", "text"])
        self.assertEqual([a["variable"] for a in attributes], ["true"] * 6 + ["false"])
        self.assertEqual([a["required"] for a in attributes], ["true"] * 2 + ["false"] * 5)
        for attribute in attributes:
            named = ["variable", "code", "datatype", "required", "datatype_description", "order", "description"]
            self.assertEqual(list(attribute)[:7], named)
            self.assertTrue(attribute["description"])
        values = attributes[1]["values"]
        self.assertEqual([list(value) for value in values], [["key", "name"]] * 3)
        self.assertEqual([value["key"] for value in values], ["road", "home", "shop"])
        if definition.raw:
            first = definition.raw["attributes"][0]
            self.assertIs(first["required"], True)
            self.assertIs(first["variable"], True)

    def test_b4_an_unknown_service_is_404(self):
        for code in ("NO-SUCH", "GY", "%20", "a%2Fb", "路灯"):
            self.refused(self.get(f"/services/{urllib.parse.quote(code, safe='%')}"), 404)

    # B5

    def test_b5_a_report_is_answered_with_one_id(self):
        answer = self.post({"service_code": "GY-DL", "description": "Zwei Zeilen\r\nund <b>Zeichen</b> & 三江 🚰", **WHERE})
        self.assertEqual(answer.status, 200, answer.text)
        self.assertIn(answer.root, (None, "service_requests"))
        given = answer.only
        self.assertNotIn("token", given)
        self.assertTrue(set(given) <= {"service_request_id", "service_notice", "account_id"})
        if answer.raw:
            self.assertIs(type(answer.raw[0]["service_request_id"]), str)
        read = self.found(f"/requests/{given['service_request_id']}").only
        self.assertEqual(read["description"], "Zwei Zeilen\nund <b>Zeichen</b> & 三江 🚰")
        self.assertEqual((read["status"], read["service_code"]), ("open", "GY-DL"))
        self.assertEqual((float(read["lat"]), float(read["long"])), (46.64, 132.15))
        self.assertLess(abs(moment(read["requested_datetime"]) - moment(now())), datetime.timedelta(minutes=5))

    def test_b5_one_location_is_enough_and_none_is_400(self):
        area = self.requests(page_size=1)[0]["address_id"]
        for location in ({"lat": "46.64", "long": "132.15"}, {"address_string": "三江路 15 号"}, {"address_id": area}):
            answer = self.post({"service_code": "GY-DL", "description": f"{self.id()} {location}", **location})
            self.assertEqual(answer.status, 200, answer.text)
        for location in ({}, {"lat": "46.64"}, {"long": "132.15"}, {"lat": "", "long": "", "address_string": " "},
                         {"lat": "north", "long": "132.15"}, {"lat": "NaN", "long": "132.15"}, {"lat": "91", "long": "131"},
                         {"lat": "0", "long": "0"}, {"address_id": "nowhere"}):
            self.refused(self.post({"service_code": "GY-DL", "description": "x", **location}), 400)

    def test_b5_what_is_missing_is_400_and_all_of_it_is_said(self):
        self.refused(self.post({"description": "x", **WHERE}), 400)
        said = self.refused(self.post({"description": "x"}), 400)
        self.assertEqual(len(said), 2, said)
        said = self.refused(self.post({"service_code": places.ASKED, "description": "x", **WHERE}), 400)
        self.assertEqual(len(said), 2, said)
        self.assertTrue(any("pipe" in text for text in said) and any("harm" in text for text in said), said)

    def test_b5_an_unknown_service_is_404(self):
        self.refused(self.post({"service_code": "NO-SUCH", "description": "x", **WHERE}), 404)
        self.refused(self.post({"service_code": "GY", "description": "a group", **WHERE}), 404)

    def test_b5_attributes_of_every_datatype(self):
        fields = [("service_code", places.ASKED), ("description", self.id()), *WHERE.items(), ("attribute[pipe]", "main"),
                  ("attribute[harm][]", "road"), ("attribute[harm][]", "shop"), ("attribute[depth]", "12.5"),
                  ("attribute[since]", "2026-05-08T10:20:00+08:00"), ("attribute[sign]", "雨 & 12"), ("attribute[more]", "one\ntwo")]
        answer = self.post(fields)
        self.assertEqual(answer.status, 200, answer.text)
        number = answer.only["service_request_id"]
        read = self.found(f"/requests/{number}", {"extensions": "true"}).only
        given = {a["code"]: [v["key"] for v in a["values"]] for a in read["attributes"]}
        self.assertEqual(given["pipe"], ["main"])
        self.assertEqual(given["harm"], ["road", "shop"])
        self.assertEqual(given["sign"], ["雨 & 12"])
        for wrong in ({"attribute[pipe]": "none-of-them"}, {"attribute[harm][]": "moon"}, {"attribute[depth]": "deep"},
                      {"attribute[since]": "lately"}, {"attribute[nobody_asked]": "1"}):
            sent = {"service_code": places.ASKED, "description": "x", **WHERE, "attribute[pipe]": "main", "attribute[harm][]": "road"}
            self.refused(self.post({**sent, **wrong}), 400)

    def test_b5_a_description_has_4000_letters(self):
        self.filed(description="水" * 4000)
        self.refused(self.post({"service_code": "GY-DL", "description": "水" * 4001, **WHERE}), 400)

    def test_b5_nobody_reads_who_reported(self):
        who = {"email": "li@example.org", "first_name": "Wenyuan", "last_name": "Qiquan", "phone": "13900001234",
               "device_id": "device-7", "account_id": "account-9"}
        number = self.filed(description="Wire down", **who)
        for path in (f"/requests/{number}", "/requests", "/servicerequestupdates"):
            text = self.found(path, {"extensions": "true"}).text
            self.assertFalse([value for value in who.values() if value in text], path)

    def test_b5_a_case_that_is_not_for_the_public_is_taken_and_never_shown(self):
        number = self.filed(service_code="MS-XF", description="A quarrel of mine")
        self.refused(self.get(f"/requests/{number}"), 404)
        self.refused(self.get(f"/tokens/{number}"), 404)
        self.assertEqual(self.ids(service_request_id=number), [])
        self.assertNotIn(number, self.ids(page_size=500))
        told = self.found("/servicerequestupdates", {"start_date": now(minutes=5), "end_date": now(seconds=-5)}).value
        self.assertNotIn(number, [update["service_request_id"] for update in told])
        self.refused(self.post({"service_request_id": number, "description": "x"}, "/servicerequestupdates"), 404)

    def test_b5_what_tells_of_a_person_is_masked(self):
        number = self.filed(description="Call me on 13900001234 or li@example.org")
        read = self.found(f"/requests/{number}", {"extensions": "true"})
        self.assertNotIn("13900001234", read.text)
        self.assertNotIn("li@example.org", read.text)

    def test_b5_a_media_url_is_kept_and_a_bad_one_refused(self):
        number = self.filed(media_url="https://photos.example.org/7.jpg")
        read = self.found(f"/requests/{number}").only
        self.assertIn("https://photos.example.org/7.jpg", f"{read['description']} {read['media_url']}")
        self.refused(self.post({"service_code": "GY-DL", "description": "x", "media_url": "javascript:alert(1)", **WHERE}), 400)

    def test_b5_a_photo_under_any_name(self):
        for step, name in enumerate(("media", "media[]", "photo1", "file_0")):
            shade = 40 * step + (10 if self.format == "xml" else 20)
            fields = {"service_code": "GY-DL", "description": f"{self.id()} {name}", **WHERE}
            answer = client.upload(f"{V2}/requests", self.format, fields, [(name, ("a.png", "image/png", png((shade, 0, 9))))])
            self.assertEqual(answer.status, 200, answer.text)
            read = self.found(f"/requests/{answer.only['service_request_id']}").only
            self.assertTrue(read["media_url"].startswith("http"), name)
            status, headers, body = client.send("GET", read["media_url"])
            self.assertEqual((status, headers["Content-Type"].split("/")[0]), (200, "image"), name)
        broken = [("media", ("a.png", "image/png", b"no picture at all"))]
        self.refused(client.upload(f"{V2}/requests", self.format, {"service_code": "GY-DL", **WHERE}, broken), 400)

    def test_b5_the_same_key_of_a_retry_makes_no_second_case(self):
        fields = {"service_code": "GY-DL", "description": self.id(), **WHERE}
        again = [self.post(fields, headers={"Idempotency-Key": self.id()}).only["service_request_id"] for _ in range(2)]
        self.assertEqual(again[0], again[1])

    def test_b5_broken_bodies_are_refused_in_the_asked_format(self):
        for kind, body in (("application/json", b'{"service_code":"GY-DL"}'), ("multipart/form-data", b"--x"), ("text/plain", b"hi"),
                           ("multipart/form-data; boundary=x", b"--x\r\nnothing")):
            answer = client.answer("POST", f"{V2}/requests", self.format, (), body, {"Content-Type": kind})
            self.refused(answer, 400)

    # B6

    def test_b6_tokens(self):
        number = self.filed()
        token = self.found(f"/tokens/{number}")
        self.assertIn(token.root, (None, "service_requests"))
        self.assertEqual(token.only["service_request_id"], number)
        self.assertTrue(token.only["token"])
        for unknown in ("999999999", "0", "-1", "abc"):
            self.refused(self.get(f"/tokens/{unknown}"), 404)

    # B7

    def test_b7_fields_of_a_request(self):
        answer = self.found("/requests", {"page_size": 300})
        self.assertIn(answer.root, (None, "service_requests"))
        self.assertGreater(len(answer.value), 100)
        names = {service["service_code"]: service["service_name"] for service in self.found("/services").value}
        for request in answer.value:
            self.assertEqual(list(request), REQUEST_FIELDS)
            self.assertFalse(set(request) & PRIVATE)
            self.assertIn(request["status"], ("open", "closed"))
            self.assertEqual(request["service_name"], names[request["service_code"]])
            for name in ("requested_datetime", "updated_datetime"):
                self.assert_datetime(request[name])
            if request["expected_datetime"]:
                self.assert_datetime(request["expected_datetime"])
            self.assertLessEqual(moment(request["requested_datetime"]), moment(request["updated_datetime"]))
            self.assertTrue(request["lat"] and request["long"] or request["address"] or request["address_id"])
        if answer.raw:
            self.assertTrue(all(type(r["service_request_id"]) is str and type(r["lat"]) in (float, int, type(None)) for r in answer.raw))

    def test_b7_newest_first_and_no_older_than_90_days(self):
        times = [moment(request["requested_datetime"]) for request in self.requests()]
        self.assertEqual(times, sorted(times, reverse=True))
        self.assertGreater(times[-1], moment(now(days=90, minutes=1)))

    def test_b7_ids_override_all_else(self):
        ids = self.ids(page_size=3)
        more = {"status": "closed", "service_code": "NO-SUCH", "start_date": "2001-01-01T00:00:00Z", "end_date": "2001-01-02T00:00:00Z",
                "page": "7", "bbox": "0,0,1,1"}
        self.assertEqual(set(self.ids(service_request_id=",".join(ids), **more)), set(ids))
        self.assertEqual(set(self.ids(service_request_id=ids)), set(ids))
        self.assertEqual(self.ids(service_request_id="999999999"), [])
        self.assertEqual(self.ids(service_request_id=f" {ids[0]} , {ids[1]},,abc"), self.ids(service_request_id=ids[:2]))

    def test_b7_status_and_service_are_lists(self):
        everything = set(self.ids(page_size=500))
        opened, closed = (set(self.ids(status=status, page_size=500)) for status in ("open", "closed"))
        self.assertTrue(opened and closed and not opened & closed)
        self.assertEqual(opened | closed, everything)
        self.assertEqual(set(self.ids(status="open,closed", page_size=500)), everything)
        self.assertEqual(set(self.ids(status=["open", "closed"], page_size=500)), everything)
        codes = sorted({request["service_code"] for request in self.requests()})[:2]
        both = self.requests(service_code=",".join(codes))
        self.assertEqual({request["service_code"] for request in both}, set(codes))
        self.assertEqual(both, self.requests(service_code=codes))
        self.refused(self.get("/requests", {"status": "fixed"}), 400)
        self.refused(self.get("/requests", {"service_code": f"{codes[0]},NO-SUCH"}), 404)

    def test_b7_dates(self):
        middle = self.requests()[50]["requested_datetime"]
        early, late = self.requests(end_date=middle), self.requests(start_date=middle)
        self.assertTrue(all(moment(r["requested_datetime"]) <= moment(middle) for r in early))
        self.assertTrue(all(moment(r["requested_datetime"]) >= moment(middle) for r in late))
        self.assertTrue({r["service_request_id"] for r in early} & {r["service_request_id"] for r in late})
        exactly = self.requests(start_date=middle, end_date=middle)
        self.assertEqual({r["requested_datetime"] for r in exactly}, {middle})
        for wrong in ({"start_date": "yesterday"}, {"end_date": "2026-13-01T00:00:00Z"}):
            self.refused(self.get("/requests", wrong), 400)
        wide = self.get("/requests", {"start_date": now(days=400), "end_date": now()})
        if wide.status == 200:
            self.assertTrue(all(moment(r["requested_datetime"]) <= moment(now(days=310)) for r in wide.value))
        else:
            self.refused(wide, 400)
        self.assertEqual(self.ids(start_date=now(days=1), end_date=now(days=3)), [])

    def test_b7_a_closed_request_was_updated_when_it_was_closed(self):
        for request in self.requests(status="closed", page_size=20, extensions="true"):
            times = [note["datetime"] for note in request["notes"]]
            self.assertIn(request["updated_datetime"], times)

    # B8

    def test_b8_one_request_is_a_list_of_one(self):
        listed = self.requests(page_size=1)[0]
        one = self.found(f"/requests/{listed['service_request_id']}")
        self.assertIn(one.root, (None, "service_requests"))
        self.assertEqual(one.only, listed)
        for unknown in ("999999999", "0", "abc", "1.5", "99999999999999999999999"):
            self.refused(self.get(f"/requests/{unknown}"), 404)

    def test_b8_head_is_get_without_its_body(self):
        url = f"{client.base}{V2}/requests.{self.format}?page_size=1"
        status, headers, body = client.send("HEAD", url)
        self.assertEqual((status, headers["Content-Type"], body), (200, TYPES[self.format], b""))

    # B9

    def test_b9_errors(self):
        for path in ("/nothing", "/service", "/requests/1/more"):
            self.refused(self.get(path), 404)
        self.refused(client.answer("PUT", f"{V2}/requests", self.format, (), b""), 405)
        answer = self.get("/requests", {"status": "fixed", "bbox": "1,2", "service_code": "NO-SUCH"})
        self.assertGreaterEqual(len(answer.value), 3)
        if answer.raw:
            self.assertIs(type(answer.raw[0]["code"]), str)

    def test_b9_errors_are_in_the_language_asked(self):
        def said(query=(), **headers):
            return self.refused(self.get("/requests", {"status": "fixed", **dict(query)}, **headers), 400)[0]

        chinese, english = said({"locale": "zh"}), said({"locale": "en"})
        self.assertRegex(chinese, "[\u4e00-\u9fff]")
        self.assertNotRegex(english, "[\u4e00-\u9fff]")
        self.assertIn("open", english)
        self.assertEqual(said(Accept_Language="en-GB,en;q=0.9,zh;q=0.1"), english)
        self.assertEqual(said(Accept_Language="zh-CN,zh;q=0.9,en;q=0.8"), chinese)
        self.assertEqual(said({"locale": "en"}, Accept_Language="zh"), english)
        self.assertEqual(said(), chinese)  # the place's own

    def test_b9_every_refusal_is_told_in_both_languages(self):
        wrong = [({"service_code": "NO-SUCH", **WHERE}, 404), ({"description": "x"}, 400), ({"service_code": "GY-DL", "lat": "x", "long": "1"}, 400),
                 ({"service_code": "GY-DL", "lat": "0", "long": "0"}, 400), ({"service_code": "GY-DL", "lat": "1"}, 400),
                 ({"service_code": places.ASKED, **WHERE}, 400), ({"service_code": "GY-DL", **WHERE, "attribute[no]": "1"}, 400),
                 ({"service_code": "GY-DL", **WHERE, "description": "x" * 4001}, 400), ({"jurisdiction_id": "no"}, 404),
                 ({"service_code": "GY-DL", **WHERE, "media_url": "ftp://x"}, 400)]
        for fields, status in wrong:
            for sent in (dict(query={"locale": "zh"}), dict(headers={"Accept-Language": "zh"})):
                for text in self.refused(self.post(fields, **sent), status):
                    self.assertRegex(text, "[\u4e00-\u9fff]{2}", fields)
            for text in self.refused(self.post({**fields, "locale": "en"}), status):
                self.assertNotRegex(text, "[\u4e00-\u9fff]", fields)
        for path, query in (("/requests/0", {}), ("/services/NO", {}), ("/tokens/x", {}), ("/nothing", {}), ("/requests", {"page": "0"}),
                            ("/requests", {"page_size": "x"}), ("/requests", {"bbox": "1"}), ("/requests", {"radius": "-1"}),
                            ("/requests", {"start_date": "x"}), ("/requests", {"lat": "x", "long": "2"}), ("/services", {"jurisdiction_id": "x"})):
            for locale, pattern in (("zh", "[\u4e00-\u9fff]{2}"), ("en", "^[^\u4e00-\u9fff]+$")):
                answer = self.get(path, {**query, "locale": locale})
                self.assertGreaterEqual(answer.status, 400, path)
                for error in answer.value:
                    self.assertRegex(error["description"], pattern)
        self.assertRegex(self.refused(self.post({}, key="whk_wrong", query={"locale": "zh"}), 403)[0], "[\u4e00-\u9fff]{2}")

    # B10

    def test_b10_pages(self):
        everything = self.ids(page_size=500)
        walked, page = [], 1
        while got := self.ids(page=page, page_size=97):
            walked, page = walked + got, page + 1
        self.assertEqual(walked, everything)
        self.assertEqual(len(self.ids(page=1)), 50)
        self.assertEqual(self.ids(page=3, page_size=10), everything[20:30])
        self.assertEqual(self.ids(page=10000), [])
        for wrong in ({"page": "0"}, {"page": "-1"}, {"page": "first"}, {"page_size": "0"}, {"page": "99999999999999999999"}):
            self.refused(self.get("/requests", wrong), 400)

    def test_b10_updated_after_is_a_sync_key(self):
        changed = self.requests(updated_after=now(days=20), page_size=500)
        # A closed one keeps its closing time, and is listed again for what came after.
        still_open = [moment(request["updated_datetime"]) for request in changed if request["status"] == "open"]
        self.assertTrue(still_open and min(still_open) >= moment(now(days=20, minutes=1)))
        before = self.ids(updated_before=now(days=20), page_size=500)
        self.assertFalse(set(before) & {request["service_request_id"] for request in changed})
        number = self.filed()
        since = self.requests(updated_after=now(seconds=30), page_size=500)
        self.assertIn(number, [request["service_request_id"] for request in since])
        self.refused(self.get("/requests", {"updated_after": "soon"}), 400)

    def test_b10_extensions(self):
        full = self.requests(page_size=40, extensions="true")
        shortened = lambda request: {name: request[name] for name in REQUEST_FIELDS}
        self.assert_same(lambda: self.requests(page_size=40),
                         lambda: [shortened(request) for request in self.requests(page_size=40, extensions="true")])
        for request in full:
            self.assertEqual(set(request) - set(REQUEST_FIELDS), {"attributes", "extended_attributes", "notes"})
            extended = request["extended_attributes"]
            self.assertIn(extended["detailed_status"], ("RECEIVED", "IN_PROCESS", "PROCESSED", "ARCHIVED", "REJECTED"))
            self.assertEqual(extended["detailed_status"] in ("ARCHIVED", "REJECTED"), request["status"] == "closed")
            self.assertTrue(extended["title"])
            for note in request["notes"]:
                self.assertEqual(list(note), ["datetime", "type", "summary", "description"])
                self.assert_datetime(note["datetime"])

    def test_b10_bbox_and_circle(self):
        number = self.filed()
        inside = {"bbox": "132.149,46.639,132.151,46.641"}
        self.assertIn(number, self.ids(**inside))
        for request in self.requests(bbox="132.0,46.3,132.3,46.6", page_size=500):
            self.assertTrue(132.0 <= float(request["long"]) <= 132.3 and 46.3 <= float(request["lat"]) <= 46.6)
        self.assertEqual(self.ids(bbox="0,0,1,1"), [])
        self.assertIn(number, self.ids(lat=46.6401, long=132.15, radius=50))
        self.assertIn(number, self.ids(lat=46.645, long=132.15))
        self.assertNotIn(number, self.ids(lat=46.645, long=132.15, radius=100))
        for wrong in ({"bbox": "1,2,3"}, {"bbox": "2,2,1,1"}, {"bbox": "a,b,c,d"}, {"lat": "46"}, {"lat": "46", "long": "131", "radius": "-5"}):
            self.refused(self.get("/requests", wrong), 400)

    def test_b10_names_come_in_the_language_asked(self):
        def name(query=(), **headers):
            return self.found("/services", query, **headers).value[0]["service_name"]

        self.assertEqual(name({"locale": "en"}), "Manhole cover missing or broken")
        self.assertEqual(name({"locale": "zh"}), "井盖缺失或破损")
        self.assertEqual(name(Accept_Language="en"), "Manhole cover missing or broken")
        self.assertEqual(name(Accept_Language="fr, *;q=0.1"), "井盖缺失或破损")

    def test_b10_services_of_a_point(self):
        here = self.found("/services", WHERE).value
        self.assertTrue(here)
        self.assertEqual(self.found("/services", {"lat": "0", "long": "0"}).value, [])
        groups = self.found("/services", {"extensions": "true"}).value[0]["groups"]
        self.assertTrue(isinstance(groups, list) and groups[0])

    def test_b10_any_site_may_read_and_none_may_write(self):
        for path, query in (("/services", {}), ("/requests", {"page_size": 1}), ("/requests/0", {})):
            answer = self.get(path, query, Origin="https://fixmystreet.example")
            self.assertEqual(answer.headers["Access-Control-Allow-Origin"], "*")
        url = f"{client.base}{V2}/requests.{self.format}"
        ask = {"Origin": "https://x.example", "Access-Control-Request-Method": "GET"}
        status, headers, _ = client.send("OPTIONS", url, headers=ask)
        self.assertEqual((status // 100, headers["Access-Control-Allow-Origin"]), (2, "*"))
        status, headers, _ = client.send("OPTIONS", url, headers={**ask, "Access-Control-Request-Method": "POST"})
        self.assertIsNone(headers["Access-Control-Allow-Origin"])
        answer = self.post({}, headers={"Origin": "https://x.example"})
        self.assertIsNone(answer.headers["Access-Control-Allow-Origin"])

    def test_b10_updates_are_read(self):
        window = {"start_date": now(days=30), "end_date": now()}
        answer = self.found("/servicerequestupdates", {**window, "page_size": 500})
        self.assertIn(answer.root, (None, "service_request_updates"))
        self.assertGreater(len(answer.value), 50)
        for update in answer.value:
            self.assertTrue({"update_id", "service_request_id", "status", "updated_datetime", "description", "media_url"} <= set(update))
            self.assertIn(update["status"], ("open", "closed"))
            self.assertIn(update["external_status_code"], EXTENDED)
            self.assert_datetime(update["updated_datetime"])
            self.assertTrue(moment(window["start_date"]) <= moment(update["updated_datetime"]) <= moment(window["end_date"]))
        ids = [update["update_id"] for update in answer.value]
        self.assertEqual(len(ids), len(set(ids)))
        times = [update["updated_datetime"] for update in answer.value]
        self.assertEqual(times, sorted(times))
        self.assertEqual(self.found("/servicerequestupdates", {"start_date": now(days=1), "end_date": now(days=2)}).value, [])
        self.refused(self.get("/servicerequestupdates", {"start_date": "x"}), 400)

    def test_b10_an_update_is_written_once_and_read_again(self):
        number = self.filed()
        sent = {"service_request_id": number, "update_id": f"{self.id()}-7", "status": "FIXED", "updated_datetime": now(),
                "description": "Lamp replaced 已更换", "first_name": "Wenyuan", "last_name": "", "email": "w@example.org", "phone": "",
                "title": "Mr", "media_url": ["https://a.example/1.jpg", "https://a.example/2.jpg"], "email_alerts_requested": "0",
                "public_anonymity_required": "TRUE", "account_id": "", "service_code": "GY-DL"}
        first, again = (self.post(sent, "/servicerequestupdates") for _ in range(2))
        self.assertEqual(first.status, 200, first.text)
        self.assertIn(first.root, (None, "service_request_updates"))
        given = first.only["update_id"]
        self.assertEqual(given, again.only["update_id"])
        read = [u for u in self.found("/servicerequestupdates", {"start_date": now(minutes=5), "end_date": now(seconds=-5)}).value
                if u["update_id"] == given]
        self.assertEqual(len(read), 1)
        self.assertEqual(read[0]["service_request_id"], number)
        self.assertIn("Lamp replaced 已更换", read[0]["description"])
        self.assertNotIn("Wenyuan", read[0]["description"])
        self.assertEqual(self.found(f"/requests/{number}").only["status"], "open")  # it moves nothing

    def test_b10_a_bad_update_is_refused(self):
        number = self.filed()
        for fields, status in (({"description": "x"}, 400), ({"service_request_id": number}, 400),
                               ({"service_request_id": number, "status": "GONE"}, 400),
                               ({"service_request_id": "999999999", "description": "x"}, 404),
                               ({"service_request_id": "abc", "description": "x"}, 404)):
            self.refused(self.post(fields, "/servicerequestupdates"), status)

    # Both formats

    def test_xml_and_json_say_the_same(self):
        number = self.ids(status="closed", page_size=1)[0]
        whole = {"extensions": "true", "page_size": 200}
        span = {"start_date": now(days=20), "end_date": now(days=2)}
        for path, query in (("/services", {"extensions": "true"}), (f"/services/{places.ASKED}", {}), ("/services/GY-DL", {}),
                            ("/requests", {**whole, **span}), (f"/requests/{number}", whole), (f"/tokens/{number}", {}),
                            ("/servicerequestupdates", {**whole, **span}), ("/requests/0", {}), ("/requests", {"page": "0", "status": "x"}),
                            ("/requests", {"bbox": "0,0,1,1"}), ("/../discovery", {})):
            def said(format):
                answer = client.get(V2 + path, format, query)
                return answer.status, answer.value

            self.assert_same(lambda: said("xml"), lambda: said("json"), path)


class Xml(GeoReport, unittest.TestCase):
    format = "xml"

    def test_b11_the_way_of_fixmystreet(self):
        endpoint = f"{client.base}{V2}/"  # joined with nothing between

        def fetch(resource, query=""):
            status, headers, body = client.send("GET", f"{endpoint}{resource}{query}")
            self.assertEqual((status, headers["Content-Type"]), (200, "text/xml; charset=utf-8"))
            read_xml(body.decode())

        fetch("services.xml", "?jurisdiction_id=three-rivers")
        fetch(f"services/{places.ASKED}.xml", "?jurisdiction_id=three-rivers")
        fields = [("jurisdiction_id", "three-rivers"), ("service_code", places.ASKED), ("lat", "46.640001"), ("long", "132.150009"),
                  ("first_name", ""), ("last_name", ""), ("email", "a@example.org"), ("phone", ""),
                  ("description", "Leak\n\nWater on the road\n\nhttps://fms.example/report/12"),
                  ("media_url", "https://fms.example/photo/12.0.full.jpeg"), ("attribute[pipe]", "main"), ("attribute[harm][]", "road"),
                  ("attribute[depth]", ""), ("device_id", ""), ("account_id", "")]
        number = self.post(fields).only["service_request_id"]
        self.assertRegex(number, "^[1-9][0-9]*$")
        read = self.found(f"/requests/{number}", {"jurisdiction_id": "three-rivers"}).only
        self.assertEqual((read["lat"], read["long"]), ("46.640001", "132.150009"))
        window = {"jurisdiction_id": "three-rivers", "api_key": client.key, "start_date": now(minutes=9).replace("Z", "+00:00"), "end_date": now()}
        for update in self.found("/servicerequestupdates", window).value:
            self.assertTrue(moment(window["start_date"]) <= moment(update["updated_datetime"]) <= moment(window["end_date"]))
        private = [("photo1", ("photo.jpeg", "image/png", png((200, 3, 3))))]
        fields = {"jurisdiction_id": "three-rivers", "service_code": "GY-DL", "description": "Private", "first_name": "", "last_name": "", **WHERE}
        self.assertTrue(client.upload(f"{V2}/requests", "xml", fields, private).only["service_request_id"])

    def test_b2_a_person_finds_a_page_at_the_root(self):
        status, _, body = client.send("GET", f"{client.base}/open311")
        self.assertEqual(status, 200)
        self.assertIn(b"discovery", body)

    def test_b12_clients_that_cannot_inflate_get_plain_text(self):
        _, headers, _ = client.send("GET", f"{client.base}{V2}/requests.xml")
        self.assertIsNone(headers["Content-Encoding"])

    def test_b2_the_changeset_moves_with_the_services(self):
        def changeset():
            return two.get("/open311/discovery", "xml", {"jurisdiction_id": "east"}).value["changeset"]

        before = changeset()
        time.sleep(1.1)  # a changeset is a time to the second
        change_the_second()
        until = time.monotonic() + 20
        while changeset() <= before:
            self.assertLess(time.monotonic(), until, "the changeset stayed")
            time.sleep(0.05)
        services = two.get(f"{V2}/services", "xml", {"jurisdiction_id": "east"}).value
        self.assertEqual(services[0]["service_name"], "Lantern")

    def test_b9_an_address_of_no_format_gets_xml(self):
        for path in ("/services.yaml", "/services", "/requests/1.html"):
            status, headers, body = client.send("GET", f"{client.base}{V2}{path}")
            self.assertEqual((status, headers["Content-Type"]), (404, "text/xml; charset=utf-8"), path)
            self.assertIn(b"<errors>", body)


class Json(GeoReport, unittest.TestCase):
    format = "json"

    def test_b1_a_list_of_none_is_an_empty_array(self):
        self.assertEqual(self.found("/requests", {"bbox": "0,0,1,1"}).raw, [])
        self.assertEqual(self.found("/services/GY-DL").raw["attributes"], [])

    def test_b1_what_is_empty_is_null(self):
        self.assertIsNone(self.found("/requests", {"page_size": 1}).raw[0]["zipcode"])


def main():
    global client, two, change_the_second
    whistle = pathlib.Path(sys.argv.pop(1) if len(sys.argv) > 1 and not sys.argv[1].startswith("-") else "target/debug/whistle").resolve()
    with tempfile.TemporaryDirectory() as folder:
        first, second, key = places.start(whistle, pathlib.Path(folder))
        try:
            client, two = Client(first.url, key), Client(second.url)
            change_the_second = functools.partial(places.rename, whistle, pathlib.Path(folder))
            ran = unittest.main(exit=False, verbosity=1).result
            panicked = "panicked" in first.said() + second.said()
        finally:
            first.stop()
            second.stop()
    failed = len(ran.failures) + len(ran.errors)
    if panicked:
        print("the server panicked:\n" + first.said() + second.said())
    print(f"{ran.testsRun - failed} passed, {failed} failed")
    sys.exit(1 if failed or panicked else 0)


if __name__ == "__main__":
    main()
