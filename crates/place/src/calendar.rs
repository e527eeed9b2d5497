//! calendar.csv and the working hours of jurisdiction.toml: when the place works.

use std::collections::HashMap;

use jiff::civil::{Date, Weekday};
use whistle_domain::calendar::{Calendar, CalendarRules, Holiday, HolidayName, MakeUpDay, Slot};

use crate::{
    fault::{At, Faults, at},
    jurisdiction::{Charter, FILE, WEEKDAYS},
    table::{Layout, NAME, Row, Table, filled, free},
    text::{parsed, shown},
};

pub(crate) const CALENDAR: Layout = Layout {
    file: "calendar.csv",
    row: "date",
    columns: &[
        filled("date", &["日期"]),
        filled("kind", &["类型"]),
        free("name", &["名称", "名稱"]),
        NAME[1],
        NAME[2],
        free("like", &["按", "按星期"]),
    ],
};

/// The years that a date may lie in; another is a slip of the pen.
const YEARS: std::ops::RangeInclusive<i16> = 1990..=2100;
const KINDS: [(&str, bool); 5] = [
    ("holiday", true),
    ("workday", false),
    ("节假日", true),
    ("假日", true),
    ("调休", false),
];
const LIKE: [(&str, Weekday); 14] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
    ("周一", Weekday::Monday),
    ("周二", Weekday::Tuesday),
    ("周三", Weekday::Wednesday),
    ("周四", Weekday::Thursday),
    ("周五", Weekday::Friday),
    ("周六", Weekday::Saturday),
    ("周日", Weekday::Sunday),
];

/// Builds the calendar. None, with faults, when anything is wrong with it.
pub(crate) fn read(charter: &Charter, table: Option<&Table>, faults: &mut Faults) -> Option<Calendar> {
    let errors_before = faults.errors();
    let mut rules = CalendarRules {
        zone: charter.time_zone.clone(),
        week: Default::default(),
        holidays: Vec::new(),
        make_up_days: Vec::new(),
    };
    for (slots, given) in rules.week.iter_mut().zip(&charter.week) {
        let read = given
            .iter()
            .filter_map(|(slot, line)| parsed::<Slot>(slot, at(FILE, *line), faults));
        *slots = read.collect();
    }
    let mut lines: HashMap<Date, u32> = HashMap::new();
    for row in table.map(|table| table.rows.as_slice()).unwrap_or_default() {
        let date = date(row, faults);
        let is_holiday = row.word("kind", &KINDS, faults);
        let like = row.word("like", &LIKE, faults).unwrap_or(Weekday::Monday);
        let (Some(date), Some(is_holiday)) = (date, is_holiday) else {
            continue;
        };
        if let Some(first) = lines.insert(date, row.line()) {
            faults.error(
                row.at(),
                format!("{date} is already on line {first}"),
                "make it a holiday or a workday, once",
            );
        } else if is_holiday {
            let text = row.text("name");
            let own = (!text.own.is_empty()).then_some(text.own);
            let name = HolidayName {
                zh: text.zh.or_else(|| own.clone()),
                en: text.en.or(own),
            };
            rules.holidays.push(Holiday { date, name });
        } else if given_rest(&rules, like) {
            let day = WEEKDAYS[like.to_monday_zero_offset() as usize];
            faults.error(
                row.at(),
                format!("{date} is worked like {day}, on which nobody works"),
                "write a weekday that has working hours in jurisdiction.toml",
            );
        } else {
            rules.make_up_days.push(MakeUpDay { date, like });
        }
    }
    if faults.errors() > errors_before {
        return None;
    }
    match Calendar::new(rules) {
        Ok(calendar) => Some(calendar),
        Err(refusal) => {
            faults.refusal(
                At {
                    file: FILE,
                    line: Some(charter.week_line),
                },
                &refusal,
            );
            None
        }
    }
}

fn given_rest(rules: &CalendarRules, like: Weekday) -> bool {
    rules.week[like.to_monday_zero_offset() as usize].is_empty()
}

fn date(row: &Row, faults: &mut Faults) -> Option<Date> {
    let cell = row.cell("date");
    let date = read_date(cell);
    if date.is_none() {
        faults.error(
            row.at(),
            format!("date {} is no date", shown(cell)),
            "write it as 2026-10-01",
        );
    }
    date
}

/// The date that a cell names.
pub(crate) fn read_date(cell: &str) -> Option<Date> {
    // Spreadsheets write 2025/1/1 where 2025-01-01 was typed.
    let parts: Option<Vec<i16>> = cell
        .split(['-', '/', '.'])
        .map(|part| part.trim().parse().ok())
        .collect();
    match parts.as_deref() {
        Some([year, month, day]) if YEARS.contains(year) => i8::try_from(*month)
            .ok()
            .zip(i8::try_from(*day).ok())
            .and_then(|(month, day)| Date::new(*year, month, day).ok()),
        _ => None,
    }
}
