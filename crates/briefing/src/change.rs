//! How a number changed against an earlier one.

use crate::{
    evidence::{Fraction, Measure, Number, Said},
    words::Word,
};

/// What became of a number.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Change {
    /// One of both has no value, or the earlier one is nothing.
    Unknown,
    /// It is the same, as it is written.
    Same,
    /// By how much.
    By {
        /// Itself a number with evidence: its formula names both.
        number: Box<Number>,
        /// The words around it.
        direction: Word,
    },
}

/// Shares are compared in points of percent, all others in percent of the earlier one.
pub(crate) fn between(new: &Number, old: &Number) -> Change {
    let (Some(now), Some(then)) = (new.value, old.value) else {
        return Change::Unknown;
    };
    let (now_over, now_under) = (i128::from(now.over), i128::from(now.under));
    let (then_over, then_under) = (i128::from(then.over), i128::from(then.under));
    let difference = now_over * then_under - then_over * now_under;
    if difference == 0 {
        return Change::Same;
    }
    let points = new.measure == Measure::Share;
    let (over, under) = if points {
        (difference, now_under * then_under)
    } else {
        (difference, then_over * now_under)
    };
    if under <= 0 {
        return Change::Unknown;
    }
    let (Some(value), Some(tenths)) = (reduced(over, under), tenths_of_percent(over.abs(), under)) else {
        return Change::Unknown;
    };
    if tenths == 0 {
        return Change::Same;
    }
    let percent = format!("{}.{}", tenths / 10, tenths % 10);
    let more = difference > 0;
    let (shown, direction) = match new.measure {
        Measure::Share => (
            Said::new(format!("{percent}个百分点"), format!("{percent} points")),
            if more { Word::Higher } else { Word::Lower },
        ),
        Measure::Duration => (
            Said::same(format!("{percent}%")),
            if more { Word::Longer } else { Word::Shorter },
        ),
        Measure::Count | Measure::Amount => (
            Said::same(format!("{percent}%")),
            if more { Word::More } else { Word::Less },
        ),
    };
    let formula = if points {
        Said::new(
            format!("{}：本期{} − 对比期{}", new.label.zh, new.shown.zh, old.shown.zh),
            format!("{}: {} now − {} then", new.label.en, new.shown.en, old.shown.en),
        )
    } else {
        Said::new(
            format!(
                "{0}：（本期{1} − 对比期{2}）÷ 对比期{2}",
                new.label.zh, new.shown.zh, old.shown.zh
            ),
            format!(
                "{0}: ({1} now − {2} then) ÷ {2}",
                new.label.en, new.shown.en, old.shown.en
            ),
        )
    };
    let mut ask = new.ask.clone();
    let other = old.ask.period;
    ask.cut = Some(format!("change from {}..{}", other.from, other.to));
    Change::By {
        number: Box::new(Number {
            ask,
            label: Said::new(
                format!("{}变化", new.label.zh),
                format!("{}, change", new.label.en),
            ),
            of: new.of.clone(),
            measure: Measure::Amount,
            shown,
            unit: Said::default(),
            value: Some(value),
            numerator: None,
            denominator: None,
            formula,
            link: new.link.clone(),
        }),
        direction,
    }
}

/// Rounded half up.
fn tenths_of_percent(over: i128, under: i128) -> Option<i128> {
    Some((over.checked_mul(2000)?.checked_add(under)?) / under.checked_mul(2)?)
}

fn reduced(over: i128, under: i128) -> Option<Fraction> {
    let mut pair = (over.abs(), under);
    while pair.1 != 0 {
        pair = (pair.1, pair.0 % pair.1);
    }
    Some(Fraction {
        over: i64::try_from(over / pair.0).ok()?,
        under: i64::try_from(under / pair.0).ok()?,
    })
}
