//! The columns that a condition may name: what each is called, what kind of thing is in it, and how it is said in a sentence.
//!
//! The tables in here are what `docs/place-folder.md` prints; a test holds the two in step.

use super::Subject;
use crate::facts::flag;

/// A word that a column may hold.
#[derive(Debug, PartialEq, Eq)]
pub struct Word {
    /// As it is written in a condition; its place in the list is what the column holds.
    pub code: &'static str,
    /// In a Chinese sentence.
    pub zh: &'static str,
    /// In an English sentence.
    pub en: &'static str,
}

const fn word(code: &'static str, zh: &'static str, en: &'static str) -> Word {
    Word { code, zh, en }
}

/// What a code is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeOf {
    /// An area, and all that lies below it.
    Area,
    /// A service; `group:CODE` stands for all services of a group.
    Service,
    /// A standard.
    Standard,
    /// A unit.
    Unit,
}

impl CodeOf {
    /// In a fault.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Area => "area",
            Self::Service => "service",
            Self::Standard => "standard",
            Self::Unit => "unit",
        }
    }
}

/// What kind of thing is in a column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// Yes or no.
    Flag,
    /// One of a few words, or none.
    Words(&'static [Word]),
    /// A code of the place, or none.
    Codes(CodeOf),
    /// A small whole number.
    Count,
    /// Metres, or unknown.
    Distance,
    /// A moment, or never.
    Moment,
}

/// Where a column lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Source {
    /// A bit of the flags.
    Flag(u32),
    /// The area a row was filed under.
    Area,
    /// The service.
    Service,
    /// The standard.
    Standard,
    /// The unit.
    Unit,
    /// A column of bytes.
    Byte(Byte),
    /// Tens of metres to the nearest station.
    Distance,
    /// A column of moments.
    Moment(Moment),
}

/// Columns of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each is the column of the facts of that name")]
pub enum Byte {
    Channel,
    Stage,
    Outcome,
    Rating,
    Reports,
    Returned,
    Reworked,
    Reopened,
    Extended,
    RunKind,
    Ended,
    UnitKind,
    Level,
}

/// Columns of moments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each is the column of the facts of that name")]
pub enum Moment {
    Reported,
    Accepted,
    Dispatched,
    Arrived,
    Handled,
    Closed,
    Due,
    Started,
    RunDue,
    Stopped,
}

/// One column of one subject.
#[derive(Debug, PartialEq)]
pub struct Column {
    /// As it is written in a condition.
    pub name: &'static str,
    /// What is in it.
    pub kind: Kind,
    /// Where it lies.
    pub source: Source,
    /// In a Chinese sentence: of a flag or a moment that it is so, of other columns their name.
    pub zh: &'static str,
    /// In an English sentence.
    pub en: &'static str,
}

const fn column(
    name: &'static str,
    kind: Kind,
    source: Source,
    zh: &'static str,
    en: &'static str,
) -> Column {
    Column {
        name,
        kind,
        source,
        zh,
        en,
    }
}

const fn is(name: &'static str, bit: u32, zh: &'static str, en: &'static str) -> Column {
    column(name, Kind::Flag, Source::Flag(bit), zh, en)
}

const fn when(name: &'static str, moment: Moment, zh: &'static str, en: &'static str) -> Column {
    column(name, Kind::Moment, Source::Moment(moment), zh, en)
}

const fn count(name: &'static str, byte: Byte, zh: &'static str, en: &'static str) -> Column {
    column(name, Kind::Count, Source::Byte(byte), zh, en)
}

const fn words(
    name: &'static str,
    words: &'static [Word],
    byte: Byte,
    zh: &'static str,
    en: &'static str,
) -> Column {
    column(name, Kind::Words(words), Source::Byte(byte), zh, en)
}

/// In the order of `whistle_domain::case::Channel`.
pub const CHANNELS: &[Word] = &[
    word("web", "网页", "web"),
    word("phone", "电话", "phone"),
    word("counter", "窗口", "counter"),
    word("patrol", "巡查", "patrol"),
    word("open311", "Open311 接口", "Open311"),
    word("api", "程序接口", "API"),
    word("import", "历史导入", "import"),
];

/// In the order of `whistle_domain::case::Stage::ALL`.
pub const STAGES: &[Word] = &[
    word("reported", "待受理", "reported"),
    word("accepted", "已立案", "accepted"),
    word("assigned", "已派遣", "assigned"),
    word("in_progress", "处置中", "in progress"),
    word("handled", "待核查", "handled"),
    word("closed", "已结案", "closed"),
    word("reopen_requested", "申请重办", "reopening asked for"),
];

/// In the order of `whistle_domain::case::Outcome::ALL`.
pub const OUTCOMES: &[Word] = &[
    word("resolved", "已解决", "resolved"),
    word("partly_resolved", "部分解决", "partly resolved"),
    word("explained", "已解释说明", "explained"),
    word("declined", "不予受理", "declined"),
    word("duplicate", "重复上报", "duplicate"),
    word("referred", "已转交其他部门", "referred"),
    word("withdrawn", "上报人撤回", "withdrawn"),
    word("unfounded", "查无此事", "unfounded"),
];

