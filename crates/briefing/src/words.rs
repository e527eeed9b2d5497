//! The words of a briefing that are not the template's.

use jiff::civil::Date;
use whistle_domain::words::Lang;

use crate::evidence::Period;

/// A word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each stands in the table below")]
pub enum Word {
    Area,
    Unit,
    Service,
    Channel,
    Day,
    Week,
    Month,
    Hour,
    Whole,
    Before,
    LastYear,
    ThanBefore,
    ThanLastYear,
    NoComparison,
    Unchanged,
    More,
    Less,
    Higher,
    Lower,
    Longer,
    Shorter,
    Contents,
    Annex,
    AnnexNumbers,
    AnnexTyped,
    AnnexLeftOut,
    Basis,
    ComputedAt,
    DataHash,
    TemplateHash,
    Number,
    Indicator,
    Formula,
    Of,
    Period,
    Value,
    Counted,
    Evidence,
    File,
    Line,
    TypedLegend,
    ChangedLegend,
    WasIn,
    LeftOut,
    Nothing,
    ChartData,
    Page,
    Everywhere,
    Story,
    NeededData,
    Part,
    ListSeparator,
}

/// A word in a language.
pub const fn word(lang: Lang, word: Word) -> &'static str {
    let (zh, en) = match word {
        Word::Area => ("网格", "Area"),
        Word::Unit => ("单位", "Unit"),
        Word::Service => ("类别", "Service"),
        Word::Channel => ("渠道", "Channel"),
        Word::Day => ("日", "Day"),
        Word::Week => ("周", "Week"),
        Word::Month => ("月份", "Month"),
        Word::Hour => ("时段", "Hour"),
        Word::Whole => ("合计", "Whole"),
        Word::Before | Word::ThanBefore => ("上期", "the period before"),
        Word::LastYear => ("上年同期", "a year before"),
        Word::ThanLastYear => ("上年同期", "the same period of last year"),
        Word::NoComparison => ("{than}无可比数据", "with nothing to compare in {than}"),
        Word::Unchanged => ("与{than}持平", "as in {than}"),
        Word::More => ("比{than}增加{by}", "{by} more than in {than}"),
        Word::Less => ("比{than}减少{by}", "{by} fewer than in {than}"),
        Word::Higher => ("比{than}提高{by}", "{by} higher than in {than}"),
        Word::Lower => ("比{than}下降{by}", "{by} lower than in {than}"),
        Word::Longer => ("比{than}延长{by}", "{by} longer than in {than}"),
        Word::Shorter => ("比{than}缩短{by}", "{by} shorter than in {than}"),
        Word::Contents => ("目录", "Contents"),
        Word::Annex => ("附件：数据依据", "Annex: what the numbers stand on"),
        Word::AnnexNumbers => ("指标与数据", "Indicators and numbers"),
        Word::AnnexTyped => ("手工填写的数字", "Numbers typed by hand"),
        Word::AnnexLeftOut => ("略去的章节", "Parts left out"),
        Word::Basis => ("数据基准", "Basis"),
        Word::ComputedAt => ("统计时间", "Counted at"),
        Word::DataHash => ("数据校验值", "Hash of the data"),
        Word::TemplateHash => ("模板校验值", "Hash of the template"),
        Word::Number => ("序号", "No."),
        Word::Indicator => ("指标", "Indicator"),
        Word::Formula => ("口径", "Formula"),
        Word::Of => ("范围", "Of"),
        Word::Period => ("时段", "Period"),
        Word::Value => ("数值", "Value"),
        Word::Counted => ("分子／分母", "Counted / of"),
        Word::Evidence => ("明细", "Rows"),
        Word::File => ("文件", "File"),
        Word::Line => ("行", "Line"),
        Word::TypedLegend => (
            "† 该数字由编写人手工填写，不是由系统统计得出。",
            "† typed by whoever wrote the template, not counted by the system.",
        ),
        Word::ChangedLegend => (
            "‡ 该数字的底层数据在上次发布后有变动，括号内为当时的数值。",
            "‡ the data behind this number changed since it was issued; what it was then stands in brackets.",
        ),
        Word::WasIn => ("第{issue}期发布时为{old}", "{old} in issue {issue}"),
        Word::LeftOut => (
            "“{title}”所需的数据（{needs}）系统内尚未产生，本次从略。",
            "“{title}” is left out: the data it needs ({needs}) is not in the system yet.",
        ),
        Word::Nothing => ("— 无数据", "— nothing to count"),
        Word::ChartData => ("图表数据", "The numbers of the chart"),
        Word::Page => ("第 {page} 页，共 {pages} 页", "Page {page} of {pages}"),
        Word::Everywhere => ("全域", "the whole place"),
        Word::Story => ("典型事例", "A case in point"),
        Word::NeededData => ("所需数据", "Data it needs"),
        Word::Part => ("章节", "Part"),
        Word::ListSeparator => ("、", ", "),
    };
    match lang {
        Lang::Zh => zh,
        Lang::En => en,
    }
}

