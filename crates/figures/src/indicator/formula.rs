//! What an indicator counts, in words made from its declaration: they cannot say something else than what is counted.

use whistle_domain::words::Lang;

use super::{
    Indicator, Subject, Unit,
    column::{Kind, Word},
    condition::{Code, Comparison, Condition, Measured, Point, Ref, Statistic},
};

impl Indicator {
    /// The formula as sentences.
    pub fn formula(&self, lang: Lang) -> String {
        let mut sentences = Vec::new();
        let rows = match lang {
            Lang::En => format!("Rows: {} {}", subject(self.subject, lang), self.rule.en),
            Lang::Zh => format!("范围：{}{}", self.rule.zh, subject(self.subject, lang)),
        };
        sentences.push(rows);
        let named = |zh: &str, en: &str, condition: &Condition| match lang {
            Lang::En => format!("{en}: {}", said(condition, lang)),
            Lang::Zh => format!("{zh}：{}", said(condition, lang)),
        };
        if let Some(measure) = &self.measure {
            sentences.push(measured(measure.statistic, &measure.of, lang));
            if self.denominator != Condition::Everything {
                sentences.push(named("只计", "Measured of those", &self.denominator));
            }
        } else if self.unit.is_share() {
            sentences.push(named("分子", "Counted", &self.numerator));
            sentences.push(named("分母", "Out of", &self.denominator));
        } else {
            sentences.push(named("计数", "Counted", &self.numerator));
        }
        if let Some(exclude) = &self.exclude {
            sentences.push(named("不计", "Left out", exclude));
        }
        let unit = match (self.unit, lang) {
            (Unit::Percent, Lang::En) => Some("In per cent of the denominator; none where that is empty"),
            (Unit::Percent, Lang::Zh) => Some("以分子占分母的百分比表示；分母为零时不计算"),
            (Unit::PerThousand, Lang::En) => {
                Some("For each thousand of the denominator; none where that is empty")
            }
            (Unit::PerThousand, Lang::Zh) => Some("以分子占分母的千分比表示；分母为零时不计算"),
            _ => None,
        };
        sentences.extend(unit.map(str::to_owned));
        match lang {
            Lang::En => format!("{}.", sentences.join(". ")),
            Lang::Zh => format!("{}。", sentences.join("。")),
        }
    }
}

fn subject(subject: Subject, lang: Lang) -> &'static str {
    match (subject, lang) {
        (Subject::Case, Lang::En) => "cases",
        (Subject::Case, Lang::Zh) => "案件",
        (Subject::Run, Lang::En) => "runs of clocks",
        (Subject::Run, Lang::Zh) => "计时",
        (Subject::Unit, Lang::En) => "units",
        (Subject::Unit, Lang::Zh) => "单位",
        (Subject::Station, Lang::En) => "stations",
        (Subject::Station, Lang::Zh) => "服务站",
        (Subject::Post, Lang::En) => "posts",
        (Subject::Post, Lang::Zh) => "岗位",
        (Subject::Area, Lang::En) => "areas",
        (Subject::Area, Lang::Zh) => "网格",
    }
}

fn measured(statistic: Statistic, of: &Measured, lang: Lang) -> String {
    let what = match (of, lang) {
        (Measured::Span(later, earlier), Lang::En) => {
            format!(
                "the time from {} to {}",
                point(*earlier, lang),
                point(*later, lang)
            )
        }
        (Measured::Span(later, earlier), Lang::Zh) => {
            format!("从{}到{}的时长", point(*earlier, lang), point(*later, lang))
        }
        (Measured::Count(at) | Measured::Distance(at), Lang::En) => format!("the {}", name(*at, lang)),
        (Measured::Count(at) | Measured::Distance(at), Lang::Zh) => name(*at, lang),
    };
    match (statistic, lang) {
        (Statistic::Percentile(50), Lang::En) => {
            format!("Median (nearest rank) of {what}, where it is known")
        }
        (Statistic::Percentile(50), Lang::Zh) => format!("取{what}的中位数（最近秩法），未知的不计"),
        (Statistic::Percentile(percent), Lang::En) => {
            format!("{percent}th percentile (nearest rank) of {what}, where it is known")
        }
        (Statistic::Percentile(percent), Lang::Zh) => {
            format!("取{what}的第 {percent} 百分位数（最近秩法），未知的不计")
        }
        (Statistic::Mean, Lang::En) => format!("Mean of {what}, where it is known"),
        (Statistic::Mean, Lang::Zh) => format!("取{what}的平均值，未知的不计"),
        (Statistic::Sum, Lang::En) => format!("Sum of {what}"),
        (Statistic::Sum, Lang::Zh) => format!("取{what}的合计"),
    }
}

