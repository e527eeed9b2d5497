//! Exports are read back with other people's readers, and what is for the public holds nothing else.

use std::{
    fs,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use parquet::{
    file::reader::{FileReader, SerializedFileReader},
    record::Field,
};
use whistle_domain::{
    case::{Actor, Channel},
    command::{Act, NewReport, Whereabouts},
    geometry::Point,
    words::{CaseNumber, Lang},
};
use whistle_service::{
    Here, Site, Whistle,
    case::With,
    demo::DemoOptions,
    export::{Content, ExportFormat, ExportOptions, Rows},
    import::ImportOptions,
    secret::Contact,
    time::{Chance, Clock},
};
use whistle_testbed::Bed;

struct Fixed(Timestamp);

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        self.0
    }
}

const NOW: &str = "2026-11-01T03:00:00Z";

struct Install {
    dir: Bed,
    whistle: Whistle,
    here: Here,
}

fn install() -> Install {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../place/tests/folders/village");
    let dir = Bed::new();
    let now: Timestamp = NOW.parse().unwrap();
    let site = Site {
        database_url: dir.database_url().map(str::to_owned),
        ..dir.path().into()
    };
    let whistle = Whistle::open_with(site, Box::new(Fixed(now)), Chance::from_seed(1)).unwrap();
    whistle.apply(&folder).unwrap();
    let here = whistle.places().all()[0].clone();
    Install { dir, whistle, here }
}

impl Install {
    fn fill(&self, cases: u64) {
        let options = DemoOptions {
            cases,
            seed: 5,
            from: None,
            to: NOW.parse().unwrap(),
        };
        self.whistle.make_demo(&self.here, options, |_| {}).unwrap();
    }

    /// Two cases with contact data: one public with a telephone number in its text, one hidden.
    fn report_private_matters(&self) {
        let runtime = tokio::runtime::Builder::new_multi_thread().build().unwrap();
        runtime.block_on(async {
            for text in ["=cmd|'/c calc'!A1 call 13812345678", "SECRET MATTER"] {
                let new = NewReport {
                    service: "RD-HOLE".parse().unwrap(),
                    standard: None,
                    whereabouts: Whereabouts {
                        point: Some(Point::new(131.81, 46.21).unwrap()),
                        address: "-1 Mill Lane, write to a@example.org".to_owned(),
                        area: None,
                    },
                    description: text.to_owned(),
                    answers: vec![],
                    channel: Channel::Web,
                    photos: vec![],
                    fixed: None,
                };
                let with = With {
                    contact: Contact {
                        phone: "13900001111".to_owned(),
                        ..Contact::default()
                    },
                    ..With::default()
                };
                let receipt = self
                    .whistle
                    .report(&self.here, new, Actor::Public, with)
                    .await
                    .unwrap();
                if text.starts_with("SECRET") {
                    let dispatcher = Actor::Post {
                        post: "CITY-D".parse().unwrap(),
                        unit: "CITY".parse().unwrap(),
                        account: 1,
                    };
                    let hide = Act::Show { public: false };
                    self.whistle
                        .act(
                            &self.here,
                            receipt.number,
                            None,
                            hide,
                            "private".into(),
                            dispatcher,
                        )
                        .await
                        .unwrap();
                }
            }
        });
    }

    fn export(&self, name: &str, options: &ExportOptions) -> (PathBuf, u64) {
        let file = self.dir.path().join(name);
        let report = self.whistle.export(&self.here, options, &file, |_| {}).unwrap();
        (file, report.cases)
    }
}

fn options(format: ExportFormat, content: Content) -> ExportOptions {
    ExportOptions {
        format,
        content,
        ..ExportOptions::default()
    }
}

fn rows(text: &str) -> (Vec<String>, Vec<Vec<String>>) {
    let mut reader = csv::Reader::from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let header = reader.headers().unwrap().iter().map(ToOwned::to_owned).collect();
    let rows = reader
        .records()
        .map(|row| row.unwrap().iter().map(ToOwned::to_owned).collect())
        .collect();
    (header, rows)
}

