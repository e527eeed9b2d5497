//! services.csv and questions.csv: what may be asked for, and what is asked in return.

use whistle_domain::{
    place::{Datatype, Question, Service},
    rights::Access,
    words::{ServiceCode, Text},
};

use crate::{
    fault::Faults,
    table::{Codes, Layout, NAME, Row, Table, carried, filled, free},
    text::shown,
};

pub(crate) const SERVICES: Layout = Layout {
    file: "services.csv",
    row: "service",
    columns: &[
        filled("code", &["编码", "编号", "小类编码", "小类代码", "代码"]),
        carried("group", &["大类", "大类编码", "大类代码"]),
        filled("name", &["名称", "名稱", "小类", "小类名称"]),
        NAME[1],
        NAME[2],
        free("description", &["说明", "描述"]),
        free("description_zh", &["中文说明"]),
        free("description_en", &["英文说明"]),
        free("keywords", &["关键词", "关键字"]),
        free("public", &["公开", "对外"]),
        free("shown", &["案件公开"]),
        free("access", &["可见级别"]),
    ],
};

pub(crate) const QUESTIONS: Layout = Layout {
    file: "questions.csv",
    row: "question",
    columns: &[
        carried("service", &["小类", "小类编码", "小类代码", "类别"]),
        filled("code", &["编码", "编号", "代码"]),
        filled("datatype", &["类型", "数据类型"]),
        free("variable", &["可填"]),
        free("required", &["必填"]),
        filled("label", &["问题", "标签"]),
        free("label_zh", &["中文问题"]),
        free("label_en", &["英文问题"]),
        free("hint", &["提示"]),
        free("hint_zh", &["中文提示"]),
        free("hint_en", &["英文提示"]),
        free("values", &["选项", "取值"]),
    ],
};

/// What stands in the column `group` of a group.
const NO_GROUP: [&str; 3] = ["-", "—", "–"];
/// The most values of a list.
const MAX_VALUES: usize = 200;

const DATATYPES: [(&str, Datatype); 12] = [
    ("string", Datatype::String),
    ("number", Datatype::Number),
    ("datetime", Datatype::Datetime),
    ("text", Datatype::Text),
    ("singlevaluelist", Datatype::SingleValueList),
    ("multivaluelist", Datatype::MultiValueList),
    ("单行文字", Datatype::String),
    ("数字", Datatype::Number),
    ("日期", Datatype::Datetime),
    ("多行文字", Datatype::Text),
    ("单选", Datatype::SingleValueList),
    ("多选", Datatype::MultiValueList),
];

/// What Whistle never asks a person for (§1), each with the words by which a question for it is known. English and
/// other alphabetic words match whole words; Chinese ones match anywhere.
const NEVER_ASKED: [(&str, &[&str]); 5] = [
    (
        "ethnicity",
        &[
            "民族",
            "族别",
            "族裔",
            "種族",
            "种族",
            "ethnicity",
            "ethnic",
            "race",
            "racial",
            "ethnie",
            "rasse",
            "herkunftsethnie",
        ],
    ),
    (
        "religion",
        &[
            "宗教",
            "信仰",
            "religion",
            "religious",
            "faith",
            "church membership",
            "konfession",
            "religiös",
        ],
    ),
    (
        "political view",
        &[
            "政治",
            "党派",
            "黨派",
            "党员",
            "黨員",
            "political",
            "politics",
            "party membership",
            "party member",
            "politisch",
            "politique",
        ],
    ),
    (
        "health",
        &[
            "健康",
            "病史",
            "疾病",
            "病情",
            "残疾",
            "殘疾",
            "health condition",
            "health status",
            "state of health",
            "your health",
            "medical history",
            "medical condition",
            "medical record",
            "illness",
            "disability",
            "disabled",
            "diagnosis",
            "gesundheitszustand",
            "krankheit",
        ],
    ),
    (
        "identity papers",
        &[
            "身份证",
            "身份證",
            "身分證",
            "证件号",
            "證件號",
            "护照",
            "護照",
            "户口",
            "戶口",
            "社保号",
            "id card",
            "id number",
            "identity card",
            "identity number",
            "identity document",
            "national id",
            "passport",
            "passport number",
            "social security",
            "ssn",
            "ausweis",
            "ausweisnummer",
            "ahv",
        ],
    ),
];

