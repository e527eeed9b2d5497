//! Importing files of other systems: every row becomes a case or a reject that says why, and the same again adds nothing.

use std::{
    fs,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use whistle_domain::case::{Outcome, Stage, State};
use whistle_domain::words::CaseNumber;
use whistle_service::{
    Here, Site, Whistle,
    import::{ImportFormat, ImportOptions, ImportProgress, ImportReport},
    time::{Chance, Clock},
};
use whistle_store::{Store, Target, case as stored};
use whistle_testbed::Bed;

struct Fixed(Timestamp);

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        self.0
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

struct Install {
    dir: Bed,
    whistle: Whistle,
    here: Here,
}

impl Install {
    fn of(folder: &Path) -> Self {
        let dir = Bed::new();
        let now = "2026-11-01T00:00:00Z".parse().unwrap();
        let site = Site {
            database_url: dir.database_url().map(str::to_owned),
            ..dir.path().into()
        };
        let whistle = Whistle::open_with(site, Box::new(Fixed(now)), Chance::from_seed(1)).unwrap();
        whistle.apply(folder).unwrap();
        let here = whistle.places().all()[0].clone();
        Self { dir, whistle, here }
    }

    fn village() -> Self {
        Self::of(&root().join("crates/place/tests/folders/village"))
    }

    /// Imports a text as a file.
    fn import(&self, name: &str, text: impl AsRef<[u8]>) -> ImportReport {
        fs::write(self.dir.path().join(name), text).unwrap();
        self.import_with(&self.options(name)).unwrap()
    }

    fn options(&self, name: &str) -> ImportOptions {
        ImportOptions {
            file: self.dir.path().join(name),
            source: "elsewhere".to_owned(),
            rejects: self.dir.path().join("rejects.csv"),
            ..ImportOptions::default()
        }
    }

    fn import_with(&self, options: &ImportOptions) -> whistle_service::Result<ImportReport> {
        self.whistle
            .import_cases(&self.here, options, |_: ImportProgress| {})
    }

    fn rejects(&self) -> String {
        fs::read_to_string(self.dir.path().join("rejects.csv")).unwrap_or_default()
    }

    fn store(&self) -> Store {
        Store::open(self.dir.target(Target::Postgres), Timestamp::UNIX_EPOCH).unwrap()
    }

    /// How many cases there are; panics when the audit finds anything.
    fn audited(&self) -> u64 {
        let audit = self
            .store()
            .read_blocking(|conn| whistle_store::audit::audit(conn, self.here.id, &self.here.place, |_| {}))
            .unwrap();
        assert_eq!(audit.findings, Vec::<String>::new());
        audit.cases
    }

    fn case(&self, number: i64) -> whistle_domain::case::Case {
        let found = self
            .store()
            .read_blocking(|conn| stored::find(conn, self.here.id, CaseNumber(number)));
        found.unwrap().unwrap().case
    }
}

/// A point inside the village.
const INSIDE: (f64, f64) = (131.81, 46.21);

#[test]
fn a_quotation_mark_without_an_end_does_not_swallow_rows_in_silence() {
    let install = Install::village();
    let (lon, lat) = INSIDE;
    let row = |id: u32, text: &str| format!("{id},2026-05-08,RD-HOLE,{lat},{lon},{text}\n");
    let header = "id,date,service_code,lat,long,description\n".to_owned();
    let closed = row(1, "\"two\nlines\"");
    let report = install.import(
        "open.csv",
        header.clone() + &closed + &row(2, "\"open") + &row(3, "lost"),
    );
    assert_eq!((report.added, report.rejected), (1, 1), "{}", install.rejects());
    assert!(
        install
            .rejects()
            .contains("a quotation mark in it is not closed, so that it took the rows below"),
        "{}",
        install.rejects()
    );
    let report = install.import(
        "closed.csv",
        header + &row(4, "x") + &row(5, "\"two\nlines\"\n\n"),
    );
    assert_eq!((report.added, report.rejected), (2, 0), "{}", install.rejects());
}

#[test]
fn degrees_with_a_decimal_comma_are_read() {
    let install = Install::village();
    let text = "id;date;service_code;lat;long\n1;8.5.2026;RD-HOLE;46,21;131,81\n";
    let report = install.import("comma.csv", text);
    assert_eq!((report.added, report.rejected), (1, 0), "{}", install.rejects());
    let point = install.case(1).location.point.unwrap();
    assert!((point.lat - 46.21).abs() < 1e-9 && (point.lon - 131.81).abs() < 1e-9);
}

#[test]
fn a_mapped_column_that_is_not_there_is_refused() {
    let install = Install::village();
    fs::write(install.dir.path().join("a.csv"), "id,date,service_code,what\n").unwrap();
    let mut options = install.options("a.csv");
    options.map = vec![("waht".to_owned(), "description".to_owned())];
    let error = install.import_with(&options).unwrap_err().to_string();
    assert!(
        error.contains("no column is called \"waht\"; the header is id,date"),
        "{error}"
    );
}

#[test]
fn a_csv_is_imported_once_and_what_closed_since_is_settled() {
    let install = Install::village();
    let (lon, lat) = INSIDE;
    let header = "id,created,closed,status,complaint_type,descriptor,resolution,lat,lon\n";
    let open = format!("{header}a-1,2026-05-08T10:20:00,,Open,Leaking pipe,Main,,{lat},{lon}\n");
    let report = install.import("first.csv", &open);
    assert_eq!(
        (report.rows, report.added, report.rejected),
        (1, 1, 0),
        "{}",
        install.rejects()
    );
    assert_eq!(report.format, ImportFormat::Csv);
    let case = install.case(1);
    assert_eq!(case.description, "Leaking pipe: Main");
    assert_eq!(
        case.times.reported_at.to_string(),
        "2026-05-08T02:20:00Z",
        "the place's own zone"
    );
    assert!(case.state.is_open());

    let again = install.import("first.csv", &open);
    assert_eq!((again.added, again.unchanged), (0, 1));

    let closed = format!(
        "{header}a-1,2026-05-08T10:20:00,2026-05-09T10:20:00,Closed,Leaking pipe,Main,Pipe mended,{lat},{lon}\n"
    );
    let later = install.import("later.csv", &closed);
    assert_eq!((later.added, later.settled, later.unchanged), (0, 1, 0));
    let case = install.case(1);
    assert_eq!(case.state, State::Closed(Outcome::Resolved));
    assert_eq!(case.resolution, "Pipe mended");
    assert_eq!(case.times.closed_at.unwrap().to_string(), "2026-05-09T02:20:00Z");

    let last = install.import("later.csv", &closed);
    assert_eq!((last.added, last.settled, last.unchanged), (0, 0, 1));
    assert_eq!(install.audited(), 1);
}

#[test]
fn every_row_that_is_not_imported_says_why() {
    let install = Install::village();
    let (lon, lat) = INSIDE;
    let text = format!(
        "id,date,closed,status,category,lat,lon,area,description\n\
         ,2026-05-08,,,RD-HOLE,{lat},{lon},,no id\n\
         1,2026-05-08,,,Volcano,{lat},{lon},,unknown service\n\
         2,soon,,,RD-HOLE,{lat},{lon},,unreadable date\n\
         3,2026-05-08,2026-05-07,closed,RD-HOLE,{lat},{lon},,closed before\n\
         4,2026-05-08,,closed,RD-HOLE,{lat},{lon},,closed when\n\
         5,2026-05-08,,,RD-HOLE,1.0,2.0,,outside\n\
         6,2026-05-08,,,RD-HOLE,,,,nowhere\n\
         7,2026-05-08,,,RD-HOLE,,,999,unknown area\n\
         8,2026-05-08,,,RD-HOLE,north,{lon},,no number\n\
         9,2026-05-08,,,RD-HOLE,{lat},{lon},,good\n\
         9,2026-05-08,,,RD-HOLE,{lat},{lon},,twice\n\
         10,2036-05-08,,,RD-HOLE,{lat},{lon},,in the future\n\
         11,2026-05-08\n\
         12,2026-05-08,,,rd,{lat},{lon},,a group\n\
         13,2026-05-08,,,路面坑洞,,,230599100,good: by its name and area\n"
    );
    let report = install.import("mixed.csv", &text);
    assert_eq!(
        (report.rows, report.added, report.rejected),
        (15, 2, 13),
        "{}",
        install.rejects()
    );
    let reasons: Vec<_> = report.reasons.into_iter().collect();
    assert_eq!(
        reasons,
        [
            ("closed_before_reported", 1),
            ("duplicate_id", 1),
            ("future_date", 1),
            ("no_closing_time", 1),
            ("no_id", 1),
            ("no_location", 1),
            ("outside_place", 1),
            ("unknown_area", 1),
            ("unknown_service", 2),
            ("unreadable", 1),
            ("unreadable_date", 1),
            ("unreadable_point", 1),
        ]
    );
    let rejects = install.rejects();
    let header = rejects.lines().next().unwrap();
    assert_eq!(
        header,
        "reject_line,reject_id,reject_reason,reject_why,id,date,closed,status,category,lat,lon,area,description"
    );
    assert!(rejects.contains("3,1,unknown_service,"), "{rejects}");

    // The rejects file is itself an import: mended, its rows come in.
    let mended = rejects.replace("Volcano", "RD-HOLE");
    let second = install.import("mended.csv", mended);
    assert_eq!(second.added, 1, "{}", install.rejects());
    assert_eq!(install.audited(), 3);
}

#[test]
fn open311_is_read_as_json_wrapped_json_geojson_and_xml() {
    let install = Install::village();
    let (lon, lat) = INSIDE;
    let request = |id: &str| {
        format!(
            r#"{{"service_request_id":"{id}","status":"closed","service_code":"RD-HOLE","requested_datetime":"2026-05-08T10:20:00+08:00","updated_datetime":"2026-05-09T10:20:00+08:00","lat":{lat},"long":{lon},"description":"坑 & hole","status_notes":"done"}}"#
        )
    };
    let plain = install.import("a.json", format!("[{},\n{}]", request("1"), request("2")));
    assert_eq!(
        (plain.format, plain.added),
        (ImportFormat::Json, 2),
        "{}",
        install.rejects()
    );
    let wrapped = format!(
        r#"{{"count":2,"requests":[{},7,{}]}}"#,
        request("2"),
        request("3")
    );
    let wrapped = install.import("b.json", wrapped);
    assert_eq!((wrapped.added, wrapped.unchanged, wrapped.rejected), (1, 1, 1));
    let geojson = format!(
        r#"{{"type":"FeatureCollection","features":[{{"type":"Feature","geometry":{{"type":"Point","coordinates":[{lon},{lat}]}},"properties":{{"id":4,"date":"2026-05-08","category":"Pothole"}}}}]}}"#
    );
    assert_eq!(
        install.import("c.geojson", geojson).added,
        1,
        "{}",
        install.rejects()
    );
    let xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<service_requests>\n <request>\n  <service_request_id>5</service_request_id>\n  <status>closed</status>\n  <service_code>RD-HOLE</service_code>\n  <description>坑 &amp; hole &#33;<![CDATA[<x>]]></description>\n  <status_notes/>\n  <requested_datetime>2026-05-08T10:20:00+08:00</requested_datetime>\n  <updated_datetime>2026-05-09T10:20:00+08:00</updated_datetime>\n  <lat>{lat}</lat><long>{lon}</long>\n </request>\n <request><service_request_id>6</service_request_id></request>\n</service_requests>\n"
    );
    let xml = install.import("d.xml", xml);
    assert_eq!(
        (xml.format, xml.rows, xml.added, xml.rejected),
        (ImportFormat::Xml, 2, 1, 1)
    );
    assert!(
        install.rejects().contains("13,6,no_service"),
        "{}",
        install.rejects()
    );
    let found = (1..10)
        .map(|n| install.case(n))
        .find(|c| c.description.contains("坑 & hole !<x>"));
    assert_eq!(found.unwrap().state.stage(), Stage::Closed);
    assert_eq!(install.audited(), 5);
}