/// In the order of `whistle_domain::case::Rating::ALL`.
pub const RATINGS: &[Word] = &[
    word("good", "满意", "good"),
    word("fair", "一般", "fair"),
    word("poor", "不满意", "poor"),
];

/// In the order of `whistle_domain::clock::ClockKind::ALL`.
pub const RUN_KINDS: &[Word] = &[
    word("triage", "受理派遣", "triage"),
    word("sign", "签收", "signing"),
    word("contact", "对接", "contact"),
    word("report_in", "报到", "reporting in"),
    word("resolve", "处置", "handling"),
    word("verify", "核查", "verification"),
    word("leave", "离场", "leaving"),
    word("joint", "协办", "a joint part"),
];

/// In the order of [`crate::facts::Ended`].
pub const ENDINGS: &[Word] = &[
    word("running", "计时中", "running"),
    word("standing", "暂停计时", "standing still"),
    word("done", "已完成", "done"),
    word("returned", "已退回", "returned"),
    word("dropped", "已作废", "dropped"),
];

/// In the order of `whistle_domain::place::UnitKind`.
pub const UNIT_KINDS: &[Word] = &[
    word("department", "部门", "department"),
    word("team", "班组", "team"),
    word("station", "服务站", "station"),
];

/// In the order of `whistle_domain::place::Level::ALL`.
pub const LEVELS: &[Word] = &[
    word("city", "全市", "city"),
    word("town", "镇街", "town"),
    word("community", "社区", "community"),
    word("cell", "网格", "cell"),
];

const CASE: &[Column] = &[
    column(
        "area",
        Kind::Codes(CodeOf::Area),
        Source::Area,
        "所属网格",
        "area",
    ),
    column(
        "service",
        Kind::Codes(CodeOf::Service),
        Source::Service,
        "类别",
        "service",
    ),
    column(
        "standard",
        Kind::Codes(CodeOf::Standard),
        Source::Standard,
        "立结案标准",
        "standard",
    ),
    column(
        "unit",
        Kind::Codes(CodeOf::Unit),
        Source::Unit,
        "主办单位",
        "leading unit",
    ),
    words("channel", CHANNELS, Byte::Channel, "上报渠道", "channel"),
    words("stage", STAGES, Byte::Stage, "办理阶段", "stage"),
    words("outcome", OUTCOMES, Byte::Outcome, "办理结果", "outcome"),
    words("rating", RATINGS, Byte::Rating, "评价", "rating"),
    count("reports", Byte::Reports, "上报次数", "number of reports"),
    count("returned", Byte::Returned, "退回次数", "number of returns"),
    count("reworked", Byte::Reworked, "返工次数", "number of reworks"),
    count("reopened", Byte::Reopened, "重办次数", "number of reopenings"),
    count("extended", Byte::Extended, "延期次数", "number of extensions"),
    column(
        "distance",
        Kind::Distance,
        Source::Distance,
        "距最近服务站的距离",
        "distance to the nearest station",
    ),
    is("public", flag::PUBLIC, "公开", "public"),
    is("classed", flag::CLASSED, "属限阅类别", "in a class of access"),
    is("parked", flag::PARKED, "正在挂账", "parked now"),
    is("was_parked", flag::WAS_PARKED, "曾挂账", "parked at least once"),
    is("on_the_spot", flag::ON_THE_SPOT, "当场处置", "fixed on the spot"),
    is("recheck", flag::RECHECK, "被抽中复查", "drawn for a re-check"),
    is("supervised", flag::SUPERVISED, "曾督办", "supervised"),
    is("escalated", flag::ESCALATED, "曾催办升级", "escalated"),
    is("whistled", flag::WHISTLED, "曾吹哨", "whistled"),
    is("joint", flag::JOINT, "有协办单位", "handled jointly"),
    is("asked", flag::ASKED, "曾向上报人询问", "asked back about"),
    is("handled_late", flag::HANDLED_LATE, "超期处置", "handled late"),
    is(
        "dispatched_late",
        flag::DISPATCHED_LATE,
        "超期派遣",
        "dispatched late",
    ),
    is("verified_late", flag::VERIFIED_LATE, "超期核查", "verified late"),
    is("imported", flag::IMPORTED, "来自历史导入", "imported"),
    is("by_public", flag::BY_PUBLIC, "由群众上报", "told by the public"),
    is("proved", flag::PROVED, "有处置后照片", "proved by a photo"),
    when("reported", Moment::Reported, "上报", "reported"),
    when("accepted", Moment::Accepted, "受理", "accepted"),
    when("dispatched", Moment::Dispatched, "派遣", "dispatched"),
    when("arrived", Moment::Arrived, "到场", "reached"),
    when("handled", Moment::Handled, "处置完成", "handled"),
    when("closed", Moment::Closed, "结案", "closed"),
    when("due", Moment::Due, "处置到期", "due"),
];