fn name(at: Ref, lang: Lang) -> String {
    match (lang, at.of_case) {
        (Lang::En, false) => at.column.en.to_owned(),
        (Lang::En, true) => format!("{} (of the case)", at.column.en),
        (Lang::Zh, false) => at.column.zh.to_owned(),
        (Lang::Zh, true) => format!("案件的{}", at.column.zh),
    }
}

fn point(point: Point, lang: Lang) -> String {
    let fixed = match (point, lang) {
        (Point::Column(at), lang) => return name(at, lang),
        (Point::Start, Lang::En) => "the start of the period",
        (Point::Start, Lang::Zh) => "期初",
        (Point::End, Lang::En) => "the end of the period",
        (Point::End, Lang::Zh) => "期末",
        (Point::NextDay, Lang::En) => "the day after",
        (Point::NextDay, Lang::Zh) => "次日",
        (Point::DayAfter, Lang::En) => "the end of the day after",
        (Point::DayAfter, Lang::Zh) => "次日结束",
    };
    fixed.to_owned()
}

fn said(condition: &Condition, lang: Lang) -> String {
    match (condition, lang) {
        (Condition::Everything, Lang::En) => "all of them".to_owned(),
        (Condition::Everything, Lang::Zh) => "全部".to_owned(),
        (Condition::Flag(at), lang) => name(*at, lang),
        (Condition::Known(at), lang) => is_known(*at, lang, true),
        (Condition::Words(at, words), lang) => among(*at, &words_of(*at, words, lang), lang, true),
        (Condition::Codes(at, codes), lang) => among(*at, &codes_of(codes, lang), lang, true),
        (Condition::Count(at, comparison, number), lang) => {
            format!("{} {} {number}", name(*at, lang), sign(*comparison))
        }
        (Condition::Distance(at, comparison, metres), Lang::En) => {
            format!("{} {} {metres} m", name(*at, lang), sign(*comparison))
        }
        (Condition::Distance(at, comparison, metres), Lang::Zh) => {
            format!("{} {} {metres} 米", name(*at, lang), sign(*comparison))
        }
        (Condition::Moments(left, comparison, right), lang) => {
            let (left, right) = (point(*left, lang), point(*right, lang));
            match lang {
                Lang::En => format!("{left} {} {right}", order(*comparison, lang)),
                Lang::Zh => format!("{left}{}{right}", order(*comparison, lang)),
            }
        }
        (Condition::Span(later, earlier, comparison, seconds), Lang::En) => format!(
            "time from {} to {} {} {}",
            point(*earlier, lang),
            point(*later, lang),
            sign(*comparison),
            span(*seconds, lang),
        ),
        (Condition::Span(later, earlier, comparison, seconds), Lang::Zh) => format!(
            "从{}到{} {} {}",
            point(*earlier, lang),
            point(*later, lang),
            sign(*comparison),
            span(*seconds, lang),
        ),
        (Condition::Not(inner), lang) => denied(inner, lang),
        (Condition::All(parts), Lang::En) => joined(parts, " and ", lang),
        (Condition::All(parts), Lang::Zh) => joined(parts, "且", lang),
        (Condition::Any(parts), Lang::En) => joined(parts, " or ", lang),
        (Condition::Any(parts), Lang::Zh) => joined(parts, "或", lang),
    }
}

fn denied(inner: &Condition, lang: Lang) -> String {
    match (inner, lang) {
        (Condition::Flag(at), Lang::En) => format!("not {}", name(*at, lang)),
        (Condition::Flag(at), Lang::Zh) => format!("不属“{}”", name(*at, lang)),
        (Condition::Known(at), lang) => is_known(*at, lang, false),
        (Condition::Words(at, words), lang) => among(*at, &words_of(*at, words, lang), lang, false),
        (Condition::Codes(at, codes), lang) => among(*at, &codes_of(codes, lang), lang, false),
        (inner, Lang::En) => format!("not ({})", said(inner, lang)),
        (inner, Lang::Zh) => format!("并非（{}）", said(inner, lang)),
    }
}

