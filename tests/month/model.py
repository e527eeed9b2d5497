"""A small model of Whistle: what a case and a whistle do, by DESIGN.md §3, docs/place-folder.md and docs/staff.md alone.

It shares nothing with the program but those texts and the words of its commands, events and refusals. It is slow and
plain on purpose. A command answers the set of all rules that forbid it; when that is empty it happens.
"""

import csv
import datetime
import json
import pathlib
import tomllib
from fractions import Fraction

from calendar_model import DAY, WEEKDAYS, Calendar, Limit, write

KINDS = ["triage", "sign", "report_in", "resolve", "verify", "joint"]
OF_UNIT = ["sign", "report_in", "resolve"]
LEVELS = ["city", "town", "community"]
DEFAULT_LADDER = "default"
MAX_PARTS = 8


# The place


def rows(path, carried=()):
    """The rows of a file; blank cells of the named columns are those of the row above."""
    found, last = [], {}
    for row in csv.DictReader(path.read_text("utf-8").splitlines()):
        for column in carried:
            if not row.get(column):
                row[column] = last.get(column, "")
        last = row
        found.append(row)
    return found


class Place:
    def __init__(self, folder, later=None):
        """Of a folder, the files of `later` in place of its own."""
        def path(name):
            other = later and pathlib.Path(later, name)
            return other if other and other.exists() else pathlib.Path(folder, name)

        config = tomllib.loads(path("jurisdiction.toml").read_text("utf-8"))
        self.settings = config["settings"]

        def slot(text):
            return tuple(int(edge[:2]) * 60 + int(edge[3:]) for edge in text.split("-"))

        week = {day: [slot(text) for text in slots] for day, slots in config["working_hours"].items()}
        days = {}
        for row in rows(path("calendar.csv")):
            date = datetime.date.fromisoformat(row["date"])
            days[date] = None if row["kind"] == "holiday" else (row["like"] or "mon")
        self.calendar = Calendar(config["time_zone"], week, days)
        self.areas = {}
        for feature in json.loads(path("areas.geojson").read_text("utf-8"))["features"]:
            ring = feature["geometry"]["coordinates"][0]
            lons, lats = [c[0] for c in ring], [c[1] for c in ring]
            props = feature["properties"]
            # All areas of this town are upright rectangles.
            self.areas[props["code"]] = {**props, "box": (min(lons), min(lats), max(lons), max(lats))}
        self.units = {row["code"]: row for row in rows(path("units.csv"))}
        self.posts = {row["code"]: row for row in rows(path("posts.csv"))}
        for account, post in enumerate(self.posts.values(), 1):
            post["account"] = account
            post["roles"] = set(post["roles"].split("|"))
            post["area"] = post["area"] or self.units[post["unit"]]["area"] or "C"
        self.groups = {row["code"]: row["group"] for row in rows(path("services.csv"), ["group"])}
        self.standards = {row["code"]: row for row in rows(path("standards.csv"), ["service"])}
        self.routing = rows(path("routing.csv"))
        self.ladders = {}
        for row in rows(path("escalations.csv"), ["ladder"]):
            self.ladders.setdefault(row["ladder"], []).append(row)
        self.whistles = {row["code"]: row for row in rows(path("whistles.csv"))}

    def areas_at(self, lon, lat):
        """The codes from the city down."""
        inside = [a for a in self.areas.values() if a["box"][0] < lon < a["box"][2] and a["box"][1] < lat < a["box"][3]]
        return [area["code"] for area in sorted(inside, key=lambda area: area["level"])]

    def station(self, areas, level):
        """The station of a level where the case is, or the next above."""
        for area in reversed(areas[:level + 1]):
            for unit in self.units.values():
                if unit["kind"] == "station" and unit["area"] == area:
                    return unit["code"]
        return None

    def answers_for(self, areas):
        return self.station(areas, len(areas) - 1)

    def station_lead_post(self, by, stations):
        post = self.posts[by["post"]]
        return post["unit"] in stations and "lead" in post["roles"]

    def standards_of(self, service):
        return [standard for standard in self.standards.values() if standard["service"] == service]

    def default_standard(self, service):
        several = self.standards_of(service)
        return next((s for s in several if s["default"] == "yes"), several[0])

    def lead(self, standard, areas):
        service = standard["service"]
        if standard["lead"]:
            return standard["lead"]
        best = None
        for rule in self.routing:
            matter = [standard["code"], service, self.groups[service], "*"]
            area = rule["area"] if rule["area"] not in ("", "*") else areas[0]
            if rule["matter"] in matter and area in areas:
                rank = (-matter.index(rule["matter"]), areas.index(area))
                if best is None or rank > best[0]:
                    best = (rank, rule["unit"])
        unit = best and best[1]
        return self.station(areas, LEVELS.index(unit[1:])) if unit and unit[0] == "@" else unit

    def limit(self, standard, kind):
        text = standard[kind] or self.settings.get(kind)
        return Limit.read(text) if text else None

    def ladder(self, standard, kind):
        """The steps for a clock: (mark, to)."""
        code = standard["ladder"] or DEFAULT_LADDER
        if code == "none":
            return []
        ladder = self.ladders[code]
        if kind == "joint" and not any(row["clock"] in ("joint", "*") for row in ladder):
            kind = "resolve"
        return [(row["at"], row["to"]) for row in ladder if row["clock"] in (kind, "*")]


