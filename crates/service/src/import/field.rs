//! What a column or element of another system means here.

use std::collections::HashMap;

use crate::error::{Error, Result};

/// What a value says about a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Field {
    /// The number that the matter has there.
    Id,
    /// The code of the service.
    ServiceCode,
    /// The name of the service.
    ServiceName,
    /// A closer word for the matter; goes into the description when that is blank.
    Subtype,
    /// What the reporter wrote.
    Description,
    /// When it was reported.
    Reported,
    /// When it last changed; stands for the closing time of a closed case that names none.
    Updated,
    /// When it was closed.
    Closed,
    /// Where it stands: open, closed, or a closer word.
    Status,
    /// How it ended, in Whistle's words.
    Outcome,
    /// What was done.
    Resolution,
    /// Street, number, landmark.
    Address,
    /// The code of the area it lies in.
    Area,
    /// Degrees north.
    Lat,
    /// Degrees east.
    Lon,
}

/// How many fields there are.
pub(super) const FIELDS: usize = 15;

/// Each field with its names in headers: our own first, then Open311's and those of systems in use.
const NAMES: [(Field, &[&str]); FIELDS] = [
    (
        Field::Id,
        &[
            "id",
            "service_request_id",
            "request_id",
            "case_id",
            "case_enquiry_id",
            "unique_key",
            "ticket_id",
            "sr_number",
            "incident_id",
            "reference",
            "number",
            "编号",
            "案件编号",
            "工单编号",
        ],
    ),
    (Field::ServiceCode, &["service_code", "类别编码"]),
    (
        Field::ServiceName,
        &[
            "service_name",
            "category",
            "complaint_type",
            "request_type",
            "sr_type",
            "case_title",
            "service",
            "type",
            "类别",
            "案件类别",
            "问题类型",
            "分类",
        ],
    ),
    (
        Field::Subtype,
        &["service_subtype", "subtype", "descriptor", "subcategory", "小类"],
    ),
    (
        Field::Description,
        &["description", "details", "描述", "问题描述", "内容"],
    ),
    (
        Field::Reported,
        &[
            "requested_datetime",
            "reported_at",
            "reported",
            "created",
            "created_date",
            "created_at",
            "creation_date",
            "open_dt",
            "opened",
            "date",
            "上报时间",
            "创建时间",
            "受理时间",
        ],
    ),
    (
        Field::Updated,
        &["updated_datetime", "updated_at", "updated", "更新时间"],
    ),
    (
        Field::Closed,
        &[
            "closed_date",
            "closed_at",
            "closed",
            "closed_datetime",
            "closed_dt",
            "结案时间",
            "办结时间",
        ],
    ),
    (
        Field::Status,
        &["status", "status_description", "case_status", "状态"],
    ),
    (Field::Outcome, &["outcome"]),
    (
        Field::Resolution,
        &[
            "status_notes",
            "resolution",
            "resolution_description",
            "closure_reason",
            "处理结果",
            "办理结果",
        ],
    ),
    (
        Field::Address,
        &[
            "address",
            "address_string",
            "incident_address",
            "street_address",
            "地址",
            "位置",
        ],
    ),
    (
        Field::Area,
        &[
            "area",
            "area_code",
            "cell_code",
            "community_code",
            "community_district",
            "town_code",
            "city_code",
            "网格编码",
        ],
    ),
    (Field::Lat, &["lat", "latitude", "纬度"]),
    (Field::Lon, &["long", "lon", "lng", "longitude", "经度"]),
];

impl Field {
    fn named(name: &str) -> Option<Self> {
        NAMES
            .iter()
            .find(|(_, names)| names.contains(&name))
            .map(|(field, _)| *field)
    }

    pub(super) fn index(self) -> usize {
        self as usize
    }
}

/// How a header is compared: without case, with one kind of gap.
fn plain(name: &str) -> String {
    name.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}')
        .to_lowercase()
        .replace([' ', '-', '.'], "_")
}

/// Which column means what.
#[derive(Debug, Default)]
pub(super) struct Mapping {
    /// Columns that the operator named, with what they mean; none for those to be left out.
    said: HashMap<String, Option<Field>>,
    /// Columns met before.
    met: HashMap<String, Option<Field>>,
}

impl Mapping {
    /// Reads `column=field` pairs; `column=-` leaves a column out.
    pub fn new(pairs: &[(String, String)]) -> Result<Self> {
        let mut said = HashMap::new();
        for (column, field) in pairs {
            let field = match plain(field).as_str() {
                "" | "_" => None,
                name => Some(Field::named(name).ok_or_else(|| {
                    let names: Vec<_> = NAMES.iter().map(|(_, names)| names[0]).collect();
                    Error::invalid(
                        "map",
                        format!("{field:?} is no field; write one of {}", names.join(", ")),
                    )
                })?),
            };
            said.insert(plain(column), field);
        }
        Ok(Self {
            said,
            met: HashMap::new(),
        })
    }

    /// A column that the operator named and that is none of these.
    pub fn not_among(&self, columns: &[String]) -> Option<&str> {
        let mut named: Vec<&str> = self
            .said
            .iter()
            .filter_map(|(column, field)| field.map(|_| column.as_str()))
            .filter(|named| !columns.iter().any(|column| plain(column) == **named))
            .collect();
        named.sort_unstable();
        named.first().copied()
    }

    /// What a column means. A field that the operator gave a column takes no other.
    pub fn field(&mut self, column: &str) -> Option<Field> {
        if let Some(field) = self.met.get(column) {
            return *field;
        }
        let name = plain(column);
        let field = match self.said.get(&name) {
            Some(field) => *field,
            None => Field::named(&name).filter(|field| !self.said.values().any(|f| f == &Some(*field))),
        };
        /// Names remembered; a file with more has no columns but values as keys.
        const MOST: usize = 1000;
        if self.met.len() < MOST {
            self.met.insert(column.to_owned(), field);
        }
        field
    }
}
