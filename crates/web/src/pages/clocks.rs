//! Why clocks stand where they do, in the reader's words: for the case page and for the command line.

use jiff::Timestamp;
use whistle_domain::{
    case::{Case, Event},
    escalation::Mark,
    place::Place,
    words::{Lang, UnitCode},
};
use whistle_service::explain::{self, ClockStory, Standing, StepStory};

use super::{show::Moment, words::Words};

/// A clock, explained.
pub(crate) struct ClockView {
    pub(crate) name: String,
    pub(crate) state: String,
    pub(crate) overdue: bool,
    pub(crate) at: Moment,
    pub(crate) why: Vec<String>,
    pub(crate) steps: Vec<StepView>,
}

/// A step of its ladder.
pub(crate) struct StepView {
    pub(crate) taken: bool,
    pub(crate) at: Moment,
    pub(crate) text: String,
}

/// The clocks of a case, in plain text, a line each and lines below; for the command line.
pub fn explain(case: &Case, log: &[Event], place: &Place, now: Timestamp, lang: Lang) -> String {
    let words = Words(lang);
    let clocks = views(case, log, place, now, words);
    if clocks.is_empty() {
        return words.t("no-clock");
    }
    let mut lines = Vec::new();
    for clock in clocks {
        let head = [
            ("name", clock.name),
            ("state", clock.state),
            ("at", clock.at.text),
        ];
        let head = head.map(|(key, text)| (key, text.into()));
        lines.push(words.with("clock-line", &head));
        lines.extend(clock.why.iter().map(|why| format!("    {why}")));
        lines.extend(clock.steps.iter().map(|step| {
            let mark = if step.taken { 'x' } else { ' ' };
            format!("    [{mark}] {}", step.text)
        }));
    }
    lines.join("\n")
}

/// The clocks of a case.
pub(crate) fn views(
    case: &Case,
    log: &[Event],
    place: &Place,
    now: Timestamp,
    words: Words,
) -> Vec<ClockView> {
    let teller = Teller { words, place, now };
    explain::clocks(case, log, place, now)
        .iter()
        .map(|clock| teller.clock(clock))
        .collect()
}

struct Teller<'a> {
    words: Words,
    place: &'a Place,
    now: Timestamp,
}

impl Teller<'_> {
    fn moment(&self, at: Timestamp) -> Moment {
        Moment {
            text: self.words.time(at, self.place.calendar.zone()),
            iso: at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        }
    }

    fn time(&self, at: Timestamp) -> String {
        self.moment(at).text
    }

    /// What it limits; of a part, whose.
    fn name(&self, clock: &ClockStory) -> String {
        let name = self.words.of("clock", clock.kind.as_str());
        match &clock.part {
            Some(unit) => self.words.aside(&name, &self.unit(unit)),
            None => name,
        }
    }

    fn unit(&self, code: &UnitCode) -> String {
        let unit = self.place.unit(code.as_str());
        unit.map_or_else(|| code.to_string(), |unit| unit.name.get(self.words.0).to_owned())
    }

    fn clock(&self, clock: &ClockStory) -> ClockView {
        let words = self.words;
        let state = match (clock.state, clock.overdue) {
            (Standing::Stopped, true) => words.t("clock-met-late"),
            (Standing::Stopped, false) => words.t("clock-met"),
            (Standing::Paused, _) => words.t("clock-standing"),
            (Standing::Running, _) => words.until(clock.due_at, self.now),
        };
        let mut why: Vec<String> = Vec::new();
        for (nth, explanation) in (0_i64..).zip(&clock.explanations) {
            let sentence = explanation.sentence(words.0);
            why.push(if nth == 0 {
                sentence
            } else {
                words.with("clock-extended", &[("n", nth.into()), ("why", sentence.into())])
            });
        }
        why.extend(clock.pauses.iter().map(|(from, to)| match to {
            Some(to) => words.with(
                "clock-paused",
                &[("from", self.time(*from).into()), ("to", self.time(*to).into())],
            ),
            None => words.x("clock-paused-since", &self.time(*from)),
        }));
        let next = clock.steps.iter().position(|step| clock.is_to_come(step));
        let steps = clock.steps.iter().enumerate();
        ClockView {
            name: self.name(clock),
            state,
            overdue: clock.overdue,
            at: self.moment(clock.due_at),
            why,
            // What was not taken when a clock was stopped never is.
            steps: steps
                .filter(|(_, step)| step.taken_at.is_some() || clock.is_to_come(step))
                .map(|(nth, step)| self.step(step, Some(nth) == next && clock.state == Standing::Running))
                .collect(),
        }
    }

    fn step(&self, step: &StepStory, is_next: bool) -> StepView {
        let words = self.words;
        let mark = match step.at {
            Some(Mark::Share(100)) => words.t("mark-overdue"),
            Some(Mark::Share(share)) => format!("{share}%"),
            Some(Mark::Overdue(limit)) => words.x("mark-overdue-and", &limit.describe(words.0)),
            None => String::new(),
        };
        let state = match (step.taken_at, is_next) {
            (Some(at), _) => words.x("step-taken", &self.time(at)),
            (None, true) => words.t("step-next"),
            (None, false) => words.t("step-later"),
        };
        let parts = [
            ("at", self.time(step.due_at)),
            ("mark", mark),
            ("level", words.of("tier", step.level.as_str())),
            ("who", self.who(step)),
            ("state", state),
        ];
        StepView {
            taken: step.taken_at.is_some(),
            at: self.moment(step.due_at),
            text: words.with("clock-step", &parts.map(|(key, text)| (key, text.into()))),
        }
    }

    fn who(&self, step: &StepStory) -> String {
        let lang = self.words.0;
        let unit = step.unit.as_ref().map(|code| self.unit(code));
        let post = step.post.as_ref().map(|code| {
            let post = self.place.post(code.as_str());
            post.map_or_else(|| code.to_string(), |post| post.name.get(lang).to_owned())
        });
        match (post, unit) {
            (Some(post), Some(unit)) => self.words.post_of_unit(&post, &unit),
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => self.words.t("step-nobody"),
        }
    }
}