#[test]
fn marks_gbk_semicolons_other_headers_and_other_names_are_read() {
    let install = Install::village();
    let (lon, lat) = INSIDE;
    let marked =
        format!("\u{feff}编号;上报时间;类别;纬度;经度\r\nA;2026/05/08 10:20;路面坑洞;{lat};{lon}\r\n");
    assert_eq!(install.import("a.csv", &marked).added, 1, "{}", install.rejects());
    let gbk = marked.trim_start_matches('\u{feff}').replace("A;", "B;");
    let (gbk, _, _) = encoding_rs::GB18030.encode(&gbk);
    let report = install.import("b.csv", &gbk);
    assert_eq!(
        (report.added, report.encoding),
        (1, "gb18030"),
        "{}",
        install.rejects()
    );

    let strange = format!("when,what,key,y,x\n2026-05-08,Crater,C,{lat},{lon}\n");
    fs::write(install.dir.path().join("c.csv"), strange).unwrap();
    let mut options = install.options("c.csv");
    let refused = install.import_with(&options).unwrap_err().to_string();
    assert!(refused.contains("--map COLUMN=FIELD"), "{refused}");
    let pairs = [
        ("when", "reported"),
        ("what", "service_name"),
        ("key", "id"),
        ("y", "lat"),
        ("x", "lon"),
    ];
    options.map = pairs.map(|(a, b)| (a.to_owned(), b.to_owned())).to_vec();
    let services = install.dir.path().join("services.csv");
    fs::write(&services, "theirs,ours\ncrater,RD-HOLE\n").unwrap();
    options.services = Some(services);
    assert_eq!(
        install.import_with(&options).unwrap().added,
        1,
        "{}",
        install.rejects()
    );
    assert_eq!(install.audited(), 3);
}

