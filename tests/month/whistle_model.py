"""Whistles in the model: a call of several units together, its limits and its end. See `model`."""

from calendar_model import Limit, write
from model import Clock

ALL = ["sign", "contact", "report_in", "leave"]
OPEN = ("called", "signed")
ON_SITE = ("reported_in", "present")


class Call:
    def __init__(self, unit, now):
        self.unit, self.state, self.called_at = unit, "called", now
        self.clocks, self.told = {}, set()
        self.contacted = self.rated = False
        self.not_found_at = None


class Whistle:
    def __init__(self, index, place, now, by, new, areas):
        self.index, self.new, self.kind = index, new, place.whistles[new["kind"]]
        self.areas, self.version, self.events = areas, 0, []
        self.stations = [place.posts[by["post"]]["unit"]]
        self.stage = "asked"
        self.calls = {unit: Call(unit, now) for unit in new["units"]}
        self.duties, self.minuted = [], False
        self.tell(now, by, "asked", kind=new["kind"], station=self.stations[0], units=new["units"], lead=new["lead"])
        if not self.kind["approval"] or place.station_lead_post(by, self.stations):
            self.blow(place, now, by)
        self.settle()

    def tell(self, now, by, word, **more):
        self.version += 1
        self.events.append({"at": write(now), "by": by, "event": word, **more})

    def settle(self):
        self.events[-1]["clocks"] = {
            f"{unit} {kind}": write(clock.due)
            for unit, call in sorted(self.calls.items()) for kind, clock in sorted(call.clocks.items())
        }

    def start(self, place, call, now, *kinds):
        for kind in kinds:
            call.clocks.pop(kind, None)
            if self.kind[kind]:
                # Nobody is awaited before the time to meet.
                meet = self.new.get("meet") if kind == "report_in" else None
                call.clocks[kind] = Clock(kind, Limit.read(self.kind[kind]), max(now, meet or now), place.calendar)

    def blow(self, place, now, by):
        self.stage = "blown"
        for call in self.calls.values():
            call.called_at = now
            self.start(place, call, now, "sign", "contact", "report_in")
        self.tell(now, by, "blown")

    def forbids(self, place, now, by, act, text, seen):
        verb, why = act["verb"], set()
        post = place.posts[by["post"]]
        call = self.calls.get(post["unit"]) if post["roles"] & {"handler", "lead"} else None
        roles = set(self.kind["roles"].split("|"))
        whistler = post["unit"] in self.stations and bool(post["roles"] & roles)
        lead = post["unit"] in self.stations and "lead" in post["roles"]
        above = "lead" in post["roles"] and place.units[post["unit"]]["kind"] == "station" and post["area"] in self.areas
        watches = post["roles"] & {"patrol", "call_taker", "dispatcher", "auditor", "administrator"}
        station = place.units[post["unit"]]["kind"] == "station"
        sees = call is not None or whistler or lead or ((watches or station) and post["area"] in self.areas)
        if not sees or (self.stage == "asked" and call is not None and not (whistler or above)):
            why.add("not_found")
        if seen is not None and seen != self.version:
            why.add("stale")
        stages, allowed, needs_text, states = {
            "approve": (["asked"], lead, False, None),
            "refuse_approval": (["asked"], lead, True, None),
            "withdraw": (["asked", "blown"], whistler or above, True, None),
            "raise": (["blown"], whistler, True, None),
            "sign": (["blown"], call, False, ["called"]),
            "refuse": (["blown"], call, True, ["called", "signed"]),
            "contact": (["blown"], call, False, ["called", "signed"]),
            "report_in": (["blown"], call, False, ["called", "signed", "absent"]),
            "confirm": (["blown"], whistler, False, None),
            "leave": (["blown"], call, False, ["reported_in", "present"]),
            "minutes": (["blown"], whistler, True, None),
            "close": (["blown"], whistler, False, None),
            "finish": (["closed"], self.may_finish(place, post, act), False, None),
            "rate_unit": (["closed"], whistler, False, None),
            "rate_whistle": (["closed"], call, False, None),
        }[verb]
        if self.stage not in stages:
            why.add("wrong_stage")
        if not allowed:
            why.add("not_allowed")
        if needs_text and not text:
            why.add("missing")
        if states and call and call.state not in states:
            why.add("wrong_call")
        if verb == "confirm" and self.calls[act["unit"]].state not in ("reported_in", "absent"):
            why.add("wrong_call")
        if verb == "contact" and call and call.contacted:
            why |= {"wrong_call", "missing"}
        if verb == "close" and not self.minuted:
            why.add("missing")
        if verb == "report_in" and call and act.get("made_at"):
            made = act["made"]
            if not (call.not_found_at if call.state == "absent" else call.called_at) <= made <= now:
                why.add("made_time")
        return why

    def may_finish(self, place, post, act):
        if act["verb"] != "finish":
            return False
        duty = self.duties[act["duty"] - 1] if act["duty"] <= len(self.duties) else None
        return bool(duty) and (post["unit"] == duty["unit"] or post["unit"] in self.stations)

    def do(self, place, now, by, act, text):
        post = place.posts[by["post"]]
        verb, unit = act["verb"], post["unit"]
        call = self.calls.get(unit)
        if verb == "approve":
            self.blow(place, now, by)
        elif verb == "refuse_approval":
            self.end("refused")
            self.tell(now, by, "refused")
        elif verb == "withdraw":
            self.end("withdrawn")
            self.tell(now, by, "withdrawn")
        elif verb == "raise":
            station = place.units[self.stations[-1]]["parent"]
            self.stations.append(station)
            for added in act["units"]:
                self.calls[added] = Call(added, now)
                self.start(place, self.calls[added], now, "sign", "contact", "report_in")
            self.tell(now, by, "raised", station=station)
        elif verb == "sign":
            call.state = "signed"
            call.clocks.pop("sign", None)
            self.tell(now, by, "signed", unit=unit)
        elif verb == "refuse":
            call.state = "refused"
            call.clocks.clear()
            self.tell(now, by, "call_refused", unit=unit)
        elif verb == "contact":
            # Who speaks with the station has read it.
            call.contacted = True
            if call.state == "called":
                call.state = "signed"
            call.clocks.pop("sign", None)
            call.clocks.pop("contact", None)
            self.tell(now, by, "contacted", unit=unit)
        elif verb == "report_in":
            call.state = "reported_in"
            for kind in ("sign", "contact", "report_in"):
                call.clocks.pop(kind, None)
            self.start(place, call, act.get("made") or now, "leave")
            self.tell(now, by, "reported_in", unit=unit, **({"made_at": act["made_at"]} if act.get("made_at") else {}))
        elif verb == "confirm":
            call = self.calls[act["unit"]]
            was, call.state = call.state, "present" if act["present"] else "absent"
            if not act["present"]:
                call.not_found_at = now
            if was == "reported_in" and call.state == "absent":
                call.clocks.pop("leave", None)
                call.told -= {"report_in", "leave"}
                self.start(place, call, now, "report_in")
            if was == "absent" and call.state == "present":
                call.clocks.pop("report_in", None)
                self.start(place, call, now, "leave")
            self.tell(now, by, "confirmed", unit=act["unit"], present=act["present"])
        elif verb == "leave":
            call.state = "left"
            call.clocks.pop("leave", None)
            self.tell(now, by, "left", unit=unit)
        elif verb == "minutes":
            self.minuted = True
            self.duties = []
            self.tell(now, by, "minuted")
            for duty in act["duties"]:
                due = place.calendar.due(now, Limit.read(duty["limit"]))
                self.duties.append({**duty, "due": due, "done": False})
                self.tell(now, by, "duty_given", unit=duty["unit"], due_at=write(due))
        elif verb == "close":
            self.end("closed")
            self.tell(now, by, "closed")
        elif verb == "finish":
            self.duties[act["duty"] - 1]["done"] = True
            self.tell(now, by, "duty_done", duty=act["duty"])
        elif verb == "rate_unit":
            self.tell(now, by, "unit_rated", unit=act["unit"], speed=act["speed"], quality=act["quality"])
        elif verb == "rate_whistle":
            self.tell(now, by, "whistle_rated", unit=unit, rating=act["rating"])
        self.settle()

    def end(self, stage):
        self.stage = stage
        for call in self.calls.values():
            call.clocks.clear()

    def next_at(self):
        return min((clock.due for _, clock in self.untold()), default=None)

    def untold(self):
        """The clocks that are told of when they run out; who stays on longer keeps nobody waiting."""
        return [(call, clock) for call in self.calls.values() for clock in call.clocks.values()
                if clock.kind not in call.told and clock.kind != "leave"]

    def take_steps(self, now):
        """Each limit that ran out is told once."""
        while (at := self.next_at()) is not None and at <= now:
            due = [(call, clock) for call, clock in self.untold() if clock.due == at]
            order = list(self.calls)
            call, clock = min(due, key=lambda one: (order.index(one[0].unit), ALL.index(one[1].kind)))
            call.told.add(clock.kind)
            self.tell(now, {"who": "system"}, "overdue", unit=call.unit, clock=clock.kind)
            self.settle()

    def reckon(self, place, now):
        clocks = [clock for call in self.calls.values() for clock in call.clocks.values()]
        before = [clock.due for clock in clocks]
        for clock in clocks:
            clock.reckon(place.calendar)
        if before != [clock.due for clock in clocks]:
            self.tell(now, {"who": "system"}, "reckoned")
            self.settle()

    def state(self):
        return {"stage": self.stage, "version": self.version,
                "calls": {unit: call.state for unit, call in sorted(self.calls.items())}}