const RUN: &[Column] = &[
    words("kind", RUN_KINDS, Byte::RunKind, "时限种类", "kind of clock"),
    words("ended", ENDINGS, Byte::Ended, "计时结果", "ending"),
    column(
        "unit",
        Kind::Codes(CodeOf::Unit),
        Source::Unit,
        "承办单位",
        "unit",
    ),
    when("started", Moment::Started, "开始计时", "started"),
    when("due", Moment::RunDue, "到期", "due"),
    when("stopped", Moment::Stopped, "停止计时", "stopped"),
];

const LOCATED: u32 = 1;
const REACHABLE: u32 = 1 << 1;
pub(super) const WITH_POST: u32 = 1 << 2;
pub(super) const WITH_STATION: u32 = 1 << 3;
pub(super) const HELD: u32 = 1 << 4;
pub(super) const UNIT_FLAGS: [u32; 2] = [LOCATED, REACHABLE];

const UNIT: &[Column] = &[
    column(
        "area",
        Kind::Codes(CodeOf::Area),
        Source::Area,
        "所属网格",
        "area",
    ),
    column("unit", Kind::Codes(CodeOf::Unit), Source::Unit, "单位", "unit"),
    words("kind", UNIT_KINDS, Byte::UnitKind, "单位种类", "kind"),
    words("level", LEVELS, Byte::Level, "所在层级", "level"),
    is("located", LOCATED, "有地址坐标", "located"),
    is(
        "reachable",
        REACHABLE,
        "有公开电话或邮箱",
        "reachable by telephone or mail",
    ),
    is("with_post", WITH_POST, "设有岗位", "with a post"),
];

const POST: &[Column] = &[
    column(
        "area",
        Kind::Codes(CodeOf::Area),
        Source::Area,
        "负责网格",
        "area",
    ),
    column(
        "unit",
        Kind::Codes(CodeOf::Unit),
        Source::Unit,
        "所属单位",
        "unit",
    ),
    words("kind", UNIT_KINDS, Byte::UnitKind, "单位种类", "kind of unit"),
    words("level", LEVELS, Byte::Level, "所在层级", "level"),
    is("held", HELD, "有人在岗", "held"),
];

const AREA: &[Column] = &[
    column("area", Kind::Codes(CodeOf::Area), Source::Area, "网格", "area"),
    words("level", LEVELS, Byte::Level, "层级", "level"),
    is("with_station", WITH_STATION, "设有服务站", "with a station"),
    is("with_post", WITH_POST, "设有岗位", "with a post"),
];

/// The columns of a subject.
pub const fn columns(subject: Subject) -> &'static [Column] {
    match subject {
        Subject::Case => CASE,
        Subject::Run => RUN,
        Subject::Unit | Subject::Station => UNIT,
        Subject::Post => POST,
        Subject::Area => AREA,
    }
}

#[cfg(test)]
mod tests {
    use whistle_domain::{
        case::{Channel, Outcome, Rating, Stage},
        clock::ClockKind,
        place::Level,
    };

    use super::*;

    #[test]
    fn the_words_stand_in_the_order_of_the_columns() {
        let codes = |words: &[Word]| words.iter().map(|word| word.code).collect::<Vec<_>>();
        assert_eq!(codes(STAGES), Stage::ALL.map(Stage::as_str));
        assert_eq!(codes(OUTCOMES), Outcome::ALL.map(Outcome::as_str));
        assert_eq!(codes(RATINGS), Rating::ALL.map(Rating::as_str));
        assert_eq!(codes(RUN_KINDS), ClockKind::ALL.map(ClockKind::as_str));
        assert_eq!(codes(LEVELS), Level::ALL.map(Level::as_str));
        let channels = [
            Channel::Web,
            Channel::Phone,
            Channel::Counter,
            Channel::Patrol,
            Channel::Open311,
            Channel::Api,
            Channel::Import,
        ];
        assert_eq!(codes(CHANNELS), channels.map(Channel::as_str));
    }

    #[test]
    fn the_docs_tell_of_every_column_and_every_rule() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/place-folder.md");
        let docs = std::fs::read_to_string(path).unwrap();
        for column in Subject::ALL.into_iter().flat_map(columns) {
            let (kind, words) = match column.kind {
                Kind::Flag => ("yes or no", String::new()),
                Kind::Words(words) => {
                    let words: Vec<String> = words.iter().map(|word| format!("`{}`", word.code)).collect();
                    ("word", words.join(", "))
                }
                Kind::Codes(CodeOf::Service) => ("code", "codes, `group:CODE`".to_owned()),
                Kind::Codes(_) => ("code", "codes".to_owned()),
                Kind::Count => ("number", String::new()),
                Kind::Distance => ("distance", String::new()),
                Kind::Moment => ("moment", String::new()),
            };
            let line = format!("| `{}` | {kind}: {} | {words} |", column.name, column.en);
            let line = line.replace("|  |", "| |");
            assert!(docs.contains(&line), "docs/place-folder.md lacks {line}");
        }
        for rule in super::super::RULES {
            assert!(
                docs.contains(&format!("`{}`", rule.name)),
                "docs/place-folder.md lacks {}",
                rule.name
            );
        }
    }
}