#[test]
fn a_file_that_breaks_off_keeps_what_came_before_and_an_endless_record_is_refused() {
    let install = Install::village();
    let (lon, lat) = INSIDE;
    let rows: Vec<String> = (0..600)
        .map(|i| format!(r#"{{"id":{i},"date":"2026-05-08","category":"Pothole","lat":{lat},"lon":{lon}}}"#))
        .collect();
    let whole = format!("[{}]", rows.join(",\n"));
    fs::write(
        install.dir.path().join("cut.json"),
        &whole[..whole.len() * 9 / 10],
    )
    .unwrap();
    assert!(install.import_with(&install.options("cut.json")).is_err());
    let kept = install.audited();
    assert!(kept > 0 && kept < 600, "{kept}");
    let report = install.import("whole.json", &whole);
    assert_eq!(report.added + kept, 600);
    assert_eq!(report.unchanged, kept);

    let mut options = install.options("whole.json");
    options.rejects.clone_from(&options.file);
    assert!(install.import_with(&options).is_err(), "its own rejects file");
    assert_eq!(
        fs::read_to_string(&options.file).unwrap(),
        whole,
        "and it is still there"
    );

    let endless = format!("id,date,category,lat,lon\n1,2026-05-08,\"{}", "x".repeat(3 << 20));
    fs::write(install.dir.path().join("endless.csv"), endless).unwrap();
    let refused = install
        .import_with(&install.options("endless.csv"))
        .unwrap_err()
        .to_string();
    assert!(refused.contains("not closed"), "{refused}");
    assert_eq!(install.audited(), 600);
}

#[test]
fn an_import_that_is_stopped_anywhere_goes_on_where_it_was() {
    let install = Install::village();
    let (lon, lat) = INSIDE;
    let rows: Vec<String> = (0..3000)
        .map(|i| format!("{i},2026-05-08,Pothole,{lat},{lon}\n"))
        .collect();
    let text = format!("id,date,category,lat,lon\n{}", rows.concat());
    fs::write(install.dir.path().join("many.csv"), text).unwrap();
    let options = install.options("many.csv");
    let stopped = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        install
            .whistle
            .import_cases(&install.here, &options, |p: ImportProgress| {
                assert!(p.rows < 1500, "stopped here on purpose");
            })
    }));
    assert!(stopped.is_err());
    let kept = install.audited();
    assert!(kept > 0 && kept < 3000, "{kept}");
    let report = install.import_with(&options).unwrap();
    assert_eq!((report.added, report.unchanged), (3000 - kept, kept));
    assert_eq!(install.audited(), 3000);
}

