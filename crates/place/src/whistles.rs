//! whistles.csv: the kinds of whistle, who may blow them, and how soon the units must come.

use whistle_domain::{
    place::{Approval, Level, WhistleKind},
    rights::Role,
};

use crate::{
    fault::Faults,
    table::{Layout, NAME, Row, Table, filled, free},
    text::shown,
    units::roles,
};

pub(crate) const WHISTLES: Layout = Layout {
    file: "whistles.csv",
    row: "kind of whistle",
    columns: &[
        filled("code", &["编码", "编号", "代码"]),
        NAME[0],
        NAME[1],
        NAME[2],
        filled("levels", &["层级", "发起层级"]),
        filled("roles", &["角色", "发起岗位"]),
        free("approval", &["审批", "审批人"]),
        free("sign", &["签收时限"]),
        free("contact", &["对接时限", "联系时限"]),
        filled("report_in", &["报到时限"]),
        free("leave", &["离场时限"]),
        free("highest", &["最高层级", "升级上限"]),
    ],
};

const APPROVALS: [(&str, Approval); 4] = [
    ("lead", Approval::Lead),
    ("above", Approval::Above),
    ("本级负责人", Approval::Lead),
    ("上级负责人", Approval::Above),
];

/// The levels that have stations.
const LEVELS: [(&str, Level); 8] = [
    ("city", Level::City),
    ("town", Level::Town),
    ("community", Level::Community),
    ("市", Level::City),
    ("镇街", Level::Town),
    ("镇", Level::Town),
    ("街道", Level::Town),
    ("社区", Level::Community),
];

/// What a post may be and still blow a whistle; the others read, or work for a unit.
const BLOWING: [Role; 4] = [Role::Patrol, Role::CallTaker, Role::Dispatcher, Role::Lead];

/// Reads whistles.csv.
pub(crate) fn read(table: &Table, faults: &mut Faults) -> Vec<WhistleKind> {
    let mut codes = table.codes("kind of whistle");
    let mut kinds = Vec::new();
    for row in &table.rows {
        let code = row.value("code", faults);
        let is_new = codes.add(row.cell("code"), row.at(), faults);
        let levels = levels(row, faults);
        let roles = roles(row, faults);
        for role in roles.iter().filter(|role| !BLOWING.contains(role)) {
            faults.error(
                row.at(),
                format!("role {} blows no whistle", shown(role.as_str())),
                "write patrol, call_taker, dispatcher or lead",
            );
        }
        let approval = row.word("approval", &APPROVALS, faults);
        let highest = row.word("highest", &LEVELS, faults).unwrap_or(Level::City);
        if let Some(level) = levels.iter().find(|level| level.depth() < highest.depth()) {
            faults.error(
                row.at(),
                format!(
                    "a {} may blow it, but it is raised no higher than a {}",
                    level.as_str(),
                    highest.as_str()
                ),
                "write in highest the uppermost level, or leave it blank for the city",
            );
        }
        let sign = row.value("sign", faults);
        let contact = row.value("contact", faults);
        let report_in = row.value("report_in", faults);
        let leave = row.value("leave", faults);
        if let (Some(code), true, Some(report_in)) = (code, is_new, report_in) {
            kinds.push(WhistleKind {
                code,
                name: row.text("name"),
                levels,
                roles,
                approval,
                sign,
                contact,
                report_in,
                leave,
                highest,
            });
        }
    }
    kinds
}

fn levels(row: &Row, faults: &mut Faults) -> Vec<Level> {
    let mut levels = Vec::new();
    for part in row.parts("levels") {
        let lower = part.to_lowercase();
        match LEVELS.iter().find(|(word, _)| *word == lower) {
            Some((_, level)) if !levels.contains(level) => levels.push(*level),
            Some(_) => {}
            None => faults.error(
                row.at(),
                format!("levels {} is not known", shown(part)),
                "write city, town, community, or several with | between",
            ),
        }
    }
    levels
}