/// What a question must not ask: the matter it is about, when it is one of those.
fn never_asked(wording: &str) -> Option<&'static str> {
    let lower = wording.to_lowercase();
    let packed: String = lower.chars().filter(|c| !c.is_whitespace()).collect();
    let words: Vec<&str> = lower
        .split(|c: char| !c.is_alphanumeric())
        .filter(|w| !w.is_empty())
        .collect();
    let spaced = format!(" {} ", words.join(" "));
    let is_asked = |sought: &str| {
        if sought.is_ascii() || sought.contains('ö') {
            spaced.contains(&format!(" {sought} ")) || spaced.contains(&format!(" {sought}s "))
        } else {
            packed.contains(sought)
        }
    };
    let found = NEVER_ASKED
        .iter()
        .find(|(_, words)| words.iter().any(|word| is_asked(word)));
    found.map(|(matter, _)| *matter)
}

/// The groups and services as far as they could be read, and all their codes.
#[derive(Debug)]
pub(crate) struct ServiceBook {
    pub services: Vec<Service>,
    pub codes: Codes,
    groups: Vec<String>,
}

impl ServiceBook {
    /// The codes of all services that are no groups, in order.
    pub fn known(&self) -> Vec<String> {
        let mut known = self.codes.known();
        known.retain(|code| !self.is_group(code));
        known
    }

    /// The codes of all groups, in order.
    pub fn groups(&self) -> Vec<String> {
        let mut groups = self.groups.clone();
        groups.sort_unstable();
        groups
    }

    /// Whether the code is a group's.
    pub fn is_group(&self, code: &str) -> bool {
        self.groups.iter().any(|group| group == code)
    }
}

/// Reads services.csv.
pub(crate) fn read_services(table: &Table, faults: &mut Faults) -> ServiceBook {
    let mut codes = table.codes("service");
    let mut services = Vec::new();
    let is_group = |row: &&Row| NO_GROUP.contains(&row.cell("group"));
    let groups: Vec<String> = table
        .rows
        .iter()
        .filter(is_group)
        .map(|row| row.cell("code").to_owned())
        .collect();
    for row in &table.rows {
        let code = row.value("code", faults);
        let is_new = codes.add(row.cell("code"), row.at(), faults);
        let group: Option<ServiceCode> = if is_group(&row) {
            None
        } else {
            row.value("group", faults)
        };
        let public = row.yes_no("public", true, faults);
        let access = access(row, public, faults);
        if let (Some(code), true) = (code, is_new) {
            services.push(Service {
                code,
                group,
                name: row.text("name"),
                description: row.text("description"),
                keywords: row.parts("keywords").map(str::to_owned).collect(),
                public,
                access,
                questions: Vec::new(),
            });
        }
    }
    for row in table.rows.iter().filter(|row| !is_group(row)) {
        let group = row.cell("group");
        if groups.iter().any(|known| known == group) {
            continue;
        }
        if codes.line(group).is_some() {
            faults.error(
                row.at(),
                format!("{} is a service, not a group", shown(group)),
                "name a row whose group is -",
            );
        } else {
            let otherwise = "add a row for it whose group is -";
            let mend = crate::text::did_you_mean(group, groups.iter().map(String::as_str), otherwise);
            faults.error(row.at(), format!("group {} is not known", shown(group)), mend);
        }
    }
    for group in &groups {
        let is_used = table.rows.iter().any(|row| row.cell("group") == group);
        if !is_used {
            faults.warn(
                crate::fault::at(SERVICES.file, codes.line(group).unwrap_or(1)),
                format!("group {} has no service", shown(group)),
                "add one, or remove the group",
            );
        }
    }
    ServiceBook {
        services,
        codes,
        groups,
    }
}

/// For whose eyes the cases of a service are. The column `shown` says the same in fewer words, where there is no class.
fn access(row: &Row, public: bool, faults: &mut Faults) -> Access {
    let shown = row.yes_no("shown", public, faults);
    let access = crate::units::access(row.cell("access"), row, faults);
    if let Some(access) = &access
        && !row.cell("shown").is_empty()
        && shown != (*access == Access::Public)
    {
        let what = format!(
            "shown {} and access {access} contradict each other",
            row.cell("shown")
        );
        faults.error(row.at(), what, "leave shown blank where access is filled in");
    }
    access.unwrap_or(if shown { Access::Public } else { Access::Staff })
}

