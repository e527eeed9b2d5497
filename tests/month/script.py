#!/usr/bin/env python3
"""A month in Two Bridges: what people do there, and what must come of it.

    tests/month/script.py spring|autumn CASES SEED > month.jsonl

Each line is something to do at an instant, or, at the end, what a case or whistle must have become. The first half of
what is written, people's commands, is drawn by chance; the second half is worked out by the model. The Rust test
`crates/service/tests/month.rs` does the one and compares the other.
"""

import datetime
import heapq
import json
import pathlib
import random
import sys

import model
from calendar_model import DAY, HOUR, SECOND, to_instant, write
from whistle_model import ON_SITE, OPEN, Whistle

HERE = pathlib.Path(__file__).parent
MINUTE = 60 * SECOND
GRID = 10 * MINUTE
MONTHS = {"spring": "2026-03-16T05:00:37+00:00", "autumn": "2026-10-05T05:00:37+00:00"}
UNITS = ["WATER", "ROADS", "PIPES", "PARKS"]
POINTS = {"A1": (8.005, 47.01), "A2": (8.015, 47.01), "B1": (8.025, 47.01), "B2": (8.035, 47.01)}
SYSTEM = {"who": "system"}


class Month:
    def __init__(self, season, cases, seed):
        self.rng = random.Random(seed)
        self.place = model.Place(HERE / "town")
        self.begin = to_instant(datetime.datetime.fromisoformat(MONTHS[season]))
        self.end = self.begin + 31 * 24 * HOUR
        self.cases, self.whistles, self.held = [], [], set()
        self.agenda, self.serial = [], 0
        self.batch, self.used = [], set()
        self.watched, self.last = [], self.begin
        # A report each, most of them by day, fewer and fewer towards the end of the month.
        for _ in range(cases):
            day = int(27 * self.rng.random() ** 1.3)
            hour = self.rng.choice([2, 8, 9, 9, 10, 11, 13, 14, 16, 20])
            self.plan(self.begin + (day * 24 + hour - 6) * HOUR + self.rng.randrange(60) * MINUTE, "report", None)
        for _ in range(cases // 40):
            self.plan(self.begin + self.rng.randrange(24 * 24) * HOUR, "blow", None)

    def plan(self, at, what, index):
        """Puts something on the agenda, at a full ten minutes."""
        at = max(at, self.begin)
        at += -(at - self.begin) % GRID
        self.serial += 1
        heapq.heappush(self.agenda, (at, self.serial, what, index))

    def later(self, index, what="case", soon=False):
        choices = [GRID, 2 * GRID, HOUR] if soon else [GRID, 3 * GRID, HOUR, 3 * HOUR, 6 * HOUR, 20 * HOUR, 45 * HOUR, 80 * HOUR]
        self.plan(self.now + self.rng.choice(choices), what, index)

    # The month

    def play(self):
        faults = [(13, "close"), (6, "crash"), (20, "close"), (22, "crash")]
        for day, how in faults:
            self.plan(self.begin + (day * 24 + 5) * HOUR, how, None)
        self.plan(self.begin + (15 * 24 + 4) * HOUR, "apply", None)
        # The scheduler stands still from a Tuesday to a Thursday, and people go on.
        self.silent = (self.begin + 8 * 24 * HOUR + 3 * HOUR, self.begin + 10 * 24 * HOUR + 3 * HOUR)
        while self.agenda and self.agenda[0][0] < self.end:
            at = self.agenda[0][0]
            self.look_until(at)
            self.now = self.last = at
            self.batch, self.used, again = [], set(), []
            special = []
            while self.agenda and self.agenda[0][0] == at:
                _, _, what, index = heapq.heappop(self.agenda)
                if what in ("close", "crash", "apply"):
                    special.append(what)
                elif index is not None and (what, index) in self.used:
                    again.append((what, index))
                else:
                    self.used.add((what, index))
                    getattr(self, f"do_{what}")(*([] if index is None else [index]))
            for what, index in again:
                self.plan(at + GRID, what, index)
            if self.batch:
                self.put({"at": write(at), "do": self.batch})
            self.look(at)
            for what in special:
                self.special(at, what)
        self.look_until(self.end)
        self.look(self.end)
        for case in self.cases:
            self.put({"case": case.index, "events": case.events, "state": case.state()})
        for whistle in self.whistles:
            self.put({"whistle": whistle.index, "events": whistle.events, "state": whistle.state()})

    def put(self, line):
        print(json.dumps(line, ensure_ascii=False))

    def special(self, at, what):
        if what != "apply":
            self.put({"at": write(at), "restart": what})
            return
        self.place = model.Place(HERE / "town", HERE / "later")
        self.put({"at": write(at), "apply": "later"})
        for case in self.cases:
            case.reckon(self.place, at)
        for whistle in self.whistles:
            whistle.reckon(self.place, at)
        self.watched = [(case.next_at(self.place), case.index) for case in self.cases if case.next_at(self.place)]
        heapq.heapify(self.watched)
        self.look(at)

    # The scheduler

    def stands_still(self, at):
        return self.silent[0] <= at < self.silent[1]

    def watch(self, case):
        at = case.next_at(self.place)
        if at is not None:
            heapq.heappush(self.watched, (at, case.index))

    def look_until(self, at):
        """Some steps are looked for in the very second, some a second too early; the others when something else happens."""
        times = sorted({time for time, _ in self.watched if time < at} | {
            time for whistle in self.whistles if (time := whistle.next_at()) is not None and time < at})
        for time in times:
            # Whistle looks by whole seconds here.
            second = -(-time // SECOND) * SECOND
            chance = self.rng.random()
            if second >= at or self.stands_still(second):
                continue
            if chance < 0.1 and second - SECOND > self.last:
                self.look(second - SECOND)
            if chance < 0.3 and second > self.last:
                self.look(second)

    def look(self, at):
        if self.stands_still(at):
            return
        self.last = at
        self.put({"at": write(at), "look": True})
        while self.watched and self.watched[0][0] <= at:
            _, index = heapq.heappop(self.watched)
            case = self.cases[index]
            version = case.version
            case.take_steps(self.place, at)
            if case.version != version:
                self.watch(case)
        for whistle in self.whistles:
            whistle.take_steps(at)

    # What people do

    def actor(self, post):
        post = self.place.posts[post]
        return {"who": "post", "post": post["code"], "unit": post["unit"], "account": post["account"]}

    def chance(self, share):
        return self.rng.random() < share

    def do_report(self):
        rng = self.rng
        service = rng.choice(["LEAK", "LEAK", "DRAIN", "HOLE", "SIGN", "TREE", "BENCH"])
        area = rng.choice(list(POINTS))
        by, fixed = {"who": "public"}, None
        if self.chance(0.3):
            by = self.actor("WATCH-A" if area[0] == "A" else "WATCH-B")
            if service in ("SIGN", "BENCH") and self.chance(0.5):
                fixed = "Put upright."
        index = len(self.cases)
        # It has no number yet that another command of this instant could name.
        self.used.add(("case", index))
        reachable = self.chance(0.8)
        case = model.report(index, self.place, self.now, by, service, POINTS[area], fixed, reachable)
        self.cases.append(case)
        command = {"report": index, "service": service, "point": POINTS[area], "by": by, "fixed": fixed,
                   "email": "who@example.org" if reachable else "", "key": f"key {index}" if self.chance(0.2) else None}
        self.batch.append(command)
        self.watch(case)
        self.later(index, soon=True)
        if command["key"]:
            self.plan(self.now + GRID, "again", (index, json.dumps(command)))

    def do_again(self, what):
        """A retry of a report makes no second case; the same key with other words is refused."""
        index, command = what
        command = json.loads(command)
        if self.chance(0.5):
            self.batch.append({**command, "again": True})
        else:
            self.batch.append({**command, "service": "HOLE" if command["service"] != "HOLE" else "SIGN", "fixed": None,
                               "expect": ["key_reused"]})

    def do_case(self, index):
        case = self.cases[index]
        if index in self.held:
            return
        if self.chance(0.18):
            wrong = self.wrong(case)
            if wrong:
                self.send(case, *wrong)
                self.later(index, soon=True)
                return
        right = self.right(case)
        if right is None:
            return
        self.send(case, *right)
        if case.stage != "closed" or self.chance(0.6):
            self.later(index)

    def send(self, case, by, act, text="Because.", seen=None):
        why = case.forbids(self.place, self.now, by, act, text, seen)
        self.batch.append({"act": case.index, "by": by, "verb": act, "text": text, "seen": seen, "expect": sorted(why)})
        if not why:
            case.do(self.place, self.now, by, act, text)
            self.watch(case)

    def desk(self, case, lead=False):
        city = ["CITY-L"] if lead else ["CITY-D", "CITY-L"]
        town = (["A-L"] if lead else ["A-D", "A-L"]) if "A" in case.areas else []
        return self.actor(self.rng.choice(city + town))

    def handler(self, case):
        of = [p for p in self.place.posts.values() if p["unit"] == case.lead and p["roles"] & {"handler", "lead"}]
        return self.actor(self.rng.choice(of)["code"])

    def checker(self, case):
        posts = ["CITY-D", "CITY-L"] + (["A-D", "A-L", "WATCH-A"] if "A" in case.areas else ["WATCH-B"])
        free = [p for p in posts if self.place.posts[p]["unit"] not in case.had_part()]
        return self.actor(self.rng.choice(free))

    def date(self, days):
        return (self.place.calendar.date(self.now) + days * DAY).isoformat()

    def right(self, case):
        """What somebody would do next; None when nothing is left to do."""
        rng, reporter = self.rng, {"who": "reporter", "report": 1}
        if case.parked_until is not None:
            if self.chance(0.3):
                return self.desk(case), {"verb": "resume"}
            return self.desk(case), {"verb": "comment"}
        if case.question:
            if case.stage == "handled" or self.chance(0.5):
                by = reporter if case.question["reporter"] and self.chance(0.7) else self.desk(case)
                return (by, {"verb": "answer"}) if self.chance(0.6) else (self.desk(case), {"verb": "comment"})
            # Or the work goes on meanwhile.
        if case.request:
            return self.desk(case), {"verb": rng.choice(["grant_request", "refuse_request"])}
        if case.stage == "reported":
            if self.chance(0.12):
                return rng.choice([(self.desk(case), {"verb": "decline"}), (self.desk(case), {"verb": "refer"}),
                                   (reporter, {"verb": "withdraw"})])
            if self.chance(0.1) and not case.question:
                return self.question(case)
            code = rng.choice([None] + [s["code"] for s in self.place.standards_of(case.service)])
            return self.desk(case), {"verb": "accept", **({"standard": code} if code else {})}
        if case.stage == "accepted":
            if self.chance(0.1) and not case.question:
                return self.question(case)
            decides = case.returned >= self.place.settings["max_returns"]
            act = {"verb": "assign"}
            if self.chance(0.3):
                act["unit"] = rng.choice(UNITS)
            return self.desk(case, lead=decides), act
        if case.stage == "assigned":
            chance = rng.random()
            if chance < 0.22 and not case.decided:
                return self.handler(case), {"verb": "return", "right_unit": rng.choice([u for u in UNITS if u != case.lead])}
            if chance < 0.4 and not case.signed:
                return self.handler(case), {"verb": "sign"}
            if chance < 0.65 and not case.question:
                return self.wait(case)
            return self.handler(case), {"verb": "report_in"}
        if case.stage == "in_progress":
            part = next((p for p in case.parts if not p["done"]), None)
            if part:
                if part["unit"] in ("WATER", "ROADS", "PIPES", "PARKS") and self.chance(0.6):
                    post = {"WATER": "WATER-L", "ROADS": "ROADS-H", "PIPES": "PIPES-H", "PARKS": "PARKS-H"}[part["unit"]]
                    return self.actor(post), {"verb": "handle_joint"}
                return self.desk(case), {"verb": "release_joint", "unit": part["unit"]}
            if self.chance(0.3) and not case.question:
                return self.wait(case)
            if self.chance(0.04) and not case.decided and case.returned < self.place.settings["max_returns"]:
                return self.handler(case), {"verb": "return", "right_unit": rng.choice([u for u in UNITS if u != case.lead])}
            outcome = rng.choice(["resolved", "resolved", "partly_resolved", "explained", "unfounded"])
            return self.handler(case), {"verb": "handle", "outcome": outcome}
        if case.stage == "handled":
            by = self.checker(case)
            waits = case.standard["verification"] == "reporter" and not case.reported_by(by)
            if waits and self.now < case.clocks["verify"].due:
                if self.chance(0.3):
                    # Nobody answers until the limit for it is over.
                    return self.desk(case), {"verb": "comment"}
                by = reporter
            # What a watch mended on the spot has no unit that could do it again.
            return by, {"verb": rng.choice(["verify", "verify", "verify", "rework", "verify_partly"])
                        if not case.on_the_spot else "verify"}
        if case.stage == "closed":
            if self.chance(0.4) and case.rating is None:
                return reporter, {"verb": "rate", "rating": rng.choice(["good", "fair", "poor"])}
            if case.reopened < 2 and not case.on_the_spot and case.outcome in ("resolved", "partly_resolved") and self.chance(0.5):
                return reporter, {"verb": "request_reopen"}
            return None
        return self.desk(case), {"verb": rng.choice(["reopen", "refuse_reopen"])}

    def question(self, case):
        """Somebody is asked; the unit that has it asks within its limit, or is told that this is too long."""
        rng = self.rng
        whom = {"whom": "reporter", "report": 1} if self.chance(0.8) else {"whom": "outside"}
        act = {"verb": "ask", "of": whom, "until": self.date(rng.choice([1, 1, 1, 2, 3, 4, 6]))}
        by = self.handler(case) if case.lead and self.chance(0.6) else self.desk(case)
        return by, act

    def wait(self, case):
        """Parks, extends, asks, gives a part, watches over, or lets a while pass."""
        rng = self.rng
        overdue = case.clocks["resolve"].due <= self.now
        can_extend = case.extended < self.place.settings["max_extensions"] and not overdue
        choices = [(self.desk(case), {"verb": "comment"})]
        if not case.was_parked:
            choices.append((self.desk(case), {"verb": "park", "until": self.date(rng.randint(1, 9))}))
            choices.append((self.handler(case), {"verb": "ask_to_park", "until": self.date(rng.randint(2, 9))}))
        if can_extend:
            choices.append((self.desk(case), {"verb": "extend"}))
            choices.append((self.handler(case), {"verb": "ask_to_extend"}))
        choices += 2 * [self.question(case)]
        if len(case.parts) < 2:
            unit = rng.choice([u for u in UNITS if u != case.lead and not case.open_part(u)])
            limit = rng.choice(["4h working", "2d working", "1d calendar"])
            choices.append((self.desk(case), {"verb": "assign_joint", "unit": unit, "limit": limit}))
        choices.append((self.desk(case, lead=True), {"verb": "supervise", "on": not case.supervised, "kind": "important"}))
        return rng.choice(choices)

    def wrong(self, case):
        """Something that is refused."""
        rng, stage = self.rng, case.stage
        stranger = self.actor("PARKS-H" if case.lead != "PARKS" else "ROADS-H")
        desk = self.desk(case)
        chosen = [(desk, {"verb": "comment"}, "Stale.", case.version - 1)]
        if case.question and stage in ("assigned", "in_progress"):
            chosen += [(desk, {"verb": "park", "until": self.date(3)}), (desk, {"verb": "extend"}),
                       (desk, {"verb": "ask", "of": {"whom": "outside"}, "until": self.date(3)}),
                       (stranger, {"verb": "answer"})]
        if case.parked_until is not None and stage in ("assigned", "in_progress"):
            chosen += [(desk, {"verb": "extend"}), (desk, {"verb": "ask", "of": {"whom": "outside"}, "until": self.date(3)}),
                       (self.handler(case), {"verb": "sign" if stage == "assigned" else "handle", "outcome": "resolved"})]
        if stage in ("assigned", "in_progress") and case.parked_until is None and not case.question:
            chosen += [
                (stranger, {"verb": "report_in"}),
                (stranger, {"verb": "handle", "outcome": "resolved"}),
                (desk, {"verb": "verify"}),
                (desk, {"verb": "reopen"}),
                (desk, {"verb": "accept"}),
                (self.actor("SEEN"), {"verb": "park", "until": self.date(3)}),
                (desk, {"verb": "park", "until": self.date(0)}),
                (desk, {"verb": "park", "until": self.date(11)}),
                (desk, {"verb": "park", "until": self.date(5)}, ""),
                (desk, {"verb": "resume"}),
                (self.actor("A1-L" if "A1" not in case.areas else "WATCH-B"), {"verb": "extend"}),
                (desk, {"verb": "grant_request"} if not case.request else {"verb": "decline"}),
                (desk, {"verb": "ask", "of": {"whom": "outside"}, "until": self.date(31)}),
                (desk, {"verb": "supervise", "on": True, "kind": "ordered"}, ""),
            ]
            if case.was_parked:
                chosen += 3 * [(desk, {"verb": "park", "until": self.date(3)})]
            full = case.extended >= self.place.settings["max_extensions"]
            if full or case.clocks["resolve"].due <= self.now:
                chosen += 3 * [(desk, {"verb": "extend"})]
            if case.lead and stage == "assigned":
                chosen += [(self.handler(case), {"verb": "return", "right_unit": case.lead}),
                           (self.handler(case), {"verb": "return", "right_unit": "NOBODY"}),
                           (self.handler(case), {"verb": "handle", "outcome": "resolved"})]
                if case.decided:
                    chosen += 5 * [(self.handler(case), {"verb": "return", "right_unit": "PARKS" if case.lead != "PARKS" else "ROADS"})]
                if case.signed:
                    chosen += [(self.handler(case), {"verb": "sign"})]
            if stage == "in_progress":
                chosen += [(self.handler(case), {"verb": "handle", "outcome": "declined"}),
                           (self.handler(case), {"verb": "handle", "outcome": "resolved"}, "")]
                if any(not part["done"] for part in case.parts):
                    chosen += 3 * [(self.handler(case), {"verb": "handle", "outcome": "resolved"})]
        if stage == "reported":
            chosen += [(stranger, {"verb": "accept"}), (desk, {"verb": "accept", "standard": "SIGN-1" if case.service != "SIGN" else "TREE-1"}),
                       (desk, {"verb": "decline"}, ""), (self.actor("WATCH-A"), {"verb": "refer"})]
        if stage == "accepted":
            chosen += [(desk, {"verb": "assign", "unit": "NOBODY"}), (stranger, {"verb": "assign"})]
            if case.returned >= self.place.settings["max_returns"]:
                chosen += 4 * [(self.actor("CITY-D"), {"verb": "assign"})]
        if stage == "handled":
            fixers = [p for p in self.place.posts.values() if p["unit"] == case.fixer[0]]
            chosen += [(self.actor(rng.choice(fixers)["code"]), {"verb": "verify"}), (stranger, {"verb": "rework"}),
                       (self.checker(case), {"verb": "rework"}, ""), (self.checker(case), {"verb": "verify_partly"}, "")]
            if case.standard["verification"] == "reporter":
                chosen += 4 * [(self.checker(case), {"verb": "verify"})]
        if stage == "closed":
            chosen += [(desk, {"verb": "verify"}), (desk, {"verb": "park", "until": self.date(3)}),
                       ({"who": "reporter", "report": 1}, {"verb": "request_reopen"}, "")]
            if case.closed_at is not None and self.now > case.window_ends(self.place):
                chosen += 4 * [({"who": "reporter", "report": 1}, {"verb": "request_reopen"})]
        if stage == "reopen_requested":
            chosen += [(stranger, {"verb": "reopen"}), (desk, {"verb": "reopen"}, "")]
        wrong = rng.choice(chosen)
        seen = wrong[3] if len(wrong) > 3 else None
        text = wrong[2] if len(wrong) > 2 else "Because."
        # What would be right after all is left out; it is tried elsewhere.
        why = case.forbids(self.place, self.now, wrong[0], wrong[1], text, seen)
        return (wrong[0], wrong[1], text, seen) if why else None

    # Whistles

    def do_blow(self):
        rng = self.rng
        free = [case for case in self.cases if case.stage == "assigned" and case.index not in self.held and not case.question
                and case.parked_until is None and not case.request and ("case", case.index) not in self.used
                and "A" in case.areas and case.version > 2]
        if not free:
            return
        case = rng.choice(free)
        self.used.add(("case", case.index))
        kind = rng.choice(["joint", "hard", "urgent"])
        units = rng.sample(UNITS, 3)
        new = {"kind": kind, "cases": [case.index], "units": units, "lead": rng.choice(units)}
        if self.chance(0.4):
            meet = self.now + rng.choice([HOUR // 2, 2 * HOUR, 20 * HOUR])
            new = {**new, "meet_at": write(meet), "meet": meet}
        by = self.actor(rng.choice(["A-D", "A-L"]))
        index = len(self.whistles)
        whistle = Whistle(index, self.place, self.now, by, new, case.areas)
        self.whistles.append(whistle)
        self.held.add(case.index)
        self.batch.append({"blow": index, "by": by, **{key: value for key, value in new.items() if key != "meet"}})
        if whistle.stage == "blown":
            case.whistled(self.place, self.now, by, index, "blown")
            self.watch(case)
        self.later(index, "whistle", soon=True)

    def do_whistle(self, index):
        whistle = self.whistles[index]
        chosen = self.whistle_act(whistle)
        if chosen is None:
            return
        by, act, *rest = chosen
        text = rest[0] if rest else "Because."
        seen = rest[1] if len(rest) > 1 else None
        case = self.cases[whistle.new["cases"][0]]
        if ("case", case.index) in self.used:
            self.plan(self.now + GRID, "whistle", index)
            return
        self.used.add(("case", case.index))
        why = whistle.forbids(self.place, self.now, by, act, text, seen)
        sent = {key: value for key, value in act.items() if key != "made"}
        if "duties" in act:
            sent["duties"] = [{**duty, "case": case.index} for duty in act["duties"]]
        self.batch.append({"whistle_act": index, "by": by, "verb": sent, "text": text, "seen": seen, "expect": sorted(why)})
        if not why:
            stage = whistle.stage
            whistle.do(self.place, self.now, by, act, text)
            if whistle.stage != stage and not (stage == "asked" and whistle.stage in ("refused", "withdrawn")):
                case.whistled(self.place, self.now, by, index, whistle.stage)
                if whistle.stage == "closed":
                    self.hand_out(whistle, case, by)
                self.watch(case)
            if whistle.stage not in ("asked", "blown") and case.index in self.held and stage in ("asked", "blown"):
                self.held.discard(case.index)
                self.later(case.index)
        self.later(index, "whistle", soon=self.chance(0.6))

    def hand_out(self, whistle, case, by):
        """The unit of the case's first duty, the lead's if it has one, becomes the case's; the others have parts in it."""
        duties = [duty["unit"] for duty in whistle.duties]
        if not duties:
            return
        lead = whistle.new["lead"] if whistle.new["lead"] in duties else duties[0]
        made = [{"verb": "assign", "unit": lead}]
        for unit in dict.fromkeys(duties):
            if unit != lead:
                # Several duties of a unit are one part, with the longest of their limits.
                last = max((duty for duty in whistle.duties if duty["unit"] == unit), key=lambda duty: duty["due"])
                made.append({"verb": "assign_joint", "unit": unit, "limit": last["limit"]})
        for act in made:
            # What the rules do not let this one do now stays in the whistle alone.
            if not case.forbids(self.place, self.now, by, act, "As agreed.", None):
                case.do(self.place, self.now, by, act, "As agreed.")

    def whistle_act(self, whistle):
        rng = self.rng
        of = {"WATER": "WATER-H", "ROADS": "ROADS-H", "PIPES": "PIPES-H", "PARKS": "PARKS-H"}
        station, lead = self.actor(rng.choice(["A-D", "A-L"])), self.actor("A-L")
        calls = list(whistle.calls.values())
        call = rng.choice(calls)
        unit = self.actor(of[call.unit])
        if whistle.stage == "asked":
            if self.chance(0.2):
                return self.actor("A-D"), {"verb": "approve"}
            return lead, {"verb": rng.choice(["approve", "approve", "approve", "refuse_approval"])}
        if whistle.stage == "closed":
            left = [number for number, duty in enumerate(whistle.duties, 1) if not duty["done"]]
            if left and self.chance(0.6):
                duty = rng.choice(left)
                return self.actor(of[whistle.duties[duty - 1]["unit"]]), {"verb": "finish", "duty": duty}
            if call.state in ("present", "left", "reported_in") and not call.rated:
                call.rated = True
                if self.chance(0.5):
                    return station, {"verb": "rate_unit", "unit": call.unit, "speed": "good", "quality": "fair"}
                return unit, {"verb": "rate_whistle", "rating": "poor"}
            return None
        if whistle.stage != "blown":
            return None
        if self.chance(0.1):
            stranger = next((u for u in UNITS if u not in whistle.calls), None)
            return rng.choice([
                (unit, {"verb": "confirm", "unit": call.unit, "present": True}),
                (unit, {"verb": "close"}),
                (self.actor(of[stranger]) if stranger else self.actor("WATCH-A"), {"verb": "sign"}),
                (unit, {"verb": "refuse"}, ""),
                (station, {"verb": "confirm", "unit": call.unit, "present": True}, "Because.", whistle.version - 1),
                (station, {"verb": "minutes", "duties": []}, ""),
            ])
        if self.chance(0.03):
            return station, {"verb": "withdraw"}
        if self.chance(0.06) and len(whistle.stations) == 1:
            return station, {"verb": "raise", "units": [next(u for u in UNITS if u not in whistle.calls)]}
        if call.state in OPEN or call.state == "absent":
            choices = [(unit, {"verb": "report_in"})]
            if call.state == "called":
                choices += 2 * [(unit, {"verb": "sign"})]
            if call.state == "signed" and not call.contacted:
                choices += 2 * [(unit, {"verb": "contact"})]
            if call.state in OPEN and self.chance(0.3):
                choices.append((unit, {"verb": "refuse"}))
            made = self.now - 20 * MINUTE
            if made >= call.called_at:
                choices.append((unit, {"verb": "report_in", "made_at": write(made), "made": made}))
            if call.state == "absent":
                choices.append((station, {"verb": "confirm", "unit": call.unit, "present": self.chance(0.8)}))
            return rng.choice(choices)
        if call.state == "reported_in":
            return station, {"verb": "confirm", "unit": call.unit, "present": self.chance(0.7)}
        if call.state == "present" and self.chance(0.5):
            return unit, {"verb": "leave"}
        if not whistle.minuted or self.chance(0.1):
            duties = [{"unit": u, "what": "Its part.", "limit": rng.choice(["2d working", "5d calendar", "6h working"])}
                      for u in rng.choices(list(whistle.calls), k=rng.randint(1, 4)) if whistle.calls[u].state != "refused"]
            return station, {"verb": "minutes", "duties": duties}
        if self.chance(0.5):
            return station, {"verb": "close"}
        return unit, {"verb": "leave"} if call.state in ON_SITE else {"verb": "report_in"}


if __name__ == "__main__":
    season, cases, seed = sys.argv[1:]
    Month(season, int(cases), int(seed)).play()