#[test]
fn the_public_gets_no_hidden_case_no_contact_data_and_no_unmasked_text() {
    let install = install();
    install.report_private_matters();
    for format in [ExportFormat::Csv, ExportFormat::GeoJson, ExportFormat::Parquet] {
        for content in [Content::Open, Content::Full] {
            let (file, cases) = install.export("out", &options(format, content));
            let raw = fs::read(&file).unwrap();
            // Parquet is compressed; read it back as text.
            let text = if format == ExportFormat::Parquet {
                let reader = SerializedFileReader::new(fs::File::open(&file).unwrap()).unwrap();
                reader
                    .get_row_iter(None)
                    .unwrap()
                    .map(|r| r.unwrap().to_string())
                    .collect()
            } else {
                String::from_utf8(raw).unwrap()
            };
            assert!(
                !text.contains("13900001111"),
                "contact data never leaves: {format:?}"
            );
            let open = content == Content::Open;
            assert_eq!(cases, if open { 1 } else { 2 });
            assert_eq!(text.contains("SECRET"), !open, "{format:?} {content:?}");
            assert_eq!(text.contains("13812345678"), !open, "{format:?} {content:?}");
            assert_eq!(text.contains("a@example.org"), !open, "{format:?} {content:?}");
            assert!(text.contains("•••") || !open, "{text}");
        }
    }
}

#[test]
fn a_csv_has_open311s_columns_first_and_no_formulas() {
    let install = install();
    install.report_private_matters();
    install.fill(300);
    let (file, cases) = install.export(
        "all.csv",
        &ExportOptions {
            mark: true,
            lang: Lang::Zh,
            ..options(ExportFormat::Csv, Content::Full)
        },
    );
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.starts_with('\u{feff}') && text.contains("\r\n"));
    let (header, rows) = rows(&text);
    assert_eq!(
        header[..14].join(","),
        "service_request_id,requested_datetime,updated_datetime,closed_date,status_description,status_notes,source,\
         service_name,service_subtype,description,agency_responsible,address,lat,long"
    );
    assert_eq!(rows.len() as u64, cases);
    assert!(
        rows.iter()
            .flatten()
            .all(|cell| !cell.starts_with(['=', '+', '-', '@']))
    );
    let column = |name: &str| header.iter().position(|h| h == name).unwrap();
    assert!(rows.iter().any(|r| r[column("description")].starts_with("'=cmd")));
    assert!(rows.iter().any(|r| r[column("on_time")] == "true"));
    assert!(rows.iter().any(|r| r[column("on_time")] == "false"));
    for row in &rows {
        let time = &row[column("requested_datetime")];
        assert!(time.parse::<Timestamp>().is_ok() && !time.contains('.'), "{time}");
    }
    let left: Vec<_> = fs::read_dir(install.dir.path())
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains(".part"))
        .collect();
    assert_eq!(left, Vec::<String>::new(), "nothing half written is left");
}

#[test]
fn dates_bound_what_is_exported_and_nothing_is_lost_between_them() {
    let install = install();
    install.fill(2500);
    let all = install.export("a", &options(ExportFormat::Csv, Content::Full)).1;
    assert_eq!(all, 2500, "several pages");
    let middle: Timestamp = "2026-05-01T00:00:00Z".parse().unwrap();
    let full = options(ExportFormat::Csv, Content::Full);
    let before = ExportOptions {
        to: Some(middle),
        ..full.clone()
    };
    let after = ExportOptions {
        from: Some(middle),
        ..full
    };
    let (before, after) = (install.export("b", &before).1, install.export("c", &after).1);
    assert!(before > 0 && after > 0);
    assert_eq!(before + after, all);
}

#[test]
fn geojson_is_a_collection_with_one_feature_a_line() {
    let install = install();
    install.fill(200);
    let (file, cases) = install.export("all.geojson", &options(ExportFormat::GeoJson, Content::Open));
    let text = fs::read_to_string(file).unwrap();
    let whole: serde_json::Value = serde_json::from_str(&text).unwrap();
    let features = whole["features"].as_array().unwrap();
    assert_eq!(features.len() as u64, cases);
    assert_eq!(text.lines().count() as u64, cases + 2);
    for feature in features {
        assert_eq!(feature["type"], "Feature");
        assert!(feature["geometry"].is_null() || feature["geometry"]["type"] == "Point");
        assert!(feature["properties"]["service_code"].is_string());
    }
}