/// The real data, where this machine has it.
fn shared(name: &str) -> Option<PathBuf> {
    let shared =
        std::env::var_os("WHISTLE_SHARED_DATA").map_or_else(|| root().join("../shared/data"), PathBuf::from);
    let file = Some(shared.join(name)).filter(|file| file.exists());
    if file.is_none() {
        eprintln!("skipped: {name} is not here");
    }
    file
}

fn import_city(example: &str, file: &Path) -> (Install, ImportReport, ImportReport) {
    let install = Install::of(&root().join("examples").join(example));
    let mut options = install.options("unused");
    file.clone_into(&mut options.file);
    let begun = std::time::Instant::now();
    let first = install.import_with(&options).unwrap();
    let spent = begun.elapsed();
    eprintln!(
        "{example}: {} rows in {spent:?}, {:.0} rows/s; {first:?}",
        first.rows,
        first.rows as f64 / spent.as_secs_f64()
    );
    let begun = std::time::Instant::now();
    let again = install.import_with(&options).unwrap();
    eprintln!("{example}: again in {:?}", begun.elapsed());
    (install, first, again)
}

#[test]
fn zurichs_reports_of_ten_years_are_imported_but_for_the_one_outside() {
    let Some(file) = shared("zurich/reports.csv") else {
        return;
    };
    let (install, first, again) = import_city("zurich", &file);
    assert_eq!((first.rows, first.added, first.rejected), (62_245, 62_244, 1));
    assert_eq!(
        first.reasons.into_iter().collect::<Vec<_>>(),
        [("outside_place", 1)]
    );
    assert_eq!((again.added, again.unchanged, again.rejected), (0, 62_244, 1));
    assert_eq!(install.audited(), 62_244);
}

#[test]
fn new_yorks_requests_are_imported_and_closed_as_they_were() {
    let Some(file) = shared("nyc/requests.csv") else {
        return;
    };
    let (install, first, again) = import_city("new-york", &file);
    assert_eq!((first.rows, first.added + first.rejected), (2_924, 2_924));
    // Parks, airports and water lie in no district; rare kinds of requests are no service of the example.
    let known = [
        "no_closing_time",
        "no_location",
        "outside_place",
        "unknown_service",
    ];
    assert_eq!(first.reasons.keys().copied().collect::<Vec<_>>(), known);
    assert!(first.rejected < 150, "{:?}", first.reasons);
    assert_eq!((again.added, again.settled, again.unchanged), (0, 0, first.added));
    assert_eq!(install.audited(), first.added);
}