/// Reads questions.csv into the services that it is about.
pub(crate) fn read_questions(table: &Table, book: Option<&mut ServiceBook>, faults: &mut Faults) {
    let mut asked = std::collections::HashMap::new();
    let mut questions: Vec<(String, Question)> = Vec::new();
    for row in &table.rows {
        let service = row.cell("service");
        let code = row.cell("code");
        if let Some(book) = &book
            && book.codes.expect(service, row.at(), faults)
            && book.is_group(service)
        {
            let what = format!("{} is a group, which no case can have", shown(service));
            faults.error(row.at(), what, "ask the question for each of its services");
        }
        // The same rule as for other codes: they become names of fields.
        if let Err(refusal) = code.parse::<ServiceCode>() {
            faults.refusal(row.at(), &refusal);
        }
        if let Some(first) = asked.insert((service.to_owned(), code.to_owned()), row.line()) {
            faults.error(
                row.at(),
                format!(
                    "question {} of service {} is already on line {first}",
                    shown(code),
                    shown(service)
                ),
                "give each question of a service its own code",
            );
        }
        refuse_sensitive(row, faults);
        let datatype = row.word("datatype", &DATATYPES, faults);
        let variable = row.yes_no("variable", true, faults);
        let required = row.yes_no("required", false, faults);
        if required && !variable {
            let what = "nothing can be answered where variable is no, yet it is required";
            faults.error(row.at(), what, "write required no");
        }
        let values = values(row, datatype, faults);
        if let Some(datatype) = datatype {
            let question = Question {
                code: code.to_owned(),
                datatype,
                variable,
                required,
                label: row.text("label"),
                hint: row.text("hint"),
                values,
            };
            questions.push((service.to_owned(), question));
        }
    }
    let Some(book) = book else {
        return;
    };
    for (code, question) in questions {
        let service = book.services.iter_mut().find(|s| s.code.as_str() == code);
        if let Some(service) = service {
            service.questions.push(question);
        }
    }
}

fn refuse_sensitive(row: &Row, faults: &mut Faults) {
    let worded = [
        "code", "label", "label_zh", "label_en", "hint", "hint_zh", "hint_en", "values",
    ];
    let matter = worded.iter().find_map(|column| never_asked(row.cell(column)));
    if let Some(matter) = matter {
        faults.error(
            row.at(),
            format!(
                "question {} asks for {matter}, which Whistle never stores",
                shown(row.cell("code"))
            ),
            "remove it; where papers must be shown, ask whether they were seen",
        );
    }
}

/// `key=name` or `key=zh/en`, separated by `|`.
fn values(row: &Row, datatype: Option<Datatype>, faults: &mut Faults) -> Vec<(String, Text)> {
    let is_list = matches!(
        datatype,
        Some(Datatype::SingleValueList | Datatype::MultiValueList)
    );
    let mut values: Vec<(String, Text)> = Vec::new();
    for part in row.parts("values") {
        let (key, name) = part
            .split_once('=')
            .map_or((part, part), |(key, name)| (key.trim(), name.trim()));
        if key.is_empty() || name.is_empty() {
            let what = format!("value {} is not readable", shown(part));
            faults.error(
                row.at(),
                what,
                "write key=name or key=中文/English, separated by |",
            );
        } else if values.iter().any(|(other, _)| other == key) {
            faults.error(
                row.at(),
                format!("value {} is there twice", shown(key)),
                "remove one of them",
            );
        } else {
            let text = match name.split_once('/') {
                Some((zh, en)) => Text::both(zh.trim(), en.trim()),
                None => Text::plain(name),
            };
            values.push((key.to_owned(), text));
        }
    }
    if is_list && values.is_empty() {
        faults.error(
            row.at(),
            "a list has no values",
            "write them as key=name|key=name",
        );
    }
    if datatype.is_some() && !is_list && !values.is_empty() {
        let what = "values are given, but the datatype is no list";
        faults.error(
            row.at(),
            what,
            "write singlevaluelist or multivaluelist, or leave values blank",
        );
    }
    if values.len() > MAX_VALUES {
        faults.error(
            row.at(),
            format!("has more than {MAX_VALUES} values"),
            "ask for text instead",
        );
    }
    values
}

#[cfg(test)]
mod tests {
    use super::never_asked;

    #[test]
    fn what_is_never_asked_is_known_in_several_wordings() {
        let table = [
            ("您的民族", "ethnicity"),
            ("Ethnicity of the caller", "ethnicity"),
            ("宗教信仰", "religion"),
            ("Your religion", "religion"),
            ("政治面貌", "political view"),
            ("是否党员", "political view"),
            ("Political views", "political view"),
            ("健康 状况", "health"),
            ("health_condition", "health"),
            ("身份证号码", "identity papers"),
            ("ID card no.", "identity papers"),
            ("Passport number", "identity papers"),
            ("護照號碼", "identity papers"),
        ];
        for (wording, matter) in table {
            assert_eq!(never_asked(wording), Some(matter), "{wording}");
        }
    }

    #[test]
    fn harmless_questions_pass() {
        for wording in [
            "路灯编号",
            "Which embrace of the bridge?",
            "Lamp number",
            "Traceable marks",
            "水压是否正常",
            "Hospital name",
        ] {
            assert_eq!(never_asked(wording), None, "{wording}");
        }
    }
}