#[test]
fn parquet_says_what_the_csv_says() {
    let install = install();
    install.fill(1200);
    let (csv_file, cases) = install.export("all.csv", &options(ExportFormat::Csv, Content::Full));
    let (file, again) = install.export("all.parquet", &options(ExportFormat::Parquet, Content::Full));
    assert_eq!(cases, again);
    let (header, rows) = rows(&fs::read_to_string(csv_file).unwrap());
    let reader = SerializedFileReader::new(fs::File::open(file).unwrap()).unwrap();
    let schema = reader.metadata().file_metadata().schema();
    let names: Vec<_> = schema.get_fields().iter().map(|f| f.name().to_owned()).collect();
    assert_eq!(names, header);
    let mut read = 0;
    for (row, cells) in reader.get_row_iter(None).unwrap().zip(&rows) {
        for ((name, field), cell) in row.unwrap().get_column_iter().zip(cells) {
            let same = match field {
                Field::Null => cell.is_empty(),
                Field::Str(text) => text == cell || format!("'{text}") == *cell,
                Field::Long(n) => n.to_string() == *cell,
                Field::Double(x) => x.to_string() == *cell,
                Field::Bool(yes) => yes.to_string() == *cell,
                Field::TimestampMicros(t) => {
                    cell.parse::<Timestamp>().unwrap().as_second() == t.div_euclid(1_000_000)
                }
                Field::Date(_) => cell.len() == 10,
                other => panic!("{name}: {other:?}"),
            };
            assert!(same, "{name}: {field:?} is not {cell:?}");
        }
        read += 1;
    }
    assert_eq!(read, cases);
}

#[test]
fn an_export_can_be_imported_elsewhere() {
    let from = install();
    from.fill(300);
    let (file, cases) = from.export("all.csv", &options(ExportFormat::Csv, Content::Full));
    let to = install();
    let options = ImportOptions {
        file,
        source: "the other one".to_owned(),
        rejects: to.dir.path().join("rejects.csv"),
        ..ImportOptions::default()
    };
    let report = to.whistle.import_cases(&to.here, &options, |_| {}).unwrap();
    let rejects = fs::read_to_string(&options.rejects).unwrap_or_default();
    assert_eq!((report.added, report.rejected), (cases, 0), "{rejects}");
    let runtime = tokio::runtime::Builder::new_multi_thread().build().unwrap();
    let mut same = 0;
    for number in 1..=300 {
        let old = runtime
            .block_on(from.whistle.case(&from.here, CaseNumber(number)))
            .unwrap();
        // The export's newest comes first, so the numbers differ; the reports do not.
        let new = runtime
            .block_on(to.whistle.case(&to.here, CaseNumber(301 - number)))
            .unwrap();
        same += usize::from(old.times.reported_at == new.times.reported_at && old.service == new.service);
    }
    assert!(same > 290, "{same}");
}

#[test]
fn whistles_and_their_calls_are_exported_for_the_staff_alone() {
    let install = install();
    install.fill(400);
    let export = |rows, content| {
        let options = ExportOptions {
            rows,
            content,
            ..ExportOptions::default()
        };
        let mut out = Vec::new();
        let report = install
            .whistle
            .export_to(&install.here, &options, &mut out, |_| {})?;
        let mut reader = csv::Reader::from_reader(out.as_slice());
        let read: Vec<std::collections::HashMap<String, String>> =
            reader.deserialize().collect::<Result<_, _>>().unwrap();
        Ok::<_, whistle_service::Error>((report, read))
    };
    for rows in [Rows::Whistles, Rows::Calls] {
        assert_eq!(export(rows, Content::Open).unwrap_err().word(), "invalid");
    }
    let (report, whistles) = export(Rows::Whistles, Content::Full).unwrap();
    assert!(whistles.len() > 3, "{whistles:?}");
    assert_eq!(report.whistles, whistles.len() as u64);
    let (report, calls) = export(Rows::Calls, Content::Full).unwrap();
    assert_eq!(report.calls, calls.len() as u64);
    for whistle in &whistles {
        let own: Vec<_> = calls
            .iter()
            .filter(|call| call["whistle"] == whistle["whistle"])
            .collect();
        let units: Vec<&str> = own.iter().map(|call| call["unit"].as_str()).collect();
        assert_eq!(units.join(" "), whistle["units"]);
        assert_eq!(own.len().to_string(), whistle["called"]);
        let came = own.iter().filter(|call| !call["reported_in_at"].is_empty());
        assert_eq!(came.count().to_string(), whistle["reported_in"]);
        let leads = own.iter().find(|call| call["leads"] == "true").unwrap();
        assert_eq!(leads["unit"], whistle["lead_unit"]);
        let done: u32 = own
            .iter()
            .map(|call| call["duties_done"].parse::<u32>().unwrap())
            .sum();
        assert_eq!(done.to_string(), whistle["duties_done"]);
    }
    let (_, cases) = export(Rows::Cases, Content::Full).unwrap();
    let joint = cases.iter().filter(|case| !case["joint_units"].is_empty());
    assert!(joint.count() > 0);
    assert!(cases.iter().any(|case| case["escalated"] == "town"));
    assert!(cases.iter().any(|case| case["verification"] == "reporter"));
    let (_, open) = export(Rows::Cases, Content::Open).unwrap();
    assert!(!open[0].contains_key("joint_units") && !open[0].contains_key("escalated"));
}
