//! standards.csv: one service under one filing condition, with its limits.

use std::collections::HashMap;

use whistle_domain::{
    place::{Partly, Standard, Verification},
    words::{ServiceCode, UnitCode},
};

use crate::{
    escalations::LadderBook,
    fault::{Faults, at},
    services::{SERVICES, ServiceBook},
    table::{Codes, Layout, Table, carried, filled, free},
    text::shown,
    units::UnitBook,
};

pub(crate) const STANDARDS: Layout = Layout {
    file: "standards.csv",
    row: "standard",
    columns: &[
        filled("code", &["编码", "编号", "标准编码", "代码"]),
        carried("service", &["小类", "小类编码", "小类代码", "类别"]),
        free("condition", &["立案条件"]),
        free("condition_zh", &["中文立案条件"]),
        free("condition_en", &["英文立案条件"]),
        free("default", &["默认"]),
        free("triage", &["受理时限", "派遣时限"]),
        free("sign", &["签收时限"]),
        free("report_in", &["报到时限"]),
        filled("resolve", &["处置时限"]),
        free("verify", &["核查时限"]),
        free("lead", &["牵头单位", "处置单位", "责任主体"]),
        free("closing", &["结案条件"]),
        free("closing_zh", &["中文结案条件"]),
        free("closing_en", &["英文结案条件"]),
        free("legal_basis", &["法律依据"]),
        free("verification", &["核查方式"]),
        free("partly", &["部分解决"]),
        free("ladder", &["升级阶梯", "阶梯"]),
        free("access", &["可见级别"]),
    ],
};

const VERIFICATIONS: [(&str, Verification); 6] = [
    ("post", Verification::Post),
    ("reporter", Verification::Reporter),
    ("self", Verification::SelfCheck),
    ("岗位核查", Verification::Post),
    ("上报人确认", Verification::Reporter),
    ("自行核查", Verification::SelfCheck),
];

const PARTLY: [(&str, Partly); 4] = [
    ("rework", Partly::Rework),
    ("close", Partly::Close),
    ("返工", Partly::Rework),
    ("结案", Partly::Close),
];

/// The standards as far as they could be read, and all their codes.
#[derive(Debug)]
pub(crate) struct StandardBook {
    pub standards: Vec<Standard>,
    pub codes: Codes,
}

/// Reads standards.csv.
pub(crate) fn read(
    table: &Table,
    services: Option<&ServiceBook>,
    units: Option<&UnitBook>,
    ladders: Option<&LadderBook>,
    faults: &mut Faults,
) -> StandardBook {
    let mut codes = table.codes("standard");
    let mut standards = Vec::new();
    // For each service, the lines of its standards and of those that say they are the default.
    let mut lines_of: HashMap<&str, (Vec<u32>, Vec<u32>)> = HashMap::new();
    for row in &table.rows {
        let code = row.value("code", faults);
        let is_new = codes.add(row.cell("code"), row.at(), faults);
        let service: Option<ServiceCode> = row.value("service", faults);
        let service_code = row.cell("service");
        if let Some(services) = services
            && services.codes.expect(service_code, row.at(), faults)
            && services.is_group(service_code)
        {
            let what = format!("{} is a group, which no case can have", shown(service_code));
            faults.error(row.at(), what, "write a standard for each of its services");
        }
        let lead: Option<UnitCode> = row.value("lead", faults);
        if let (Some(lead), Some(units)) = (&lead, units) {
            units.codes.expect(lead.as_str(), row.at(), faults);
        }
        let default = row.yes_no("default", false, faults);
        let lines = lines_of.entry(service_code).or_default();
        lines.0.push(row.line());
        if default {
            lines.1.push(row.line());
        }
        let triage = row.value("triage", faults);
        let sign = row.value("sign", faults);
        let report_in = row.value("report_in", faults);
        let resolve = row.value("resolve", faults);
        let verify = row.value("verify", faults);
        let verification = row
            .word("verification", &VERIFICATIONS, faults)
            .unwrap_or_default();
        let partly = row.word("partly", &PARTLY, faults).unwrap_or_default();
        let ladder = row.value("ladder", faults);
        let access = crate::units::access(row.cell("access"), row, faults);
        if let (Some(_), Some(ladders)) = (&ladder, ladders) {
            ladders.expect(row, faults);
        }
        if let (Some(code), true, Some(service), Some(resolve)) = (code, is_new, service, resolve) {
            standards.push(Standard {
                code,
                service,
                condition: row.text("condition"),
                default,
                triage,
                sign,
                report_in,
                resolve,
                verify,
                lead,
                closing: row.text("closing"),
                legal_basis: row.cell("legal_basis").to_owned(),
                verification,
                partly,
                ladder,
                access,
            });
        }
    }
    for standard in &mut standards {
        let is_only_one = lines_of
            .get(standard.service.as_str())
            .is_some_and(|lines| lines.0.len() == 1);
        standard.default |= is_only_one;
    }
    refuse_unclear_defaults(&lines_of, faults);
    let without = services.into_iter().flat_map(|book| {
        let services = book.services.iter().filter(|s| !s.is_group());
        services
            .filter(|s| !lines_of.contains_key(s.code.as_str()))
            .map(|s| {
                let line = book.codes.line(s.code.as_str()).unwrap_or(1);
                (line, s.code.as_str())
            })
    });
    for (line, code) in without {
        faults.error(
            at(SERVICES.file, line),
            format!("service {} has no standard", shown(code)),
            "add a row for it to standards.csv",
        );
    }
    StandardBook { standards, codes }
}

fn refuse_unclear_defaults(lines_of: &HashMap<&str, (Vec<u32>, Vec<u32>)>, faults: &mut Faults) {
    for (service, (lines, defaults)) in lines_of {
        match defaults.as_slice() {
            [] if lines.len() > 1 => faults.error(
                at(STANDARDS.file, lines[0]),
                format!(
                    "service {} has {} standards and no default",
                    shown(service),
                    lines.len()
                ),
                "write yes in the column default of the one to take when nobody chose",
            ),
            [first, others @ ..] => {
                for line in others {
                    faults.error(
                        at(STANDARDS.file, *line),
                        format!(
                            "service {} has its default already on line {first}",
                            shown(service)
                        ),
                        "leave default blank in all but one",
                    );
                }
            }
            [] => {}
        }
    }
}