fn joined(parts: &[Condition], word: &str, lang: Lang) -> String {
    let part = |part: &Condition| match (part, lang) {
        (Condition::All(_) | Condition::Any(_), Lang::En) => format!("({})", said(part, lang)),
        (Condition::All(_) | Condition::Any(_), Lang::Zh) => format!("（{}）", said(part, lang)),
        _ => said(part, lang),
    };
    parts.iter().map(part).collect::<Vec<_>>().join(word)
}

fn is_known(at: Ref, lang: Lang, is_known: bool) -> String {
    let name = name(at, lang);
    let is_moment = at.column.kind == Kind::Moment;
    match (lang, is_moment, is_known) {
        (Lang::En, true, true) => name,
        (Lang::En, true, false) => format!("not {name}"),
        (Lang::En, false, true) => format!("with a known {name}"),
        (Lang::En, false, false) => format!("without a known {name}"),
        (Lang::Zh, true, true) => format!("已{name}"),
        (Lang::Zh, true, false) => format!("未{name}"),
        (Lang::Zh, false, true) => format!("有{name}"),
        (Lang::Zh, false, false) => format!("无{name}"),
    }
}

fn words_of(at: Ref, words: &[u8], lang: Lang) -> Vec<String> {
    let Kind::Words(all) = at.column.kind else {
        return Vec::new();
    };
    let word = |place: &u8| all.get(usize::from(*place));
    let shown = |word: &Word| match lang {
        Lang::En => word.en.to_owned(),
        Lang::Zh => format!("“{}”", word.zh),
    };
    words.iter().filter_map(word).map(shown).collect()
}

fn codes_of(codes: &[Code], lang: Lang) -> Vec<String> {
    let shown = |code: &Code| match (code, lang) {
        (Code::One(code), Lang::En) => code.to_string(),
        (Code::One(code), Lang::Zh) => format!("“{code}”"),
        (Code::Group(code), Lang::En) => format!("any of group {code}"),
        (Code::Group(code), Lang::Zh) => format!("“{code}”组内各类"),
    };
    codes.iter().map(shown).collect()
}

fn among(at: Ref, words: &[String], lang: Lang, is_in: bool) -> String {
    let name = name(at, lang);
    match (lang, is_in) {
        (Lang::En, true) => format!("{name} is {}", words.join(" or ")),
        (Lang::En, false) => format!("{name} is not {}", words.join(" nor ")),
        (Lang::Zh, true) => format!("{name}为{}", words.join("或")),
        (Lang::Zh, false) => format!("{name}不是{}", words.join("，也不是")),
    }
}

fn order(comparison: Comparison, lang: Lang) -> &'static str {
    match (comparison, lang) {
        (Comparison::Equal, Lang::En) => "at the same moment as",
        (Comparison::Equal, Lang::Zh) => "等于",
        (Comparison::Unequal, Lang::En) => "at another moment than",
        (Comparison::Unequal, Lang::Zh) => "不等于",
        (Comparison::Less, Lang::En) => "before",
        (Comparison::Less, Lang::Zh) => "早于",
        (Comparison::AtMost, Lang::En) => "no later than",
        (Comparison::AtMost, Lang::Zh) => "不晚于",
        (Comparison::More, Lang::En) => "after",
        (Comparison::More, Lang::Zh) => "晚于",
        (Comparison::AtLeast, Lang::En) => "no earlier than",
        (Comparison::AtLeast, Lang::Zh) => "不早于",
    }
}

fn sign(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Equal => "=",
        Comparison::Unequal => "≠",
        Comparison::AtMost => "≤",
        Comparison::AtLeast => "≥",
        other => other.as_str(),
    }
}

fn span(seconds: u32, lang: Lang) -> String {
    const UNITS: [(u32, &str, &str); 3] = [(86_400, "天", "d"), (3_600, "小时", "h"), (60, "分钟", "min")];
    let unit = UNITS
        .iter()
        .find(|(unit, _, _)| seconds > 0 && seconds.is_multiple_of(*unit));
    let (unit, zh, en) = unit.copied().unwrap_or((1, "秒", "s"));
    match lang {
        Lang::En => format!("{} {en}", seconds / unit),
        Lang::Zh => format!("{} {zh}", seconds / unit),
    }
}