/// What a chapter may need: the word of the template, and how it is said.
pub(crate) const NEEDS: [(&str, &str, &str); 17] = [
    ("posts", "岗位", "posts"),
    ("training", "培训", "training"),
    ("works", "项目", "works"),
    ("activities", "活动", "activities"),
    ("job_fairs", "招聘会", "job fairs"),
    ("volunteers", "志愿服务", "volunteers"),
    ("boards", "公示栏", "notice boards"),
    ("assets", "部件", "assets"),
    ("recognitions", "表彰", "recognitions"),
    ("stations", "站点", "stations"),
    ("rounds", "巡查", "rounds"),
    ("cases", "案件", "cases"),
    ("whistles", "吹哨", "whistles"),
    ("legal", "法律服务预约", "legal-service appointments"),
    ("mediation", "调解", "mediation"),
    ("ratings", "满意度评价", "ratings"),
    ("works_money", "项目资金", "money of works"),
];

pub(crate) fn need(lang: Lang, need: &str) -> String {
    let known = NEEDS.iter().find(|(known, ..)| *known == need);
    match (known, lang) {
        (Some((_, zh, _)), Lang::Zh) => (*zh).to_owned(),
        (Some((_, _, en)), Lang::En) => (*en).to_owned(),
        (None, _) => need.to_owned(),
    }
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

pub(crate) fn of_day(lang: Lang, day: Date) -> String {
    let (year, month, date) = (day.year(), day.month(), day.day());
    match lang {
        Lang::Zh => format!("{year}年{month}月{date}日"),
        Lang::En => format!("{date} {} {year}", MONTHS[month as usize - 1]),
    }
}

/// A period in words: a year, its half, a quarter, a month where it is one.
pub fn of_period(lang: Lang, period: Period) -> String {
    let (from, to) = (period.from, period.to);
    let (year, first) = (from.year(), from.month());
    let whole = period.is_months() && to.year() == year;
    match (whole, period.months(), first) {
        (true, 12, _) => match lang {
            Lang::Zh => format!("{year}年"),
            Lang::En => year.to_string(),
        },
        (true, 6, 1 | 7) => match lang {
            Lang::Zh => format!("{year}年{}半年", if first == 1 { "上" } else { "下" }),
            Lang::En => format!(
                "the {} half of {year}",
                if first == 1 { "first" } else { "second" }
            ),
        },
        (true, 3, 1 | 4 | 7 | 10) => {
            let quarter = first as usize / 3;
            match lang {
                Lang::Zh => format!("{year}年第{}季度", ["一", "二", "三", "四"][quarter]),
                Lang::En => format!(
                    "the {} quarter of {year}",
                    ["first", "second", "third", "fourth"][quarter]
                ),
            }
        }
        (true, 1, _) => match lang {
            Lang::Zh => format!("{year}年{first}月"),
            Lang::En => format!("{} {year}", MONTHS[first as usize - 1]),
        },
        (true, ..) => {
            let last = to.month();
            match lang {
                Lang::Zh => format!("{year}年{first}月至{last}月"),
                Lang::En => format!(
                    "{} to {} {year}",
                    MONTHS[first as usize - 1],
                    MONTHS[last as usize - 1]
                ),
            }
        }
        _ => match lang {
            Lang::Zh => format!("{}至{}", of_day(lang, from), of_day(lang, to)),
            Lang::En => format!("{} to {}", of_day(lang, from), of_day(lang, to)),
        },
    }
}
