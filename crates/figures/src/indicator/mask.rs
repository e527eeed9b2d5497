//! Masking: what an answer to the public keeps back, so that nobody can be made out behind a figure.

use super::{
    Unit,
    answer::{Answer, Figure, Figures, Heading},
};

/// The fewest rows that a public figure may stand for.
pub const LEAST: u64 = 5;

impl Answer {
    /// The answer without figures of fewer than `least` rows.
    ///
    /// A group is as large as its denominator; of a count it is what was counted. What stands for 1 to `least - 1` rows is masked, a
    /// zero is not. Since the groups add up to the whole, what was masked could be computed when it is alone; so the next larger
    /// group is masked too, until at least two are and together have at least `least - 1` rows more than one for each. Comparisons
    /// are masked by themselves in the same way. When the whole is small, it is masked with all that is not zero.
    ///
    /// What is counted from the place itself (its stations, its posts) stands in the place's own files and is never masked.
    ///
    /// It does not guard against somebody who asks twice and subtracts (a town less all its communities but one): offer the public
    /// cuts that are not of one another, or few of them.
    pub fn masked(mut self, least: u64) -> Self {
        let columns = self.headings.len();
        for column in 0..columns {
            let Heading { unit, subject, .. } = self.headings[column];
            if subject.is_of_place() {
                continue;
            }
            type Part = fn(&mut Figures) -> Option<&mut Vec<Figure>>;
            let parts: [Part; 3] = [
                |it| Some(&mut it.now),
                |it| it.before.as_mut(),
                |it| it.last_year.as_mut(),
            ];
            for part in parts {
                let whole = part(&mut self.whole).and_then(|figures| figures.get_mut(column));
                let groups = self.rows.iter_mut();
                let groups = groups.filter_map(|row| part(row).and_then(|figures| figures.get_mut(column)));
                let mut groups: Vec<&mut Figure> = groups.collect();
                if let Some(whole) = whole {
                    mask(whole, &mut groups, unit, least);
                }
            }
        }
        self
    }
}

fn mask(whole: &mut Figure, groups: &mut [&mut Figure], unit: Unit, least: u64) {
    const MASKED: Figure = Figure {
        numerator: 0,
        denominator: 0,
        value: None,
        is_masked: true,
    };
    let size = |figure: &Figure| match unit {
        Unit::Count => figure.numerator,
        _ => figure.denominator,
    };
    let is_small = |size: u64| (1..least).contains(&size);
    if is_small(size(whole)) {
        *whole = MASKED;
        for group in groups {
            if size(group) > 0 {
                **group = MASKED;
            }
        }
        return;
    }
    let mut others: Vec<(u64, usize)> = groups.iter().enumerate().map(|(at, it)| (size(it), at)).collect();
    others.retain(|(size, _)| *size > 0);
    others.sort_unstable();
    let mut hidden = others.partition_point(|(size, _)| *size < least);
    if hidden == 0 {
        return;
    }
    let is_safe = |hidden: usize| {
        let together: u64 = others[..hidden].iter().map(|(size, _)| size).sum();
        hidden >= 2 && together >= hidden as u64 + least - 1
    };
    while !is_safe(hidden) && hidden < others.len() {
        hidden += 1;
    }
    // All groups together tell nothing more than the whole; when even they are not safe, the whole is not.
    if !is_safe(hidden) {
        *whole = MASKED;
    }
    for (_, at) in &others[..hidden] {
        *groups[*at] = MASKED;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::indicator::{Period, Ratio, Subject};

    fn answer(unit: Unit, sizes: &[u64]) -> Answer {
        let figure = |size: u64| Figure {
            numerator: if unit == Unit::Count { size } else { size / 2 },
            denominator: size,
            value: (size > 0).then_some(Ratio {
                over: size / 2,
                under: size.max(1),
            }),
            is_masked: false,
        };
        let row = |key, size| Figures {
            key,
            now: vec![figure(size)],
            before: None,
            last_year: None,
        };
        Answer {
            place_version: 1,
            period: Period::year(2025).unwrap(),
            is_over: true,
            headings: vec![Heading {
                code: "x".into(),
                version: 1,
                unit,
                subject: Subject::Case,
            }],
            rows: sizes
                .iter()
                .enumerate()
                .map(|(at, size)| row(Some(crate::indicator::Key::Code(at.to_string())), *size))
                .collect(),
            whole: row(None, sizes.iter().sum()),
        }
    }

    /// What is left to see: of each group its size, or none; and at last of the whole.
    fn seen(unit: Unit, sizes: &[u64]) -> Vec<Option<u64>> {
        let answer = answer(unit, sizes).masked(LEAST);
        let rows = answer.rows.iter().chain([&answer.whole]);
        rows.map(|row| (!row.now[0].is_masked).then_some(row.now[0].denominator))
            .collect()
    }

    #[test]
    fn nothing_is_masked_where_no_group_is_small() {
        assert_eq!(
            seen(Unit::Percent, &[5, 0, 9]),
            [Some(5), Some(0), Some(9), Some(14)]
        );
    }

    #[test]
    fn one_small_group_takes_the_next_larger_with_it() {
        // 3 alone would be 112 - 100 - 9.
        assert_eq!(
            seen(Unit::Percent, &[100, 3, 9, 0]),
            [Some(100), None, None, Some(0), Some(112)]
        );
    }

    #[test]
    fn two_small_groups_that_can_be_computed_take_a_third() {
        // Of two groups that come to two, each has one.
        assert_eq!(
            seen(Unit::Count, &[1, 1, 50, 60]),
            [None, None, None, Some(60), Some(112)]
        );
        // Five of one each come to five.
        assert_eq!(
            seen(Unit::Count, &[1, 1, 1, 1, 1, 50]),
            [None, None, None, None, None, None, Some(55)]
        );
        assert_eq!(seen(Unit::Count, &[3, 4, 50]), [None, None, Some(50), Some(57)]);
    }

    #[test]
    fn a_small_whole_is_masked_with_its_parts() {
        assert_eq!(seen(Unit::Percent, &[4, 0]), [None, Some(0), None]);
        // The whole is not small, but says of each group that it has one.
        assert_eq!(
            seen(Unit::Count, &[1, 1, 1, 1, 1]),
            [None, None, None, None, None, None]
        );
    }
}
