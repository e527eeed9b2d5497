// What the kept shift is once the server has done something: shown at once, also when the network goes before the shift can be
// fetched anew. The server's own answer is taken where it gives one; nothing is worked out that only it can know.

import type { Case, Item, Look, Round, Shift, Stop, Whistle } from "./model";

/** What the server answered, as far as it is looked at. */
export type Answer = Partial<Case & Whistle>;

/** The shift after something was done. */
export function applied(shift: Shift, item: Item, answer: Answer, now: Date): Shift {
  const [kind = "", code = ""] = item.subject.split(/:(.*)/s);
  switch (kind) {
    case "case":
      return { ...shift, cases: replaced(shift.cases, answer) };
    case "whistle":
      return { ...shift, whistles: replaced(shift.whistles, answer) };
    case "stop":
      return { ...shift, rounds: shift.rounds.map((round) => seen(round, code, item, shift, now)) };
    default:
      return shift;
  }
}

/** A list with the one that the server answered in place of what was known of it; without it where it is over. */
function replaced<T extends { number: number }>(all: T[], answer: Answer): T[] {
  if (answer.stage === "closed") return all.filter((one) => one.number !== answer.number);
  return all.map((one) => (one.number === answer.number ? { ...one, ...answer } : one));
}

function seen(round: Round, code: string, item: Item, shift: Shift, now: Date): Round {
  if (!round.stops.some((stop) => stop.code === code)) return round;
  const day = (at: Date) => at.toLocaleDateString("sv-SE", { timeZone: shift.zone ?? undefined });
  const finding = item.path !== "/reports" ? "fine" : item.body["fixed"] === undefined ? "reported" : "fixed";
  const look = { finding, made_on: day(new Date(item.made_at)), received_on: day(now), unit: shift.who.unit };
  const stops = round.stops.map((stop) => (stop.code === code ? looked(stop, look) : stop));
  return { ...round, stops, due: stops.filter((stop) => stop.is_due).length };
}

/** Milliseconds of a day. */
const DAY = 24 * 3600 * 1000;

/** A look of an earlier day takes no later one away. */
function looked(stop: Stop, last: Look): Stop {
  if (stop.last !== undefined && stop.last.made_on > last.made_on) return stop;
  const isDue = Date.parse(last.made_on) + stop.every_days * DAY <= Date.parse(last.received_on);
  return { ...stop, last, is_due: isDue };
}