# Clocks


class Clock:
    def __init__(self, kind, limit, start, calendar, part=None):
        self.kind, self.limit, self.start, self.part = kind, limit, start, part
        self.extensions, self.pauses, self.paused_from = 0, [], None
        self.fired, self.step_at = 0, None
        self.reckon(calendar)

    def whole(self):
        return self.limit.times(1 + self.extensions)

    def reckon(self, calendar):
        self.due = calendar.due(self.start, self.whole(), self.pauses)

    def run_on(self, since, calendar):
        if self.paused_from is not None:
            self.pauses.append((self.paused_from, since))
            self.paused_from = None
            self.reckon(calendar)

    def is_overdue(self, now):
        """Its time is over; what stands still grows no older."""
        return (now if self.paused_from is None else self.paused_from) > self.due

    def mark(self, at, calendar):
        """When the clock reaches a mark of a ladder."""
        if at == "overdue":
            return self.due
        if at.endswith("%"):
            share = Fraction(int(at[:-1]), 100)
            # Until it is due, of the limit with its extensions; after that, of the limit alone.
            share = share * (1 + self.extensions) if share <= 1 else share + self.extensions
            return calendar.due(self.start, self.limit.times(share), self.pauses)
        return calendar.due(self.due, Limit.read(at.split("+")[1]), self.pauses)

    def steps(self, ladder, calendar):
        marks = [(self.mark(at, calendar), to) for at, to in ladder]
        return sorted(marks, key=lambda step: step[0])

    def lay(self, ladder, calendar):
        """Finds the next step."""
        steps = self.steps(ladder, calendar)
        running = self.paused_from is None
        self.next_to = None
        self.step_at = None
        if running and self.fired < len(steps):
            self.step_at, self.next_to = steps[self.fired]


# Cases


def post_of(actor):
    return actor.get("post")


