"""When a limit ends: working hours, working days, calendar days and running hours over a place's calendar.

Written from docs/place-folder.md ("How limits are counted"), slowly and plainly: every date is looked at, nothing is laid
out ahead. Instants are whole microseconds since 1970, in UTC.
"""

import datetime
import fractions
import functools
import re
import zoneinfo

SECOND = 1_000_000
HOUR = 3600 * SECOND
WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
DAY = datetime.timedelta(days=1)


def to_instant(moment):
    return round((moment - EPOCH) / datetime.timedelta(microseconds=1))


def to_moment(instant):
    return EPOCH + datetime.timedelta(microseconds=instant)


def write(instant):
    """As Whistle writes an instant."""
    moment = to_moment(instant)
    text = moment.strftime("%Y-%m-%dT%H:%M:%S")
    return text + (f".{moment.microsecond:06}".rstrip("0") if moment.microsecond else "") + "Z"


class Limit:
    """How much of which kind of time; an amount may be a fraction, for the marks of a ladder."""

    def __init__(self, amount, unit):
        # Hours in microseconds, days in days.
        self.amount, self.unit = fractions.Fraction(amount), unit

    @classmethod
    def read(cls, text):
        amount, size, kind = re.fullmatch(r"(\d+)([mhd]) (running|working|calendar)", text.strip()).groups()
        if size == "d":
            return cls(int(amount), {"working": "working_days", "calendar": "calendar_days"}[kind])
        hours = {"running": "running_hours", "working": "working_hours"}[kind]
        return cls(int(amount) * (HOUR if size == "h" else HOUR // 60), hours)

    def times(self, factor):
        return Limit(self.amount * factor, self.unit)


class Calendar:
    def __init__(self, zone, week, days):
        """`week`: weekday → slots in minutes of the day; `days`: date → weekday whose slots hold, or None for a holiday."""
        self.zone = zoneinfo.ZoneInfo(zone)
        self.week, self.days = week, days

    def civil(self, instant):
        """The civil clock, read as one that only goes forward: while an hour is repeated it stands still at its end."""
        moment = to_moment(instant).astimezone(self.zone)
        if moment.fold:
            # Go back minute by minute to the first pass of the repeated hour; the next minute is where that ended.
            first = moment.astimezone(datetime.timezone.utc)
            while first.astimezone(self.zone).fold:
                first -= datetime.timedelta(minutes=1)
            last = first.astimezone(self.zone).replace(tzinfo=None, second=0, microsecond=0)
            return last + datetime.timedelta(minutes=1)
        return moment.replace(tzinfo=None, fold=0)

    def instant(self, civil):
        """When the civil clock shows this; what it jumps over is the instant of the jump."""
        moment = civil.replace(tzinfo=self.zone, fold=0)
        instant = to_instant(moment)
        if to_moment(instant).astimezone(self.zone).replace(tzinfo=None) == civil:
            return instant
        # Jumped over: go back minute by minute to the last civil time that happens.
        last = civil
        while to_moment(to_instant(last.replace(tzinfo=self.zone))).astimezone(self.zone).replace(tzinfo=None) != last:
            last = last.replace(second=0, microsecond=0) - datetime.timedelta(minutes=1)
        return to_instant(last.replace(tzinfo=self.zone)) + 60 * SECOND

    def date(self, instant):
        return to_moment(instant).astimezone(self.zone).date()

    def start_of(self, date):
        return self.instant(datetime.datetime.combine(date, datetime.time()))

    @functools.lru_cache(maxsize=None)
    def slots(self, date):
        """The working slots of a date, as instants."""
        weekday = self.days.get(date, WEEKDAYS[date.weekday()])
        found = []
        for start, end in self.week.get(weekday, []) if weekday else []:
            midnight = datetime.datetime.combine(date, datetime.time())
            edges = [self.instant(midnight + datetime.timedelta(minutes=edge)) for edge in (start, end)]
            if edges[0] < edges[1]:
                found.append(tuple(edges))
        return found

    def due(self, start, limit, pauses=()):
        pauses = sorted((max(a, start), b) for a, b in pauses if b > max(a, start))
        return getattr(self, limit.unit)(start, limit.amount, pauses)

    @staticmethod
    def later(due, pauses):
        """A due of time that runs through, moved by the pauses that begin before it."""
        reached = None
        for a, b in pauses:
            a = a if reached is None else max(a, reached)
            if a < due and b > a:
                due += b - a
                reached = b
        return due

    def running_hours(self, start, amount, pauses):
        return self.later(start + int(amount), pauses)

    def calendar_days(self, start, amount, pauses):
        due, reached = self.civil(start) + datetime.timedelta(microseconds=int(amount * 24 * HOUR)), start
        for a, b in pauses:
            a = max(a, reached)
            if a < self.instant(due) and b > a:
                due += self.civil(b) - self.civil(a)
                reached = b
        return self.instant(due)

    def working_hours(self, start, amount, pauses):
        left, date = amount, self.date(start)
        while True:
            for a, b in self.slots(date):
                for a, b in without(max(a, start), b, pauses):
                    if b - a >= left:
                        return a + int(left)
                    left -= b - a
            date += DAY

    def working_days(self, start, amount, pauses):
        whole, part = int(amount), amount - int(amount)
        date, counted = self.date(start), 0
        while True:
            date += DAY
            slots = self.slots(date)
            if not slots or any(without(a, b, pauses) != [(a, b)] for a, b in slots):
                continue
            counted += 1
            if counted == whole and not part:
                return slots[-1][1]
            if counted > whole:
                left = part * sum(b - a for a, b in slots)
                for a, b in slots:
                    if b - a >= left:
                        return a + int(left)
                    left -= b - a


def without(a, b, pauses):
    """What is left of a span, the pauses taken out."""
    parts = []
    for c, d in pauses:
        if d <= a or c >= b:
            continue
        if c > a:
            parts.append((a, c))
        a = max(a, d)
    if a < b:
        parts.append((a, b))
    return parts