class Case:
    def __init__(self, index, place, service, areas, now):
        self.index, self.place_at_report = index, place
        self.service, self.areas = service, areas
        self.stage, self.outcome = "reported", None
        self.version, self.standard, self.lead = 0, None, None
        self.clocks, self.events = {}, []
        self.was_parked, self.parked_until = False, None
        self.extended = self.returned = self.reworked = self.reopened = 0
        self.supervised = self.recheck = self.on_the_spot = False
        self.fixer, self.parts, self.request, self.question = None, [], None, None
        # Questions by which the unit that has it let its clocks stand.
        self.asked = 0
        self.signed = False
        self.closed_at = None
        self.rating = None
        # Returned so often that the station decided.
        self.decided = False

    # What the log says

    def tell(self, place, now, by, word, **more):
        self.version += 1
        self.events.append({"at": write(now), "by": by, "event": word, **more})

    def settle(self, place):
        """After a command: when the clocks take their next steps; noted with the last event."""
        for clock in self.open_clocks():
            clock.lay(self.steps_of(place, clock.kind), place.calendar)
        self.events[-1]["clocks"] = {
            f"{clock.kind} {clock.part}" if clock.part else clock.kind:
                {"due_at": write(clock.due), "step_at": clock.step_at and write(clock.step_at),
                 "paused": clock.paused_from is not None}
            for clock in self.open_clocks()
        }

    def open_clocks(self):
        """Those of the whole, and of the parts that units are at work on."""
        parts = [part["clock"] for part in self.parts if not part["done"] and part["clock"]]
        return list(self.clocks.values()) + parts

    def steps_of(self, place, kind):
        standard = self.standard or place.default_standard(self.service)
        return place.ladder(place.standards[standard["code"]], kind)

    # Clocks

    def start(self, place, now, *kinds):
        standard = self.standard or place.default_standard(self.service)
        for kind in kinds:
            limit = place.limit(standard, kind)
            self.clocks.pop(kind, None)
            if limit:
                self.clocks[kind] = Clock(kind, limit, now, place.calendar)
                self.stand_if_asked(self.clocks[kind], now)

    def stand_if_asked(self, clock, now):
        """What begins while the reporter's answer is awaited stands from the first."""
        if self.question and self.question["stops"]:
            clock.paused_from = now

    def stop(self, *kinds):
        for kind in kinds:
            self.clocks.pop(kind, None)

    def pause(self, now, overdue_too=True):
        for clock in self.open_clocks():
            if overdue_too or not clock.is_overdue(now):
                clock.paused_from = now

    def resume(self, place, now):
        """What stands runs on: since now, or since the end of what it waited for, where nobody noticed that."""
        since = min([now] + [end for end in [self.wakes_at(place)] if end is not None])
        for clock in self.open_clocks():
            clock.run_on(since, place.calendar)

    # Who

    def in_area(self, place, by, *roles):
        post = place.posts.get(post_of(by))
        return bool(post) and post["area"] in self.areas and bool(post["roles"] & set(roles))

    def station_lead(self, place, by):
        post = place.posts.get(post_of(by))
        return self.in_area(place, by, "lead") and place.units[post["unit"]]["kind"] == "station"

    def desk(self, place, by, *more):
        """A dispatcher of the area, or the lead of a station there."""
        return self.in_area(place, by, "dispatcher", *more) or self.station_lead(place, by)

    def of_lead(self, place, by):
        post = place.posts.get(post_of(by))
        return bool(post) and post["unit"] == self.lead and bool(post["roles"] & {"handler", "lead"})

    def open_part(self, unit):
        return next((part for part in self.parts if part["unit"] == unit and not part["done"]), None)

    # Commands: `forbids` says why not, `do` does it.

    def forbids(self, place, now, by, act, text, seen):
        verb, why = act["verb"], set()
        if seen is not None and seen != self.version:
            why.add("stale")
        stages, allowed, needs_text = self.rule(place, now, by, verb)
        if self.stage not in stages:
            why.add("wrong_stage")
        if not allowed:
            why.add("not_allowed")
        if needs_text and not text:
            why.add("missing")
        more = getattr(self, f"forbids_{verb}", None)
        if more:
            why |= more(place, now, by, act)
        return why

    def rule(self, place, now, by, verb):
        """The stages from which it is done, whether this one may, and whether a reason must be written."""
        reporter = by["who"] == "reporter"
        desk = self.desk(place, by)
        calls = self.desk(place, by, "call_taker")
        unit = self.of_lead(place, by)
        looks = self.in_area(place, by, "patrol", "dispatcher") or self.station_lead(place, by)
        asks = self.desk(place, by, "call_taker") or unit
        at_work = ["assigned", "in_progress"]
        given = ["accepted", *at_work]
        return {
            "accept": (["reported"], calls, False),
            "decline": (["reported"], calls, True),
            "refer": (["reported"], calls, True),
            "withdraw": (["reported"], reporter, False),
            "assign": (given, desk, False),
            "assign_joint": (at_work, desk, True),
            "handle_joint": (given, self.part_of(place, by) is not None, True),
            "release_joint": (given, desk, True),
            "sign": (["assigned"], unit, False),
            "report_in": (["assigned"], unit, False),
            "return": (at_work, unit, True),
            "handle": (["in_progress"], unit, True),
            "verify": (["handled"], looks or reporter, False),
            "verify_partly": (["handled"], looks or reporter, True),
            "rework": (["handled"], looks or reporter, True),
            "request_reopen": (["closed"], reporter, True),
            "reopen": (["reopen_requested"], desk, True),
            "refuse_reopen": (["reopen_requested"], desk, True),
            "park": (given, desk, True),
            "resume": (given, desk, False),
            "extend": (at_work, desk, True),
            "ask_to_park": (at_work, unit, True),
            "ask_to_extend": (at_work, unit, True),
            "grant_request": (at_work, desk, False),
            "refuse_request": (at_work, desk, True),
            "ask": (["reported", *given], asks, True),
            "answer": (["reported", *given, "handled"], self.may_answer(place, by), False),
            "comment": (["reported", "accepted", "assigned", "in_progress", "handled", "closed", "reopen_requested"],
                        desk, True),
            "supervise": (["assigned", "in_progress", "handled"], self.station_lead(place, by), True),
            "rate": (["closed"], reporter, False),
        }[verb]

    def part_of(self, place, by):
        post = place.posts.get(post_of(by))
        return post and post["roles"] & {"handler", "lead"} and self.open_part(post["unit"])

    def may_answer(self, place, by):
        return by["who"] == "reporter" or self.desk(place, by, "call_taker")

    def parked(self):
        """Of a parked case is asked what only one that goes on may have."""
        return {"missing"} if self.parked_until is not None else set()

    def questioned(self):
        return {"missing"} if self.question else set()

    def forbids_accept(self, place, now, by, act):
        code = act.get("standard")
        return {"unknown_standard"} if code and place.standards.get(code, {}).get("service") != self.service else set()

    def forbids_assign(self, place, now, by, act):
        unit = act.get("unit") or place.lead(self.standard or place.default_standard(self.service), self.areas)
        why = self.parked()
        if unit == self.lead:
            why.add("missing")
        if unit not in place.units:
            why.add("unknown_unit")
        if self.returned >= place.settings["max_returns"] and not self.station_lead(place, by):
            why.add("lead_must_decide")
        return why

    def forbids_sign(self, place, now, by, act):
        return self.parked() | ({"missing"} if self.signed else set())

    def forbids_report_in(self, place, now, by, act):
        return self.parked()

    def forbids_return(self, place, now, by, act):
        why = self.parked()
        if self.decided:
            why.add("no_more_returns")
        if act["right_unit"] == self.lead:
            why.add("missing")
        elif act["right_unit"] not in place.units:
            why.add("unknown_unit")
        return why

    def forbids_handle(self, place, now, by, act):
        why = self.parked()
        if act["outcome"] not in ("resolved", "partly_resolved", "explained", "unfounded"):
            why.add("not_an_outcome_of_work")
        if any(not part["done"] for part in self.parts):
            why.add("missing")
        return why

    def forbids_assign_joint(self, place, now, by, act):
        why = self.parked()
        if len(self.parts) >= MAX_PARTS:
            why.add("too_many_parts")
        if act["unit"] not in place.units:
            why.add("unknown_unit")
        if act["unit"] == self.lead or self.open_part(act["unit"]):
            why.add("missing")
        return why

    def forbids_handle_joint(self, place, now, by, act):
        return self.parked() | (set() if self.part_of(place, by) else {"missing"})

    def forbids_release_joint(self, place, now, by, act):
        return set() if self.open_part(act["unit"]) else {"missing"}

    def forbids_check(self, place, now, by):
        why = set()
        if self.stage != "handled":
            return why
        post = place.posts.get(post_of(by))
        if post and self.fixer and (post["unit"] in self.had_part() or post["account"] == self.fixer[1]):
            why.add("fixer_cannot_verify")
        clock = self.clocks.get("verify")
        first = self.standard["verification"] == "reporter" and not self.reported_by(by)
        if post and first and clock and now < clock.due:
            why.add("missing")
        return why

    def reported_by(self, by):
        return post_of(by) is not None and post_of(by) == post_of(self.reporter)

    def had_part(self):
        return {self.fixer[0]} | {part["unit"] for part in self.parts}

    def forbids_verify(self, place, now, by, act):
        return self.forbids_check(place, now, by)

    def forbids_verify_partly(self, place, now, by, act):
        return self.forbids_check(place, now, by)

    def forbids_rework(self, place, now, by, act):
        return self.forbids_check(place, now, by)

    def forbids_request_reopen(self, place, now, by, act):
        """Also to rate: the window is one."""
        over = self.closed_at is not None and now > self.window_ends(place)
        return {"window_over"} if over else set()

    def window_ends(self, place):
        return place.calendar.due(self.closed_at, Limit(place.settings["reopen_days"], "calendar_days"))

    def forbids_refuse_reopen(self, place, now, by, act):
        """Whoever did the work does not say that it was done."""
        post = place.posts.get(post_of(by))
        return {"fixer_cannot_verify"} if post and self.fixer and post["unit"] in self.had_part() else set()

    def forbids_rate(self, place, now, by, act):
        # Who mended it on the spot holds the code of the first report.
        why = {"fixer_cannot_verify"} if self.on_the_spot else set()
        return why | self.forbids_request_reopen(place, now, by, act)

    def forbids_park(self, place, now, by, act):
        return self.forbids_waiting(place, now, act) | self.questioned()

    def forbids_waiting(self, place, now, act):
        today = place.calendar.date(now)
        until = datetime.date.fromisoformat(act["until"])
        why = set()
        if self.was_parked:
            why.add("parked_before")
        if not today < until <= today + place.settings["max_park_days"] * DAY:
            why.add("park_date")
        return why

    def forbids_resume(self, place, now, by, act):
        return set() if self.parked_until is not None else {"missing"}

    def forbids_extension(self, place):
        return self.parked() | ({"no_more_extensions"} if self.extended >= place.settings["max_extensions"] else set())

    def overdue(self, now):
        return {"overdue"} if "resolve" not in self.clocks or self.clocks["resolve"].is_overdue(now) else set()

    def forbids_extend(self, place, now, by, act):
        return self.forbids_extension(place) | self.overdue(now) | self.questioned()

    def forbids_ask_to_park(self, place, now, by, act):
        return self.forbids_waiting(place, now, act) | ({"missing"} if self.request else set())

    def forbids_ask_to_extend(self, place, now, by, act):
        return self.forbids_extension(place) | self.overdue(now) | ({"missing"} if self.request else set())

    def forbids_grant_request(self, place, now, by, act):
        """What was asked for in time is granted later, too; else it must still be allowed."""
        if not self.request:
            return {"missing"}
        if self.request["verb"] == "ask_to_park":
            return self.forbids_waiting(place, now, self.request) | self.questioned()
        return self.forbids_extension(place) | self.questioned()

    def forbids_refuse_request(self, place, now, by, act):
        return set() if self.request else {"missing"}

    def own_question(self, place, by):
        """Whether the unit that has the case asks."""
        post = place.posts.get(post_of(by))
        return bool(post) and self.lead is not None and post["unit"] == self.lead

    def stops_clocks(self, place, now, by, act):
        """The reporter who is asked can be reached; the unit that has it is in time and did so not twice before."""
        if act["of"]["whom"] != "reporter" or not self.reachable:
            return False
        if not self.own_question(place, by):
            return True
        return "resolve" in self.clocks and not self.clocks["resolve"].is_overdue(now) and self.asked < 2

    def forbids_ask(self, place, now, by, act):
        today = place.calendar.date(now)
        until = datetime.date.fromisoformat(act["until"])
        why = self.questioned() | self.parked()
        last = today + 30 * DAY
        if self.own_question(place, by) and self.stops_clocks(place, now, by, act):
            over = place.calendar.date(place.calendar.due(now, place.limit(self.standard, "resolve")))
            last = min(max(over, today + DAY), last)
        if not today < until <= last:
            why.add("ask_date")
        return why

    def forbids_answer(self, place, now, by, act):
        if not self.question:
            return {"missing"}
        return {"question_over"} if now >= self.question["until"] else set()

    # What happens

    def do(self, place, now, by, act, text):
        verb = act["verb"]
        getattr(self, f"do_{verb}")(place, now, by, act)
        self.settle(place)

    def do_accept(self, place, now, by, act):
        code = act.get("standard")
        self.standard = place.standards[code] if code else place.default_standard(self.service)
        self.stage = "accepted"
        self.tell(place, now, by, "accepted", standard=self.standard["code"])

    def close(self, place, now, by, end, word, **more):
        self.stage, self.outcome, self.closed_at = "closed", end, now
        self.clocks.clear()
        for part in self.parts:
            part["clock"] = None
        self.request = self.question = self.parked_until = None
        self.tell(place, now, by, word, **more)

    def do_decline(self, place, now, by, act):
        self.close(place, now, by, "declined", "declined")

    def do_refer(self, place, now, by, act):
        self.close(place, now, by, "referred", "referred")

    def do_withdraw(self, place, now, by, act):
        self.close(place, now, by, "withdrawn", "withdrawn")

    def do_assign(self, place, now, by, act):
        unit = act.get("unit") or place.lead(self.standard, self.areas)
        if self.returned >= place.settings["max_returns"]:
            self.decided = True
        self.assign_to(place, now, by, unit)

    def assign_to(self, place, now, by, unit):
        self.lead, self.stage, self.signed, self.request = unit, "assigned", False, None
        # Who leads has no part besides.
        self.parts = [part for part in self.parts if part["done"] or part["unit"] != unit]
        self.stop("triage")
        self.start(place, now, *OF_UNIT)
        self.tell(place, now, by, "assigned", unit=unit)

    def do_assign_joint(self, place, now, by, act):
        clock, more = None, {}
        if act.get("limit"):
            clock = Clock("joint", Limit.read(act["limit"]), now, place.calendar, act["unit"])
            self.stand_if_asked(clock, now)
            more = {"due_at": write(clock.due)}
        self.parts.append({"unit": act["unit"], "done": False, "clock": clock})
        self.tell(place, now, by, "joint_assigned", unit=act["unit"], **more)

    def do_handle_joint(self, place, now, by, act):
        part = self.part_of(place, by)
        part["done"] = True
        self.tell(place, now, by, "joint_handled", unit=part["unit"])

    def do_release_joint(self, place, now, by, act):
        self.parts.remove(self.open_part(act["unit"]))
        self.tell(place, now, by, "joint_released", unit=act["unit"])

    def do_sign(self, place, now, by, act):
        self.signed = True
        self.stop("sign")
        self.tell(place, now, by, "signed")

    def do_report_in(self, place, now, by, act):
        self.signed, self.stage = True, "in_progress"
        self.stop("sign", "report_in")
        self.tell(place, now, by, "reported_in")

    def do_return(self, place, now, by, act):
        self.stage, self.lead, self.request = "accepted", None, None
        self.returned += 1
        self.stop(*OF_UNIT)
        # It waits for a unit again.
        self.start(place, now, "triage")
        self.tell(place, now, by, "returned", right_unit=act["right_unit"])

    def do_handle(self, place, now, by, act):
        post = place.posts[by["post"]]
        self.fixer = (post["unit"], post["account"])
        self.stage, self.outcome, self.request = "handled", act["outcome"], None
        own = self.standard["verification"] == "self"
        self.recheck = own and place.settings["recheck_share"] == 1
        self.resume(place, now)
        self.handed_in = (self.clocks["resolve"], now)
        if self.question:
            # The work was done without the answer.
            self.question["stops"] = False
        self.stop(*OF_UNIT)
        self.tell(place, now, by, "handled", outcome=act["outcome"], on_the_spot=False, recheck=self.recheck)
        if own and not self.recheck:
            # The fixer's word closes it.
            self.close(place, now, {"who": "system"}, act["outcome"], "verified", outcome=act["outcome"])
        else:
            self.start(place, now, "verify")

    def do_verify(self, place, now, by, act):
        self.close(place, now, by, self.outcome, "verified", outcome=self.outcome)

    def do_verify_partly(self, place, now, by, act):
        if self.standard["partly"] == "close":
            self.close(place, now, by, "partly_resolved", "verified", outcome="partly_resolved")
        else:
            self.do_rework(place, now, by, act)

    def do_rework(self, place, now, by, act):
        self.stage, self.outcome = "in_progress", None
        self.reworked += 1
        self.stop("verify")
        # A clock starts at dispatch: this one runs on, and stood while the work was not the unit's.
        clock, stopped_at = self.handed_in
        clock.pauses.append((stopped_at, now))
        clock.reckon(place.calendar)
        self.clocks["resolve"] = clock
        self.tell(place, now, by, "reworked")

    def do_request_reopen(self, place, now, by, act):
        self.stage = "reopen_requested"
        self.start(place, now, "triage")
        self.tell(place, now, by, "reopen_requested")

    def do_reopen(self, place, now, by, act):
        self.stage, self.outcome, self.closed_at = "in_progress", None, None
        self.reopened += 1
        self.stop("triage")
        self.start(place, now, "resolve")
        self.tell(place, now, by, "reopened")

    def do_refuse_reopen(self, place, now, by, act):
        self.stage = "closed"
        self.stop("triage")
        self.tell(place, now, by, "reopen_refused")

    def do_park(self, place, now, by, act):
        self.was_parked = True
        self.parked_until = datetime.date.fromisoformat(act["until"])
        self.request = None
        self.pause(now)
        self.tell(place, now, by, "parked", until=act["until"])

    def do_resume(self, place, now, by, act):
        self.resume(place, now)
        self.parked_until = None
        self.tell(place, now, by, "resumed")

    def do_extend(self, place, now, by, act):
        self.extended += 1
        self.request = None
        in_time = [part["clock"] for part in self.parts if not part["done"] and part["clock"]
                   and part["clock"].paused_from is None and not part["clock"].is_overdue(now)]
        for clock in [self.clocks["resolve"], *in_time]:
            clock.extensions += 1
            clock.reckon(place.calendar)
        self.tell(place, now, by, "extended")

    def do_ask_to_park(self, place, now, by, act):
        self.request = act
        self.tell(place, now, by, "park_asked", until=act["until"])

    def do_ask_to_extend(self, place, now, by, act):
        self.request = act
        self.tell(place, now, by, "extension_asked")

    def do_grant_request(self, place, now, by, act):
        request = self.request
        if request["verb"] == "ask_to_park":
            self.do_park(place, now, by, request)
        else:
            self.do_extend(place, now, by, request)

    def do_refuse_request(self, place, now, by, act):
        self.request = None
        self.tell(place, now, by, "request_refused")

    def do_ask(self, place, now, by, act):
        until = place.calendar.start_of(datetime.date.fromisoformat(act["until"]))
        stops = self.stops_clocks(place, now, by, act)
        if stops:
            # What is over already runs on, and is told of further up.
            self.pause(now, overdue_too=False)
            self.asked += self.own_question(place, by)
        reporter = act["of"]["whom"] == "reporter"
        self.question = {"until": until, "reporter": reporter, "stops": stops}
        runs_on = {"runs_on": True} if reporter and not stops else {}
        self.tell(place, now, by, "asked", until=write(until), **runs_on)

    def do_answer(self, place, now, by, act):
        self.resume(place, now)
        self.question = None
        self.tell(place, now, by, "answered")

    def do_comment(self, place, now, by, act):
        self.tell(place, now, by, "commented")

    def do_supervise(self, place, now, by, act):
        self.supervised = act["on"]
        self.tell(place, now, by, "supervised", on=act["on"])

    def whistled(self, place, now, by, whistle, stage):
        self.tell(place, now, {"who": "system"}, "whistled", stage=stage)
        self.settle(place)

    def do_rate(self, place, now, by, act):
        self.rating = act["rating"]
        self.tell(place, now, by, "rated", rating=act["rating"])

    # What happens by itself

    def wakes_at(self, place):
        """When the case goes on by itself: the end of a wait, or of the time for an answer."""
        if self.question:
            return self.question["until"]
        if self.parked_until is not None:
            return place.calendar.start_of(self.parked_until)
        return None

    def next_step(self):
        """The clock that steps next; of several at one time the one that comes first in a case's life."""
        ready = [clock for clock in self.open_clocks() if clock.step_at is not None]
        return min(ready, key=lambda clock: (clock.step_at, KINDS.index(clock.kind)), default=None)

    def next_at(self, place):
        step = self.next_step()
        times = [time for time in (step and step.step_at, self.wakes_at(place)) if time is not None]
        return min(times, default=None)

    def take_steps(self, place, now):
        """All that is due by now, in the order of time."""
        while (at := self.next_at(place)) is not None and at <= now:
            system = {"who": "system"}
            if self.wakes_at(place) == at:
                if self.question:
                    # The clocks stood until the time for the answer was over, not until somebody noticed.
                    self.resume(place, now)
                    self.question = None
                    self.tell(place, now, system, "unanswered")
                else:
                    self.resume(place, now)
                    self.parked_until = None
                    self.tell(place, now, system, "resumed")
            else:
                clock = self.next_step()
                told = self.told(place, clock)
                clock.fired += 1
                part = {"part": clock.part} if clock.part else {}
                self.tell(place, now, system, "escalated", clock=clock.kind, step=clock.fired, due_at=write(at),
                          **part, **told)
            self.settle(place)

    def told(self, place, clock):
        to, standard = clock.next_to, self.standard
        here = place.answers_for(self.areas)
        own = here if clock.kind in ("triage", "verify") else clock.part or self.lead
        if to == "@unit_lead":
            return {"unit": own, "level": "unit"}
        if to == "@parent_unit_lead":
            return {"unit": place.units[own]["parent"] or here, "level": "parent_unit"}
        if to[0] == "@":
            return {"unit": place.station(self.areas, LEVELS.index(to[1:])) or here}
        return {"post": to} if to in place.posts else {"unit": to}

    def reckon(self, place, now):
        """The place changed: open clocks are computed anew, and the log says so when that changes anything."""
        before = [(clock.due, clock.step_at) for clock in self.open_clocks()]
        for clock in self.open_clocks():
            clock.reckon(place.calendar)
            clock.lay(self.steps_of(place, clock.kind), place.calendar)
        if before != [(clock.due, clock.step_at) for clock in self.open_clocks()]:
            self.tell(place, now, {"who": "system"}, "reckoned")
            self.settle(place)

    def state(self):
        return {
            "stage": self.stage, "outcome": self.outcome, "version": self.version,
            "standard": self.standard and self.standard["code"], "lead": self.lead,
            "was_parked": self.was_parked, "parked_until": self.parked_until and self.parked_until.isoformat(),
            "extended": self.extended, "returned": self.returned, "reworked": self.reworked, "reopened": self.reopened,
            "supervised": self.supervised, "recheck": self.recheck, "on_the_spot": self.on_the_spot,
        }


def report(index, place, now, by, service, point, fixed, reachable):
    """A new case; straight through to its unit where nothing is in doubt."""
    areas = place.areas_at(*point)
    case = Case(index, place, service, areas, now)
    case.reporter, case.reachable = by, reachable
    case.start(place, now, "triage")
    case.tell(place, now, by, "reported", service=service)
    if fixed:
        post = place.posts[by["post"]]
        case.standard = place.default_standard(service)
        case.fixer, case.on_the_spot = (post["unit"], post["account"]), True
        case.lead = post["unit"]
        case.stop("triage")
        case.tell(place, now, {"who": "system"}, "accepted", standard=case.standard["code"])
        own = case.standard["verification"] == "self"
        case.recheck = own and place.settings["recheck_share"] == 1
        case.stage, case.outcome = "handled", "resolved"
        case.tell(place, now, by, "handled", outcome="resolved", on_the_spot=True, recheck=case.recheck)
        if own and not case.recheck:
            case.close(place, now, {"who": "system"}, "resolved", "verified", outcome="resolved")
        else:
            case.start(place, now, "verify")
    elif len(place.standards_of(service)) == 1 and place.settings.get("straight_through", True):
        case.standard = place.default_standard(service)
        system = {"who": "system"}
        case.stage = "accepted"
        case.tell(place, now, system, "accepted", standard=case.standard["code"])
        case.assign_to(place, now, system, place.lead(case.standard, areas))
    case.settle(place)
    return case
