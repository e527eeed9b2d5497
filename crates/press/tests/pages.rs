//! Briefings on paper: what somebody finds in the PDF and the DOCX.

use std::{
    io::{Cursor, Read as _},
    path::Path,
    process::Command,
    sync::Arc,
};

use whistle_briefing::{
    compare, document::Document, evidence::Period, example::Example, html, template::Template, write,
};
use whistle_domain::words::Lang;
use whistle_press::{Error, Fonts, docx, pdf};

fn shipped(lang: Lang) -> Document {
    let period = Period::named("2025-06").unwrap();
    let evidence = Example::without(&["works", "training"]);
    write(
        &Template::shipped(),
        Arc::new(evidence),
        lang,
        period,
        "https://sanjiang.example",
    )
    .unwrap()
}

/// Those of the program; where it was built without them, those that the tests' set-up installs.
fn fonts() -> Fonts {
    Fonts::shipped()
        .or_else(|_| Fonts::with_folder(Path::new("/usr/share/fonts/opentype/noto")))
        .expect("type: run `make front`, or scripts/setup test")
}

/// The text of a PDF without any gaps, by poppler.
fn text_of_pdf(bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("briefing.pdf");
    std::fs::write(&file, bytes).unwrap();
    let done = Command::new("pdftotext")
        .arg("-layout")
        .arg(&file)
        .arg("-")
        .output();
    let done = done.expect("pdftotext: scripts/setup test installs it");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    without_gaps(&String::from_utf8_lossy(&done.stdout))
}

/// A part of a DOCX.
fn part(bytes: &[u8], name: &str) -> String {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut text = String::new();
    archive.by_name(name).unwrap().read_to_string(&mut text).unwrap();
    text
}

/// The text between the tags of XML or HTML; fails where XML is not well formed.
fn text_of_xml(xml: &str) -> String {
    use quick_xml::events::Event;
    let mut reader = quick_xml::Reader::from_str(xml);
    let mut text = String::new();
    loop {
        match reader.read_event().unwrap() {
            Event::Text(some) => text.push_str(&some),
            Event::Eof => return text,
            _ => {}
        }
    }
}

fn without_gaps(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_whitespace()).collect()
}

/// A few pages with one of each thing.
fn small() -> Document {
    let toml = "title = { zh = \"月报\" }\n[[chapter]]\nfile = \"one\"\ntitle = { zh = \"一、网格\" }\n";
    let chapter = "# 一、网格\n\n受理**{{ indicator(\"filed\") }}件**，{{ change(\"filed\") }}；手工填写35件。\n\n\
                   {{ table(\"filed\", \"on_time_handling\", by=\"town\") }}\n\n{{ chart(\"filed\", by=\"group\") }}\n\n\
                   {{ map(\"filed\", by=\"town\") }}\n\n{% for it in stories(kind=\"whistle\") %}{{ it }}{% endfor %}\n\n- 一\n- 二\n\n1. 甲\n";
    let files = [("briefing/briefing.toml", toml), ("briefing/zh/one.md", chapter)];
    let template = Template::of_place(files.map(|(path, text)| (path, text.as_bytes())), None).unwrap();
    let june = Period::named("2025-06").unwrap();
    write(
        &template,
        Arc::new(Example::default()),
        Lang::Zh,
        june,
        "https://sanjiang.example",
    )
    .unwrap()
}

#[test]
fn the_shipped_briefing_says_the_same_in_all_four_outputs() {
    let (document, fonts) = (shipped(Lang::Zh), fonts());
    let json: Document = serde_json::from_str(&document.to_json()).unwrap();
    assert_eq!(json.shown(), document.shown());
    let page = html::page(&document);
    let of_page: Vec<&str> = page
        .split("<a class=\"number\" href=\"")
        .skip(1)
        .filter_map(|rest| rest.split_once("\">")?.1.split_once("</a>"))
        .map(|(shown, _)| shown)
        .collect();
    // First the text's, then the annex's. A heat chart's table lies on its side on a page.
    let sorted = |mut shown: Vec<String>| {
        shown.sort_unstable();
        shown
    };
    let of_text = of_page[..document.shown().len()].iter().map(ToString::to_string);
    assert_eq!(
        sorted(of_text.collect()),
        sorted(document.shown().iter().map(ToString::to_string).collect())
    );
    let on_paper = text_of_pdf(&pdf(&document, &fonts).unwrap());
    let in_word = without_gaps(&text_of_xml(&part(
        &docx(&document, &fonts).unwrap(),
        "word/document.xml",
    )));
    for cited in &document.numbers {
        let shown = without_gaps(&cited.shown);
        assert!(
            on_paper.contains(&shown),
            "{} {} is not in the PDF",
            cited.key,
            cited.shown
        );
        assert!(
            in_word.contains(&shown),
            "{} {} is not in the DOCX",
            cited.key,
            cited.shown
        );
    }
    for wanted in [
        "工作汇报",
        "三江坚持统一调度、分级负责",
        "所需的数据（项目）系统内尚未产生，本次从略。",
        "附件：数据依据",
        "三江口街道",
        "第1页，共",
    ] {
        assert!(on_paper.contains(wanted), "{wanted} is not in {on_paper}");
        assert!(
            wanted.starts_with('第') || in_word.contains(wanted),
            "{wanted} is not in {in_word}"
        );
    }
}

#[test]
fn the_pdf_is_tagged_and_has_its_title_and_language() {
    let document = small();
    let bytes = pdf(&document, &fonts()).unwrap();
    let raw = String::from_utf8_lossy(&bytes);
    // Each number leads to its evidence. Streams are packed; links are not.
    assert!(raw.matches("https://sanjiang.example/figures/").count() >= document.numbers.len());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("briefing.pdf");
    std::fs::write(&file, &bytes).unwrap();
    let told = Command::new("pdfinfo").arg(&file).output().unwrap();
    let told = String::from_utf8_lossy(&told.stdout);
    assert!(told.contains("月报 · 三江 · 2025年6月"), "{told}");
    assert!(
        told.contains("Tagged:          yes") && told.contains("A4"),
        "{told}"
    );
}

#[test]
fn the_english_pdf_reads_as_english() {
    let text = text_of_pdf(&pdf(&shipped(Lang::En), &fonts()).unwrap());
    assert!(
        text.contains("Page1of") && text.contains("Annex:whatthenumbersstandon"),
        "{text}"
    );
}

#[test]
fn a_letter_that_no_font_has_is_named() {
    let mut document = small();
    document.title = "工作\u{1F9E9}汇报".to_owned();
    let refused = pdf(&document, &fonts()).unwrap_err();
    assert!(matches!(
        refused,
        Error::Letter {
            letter: '\u{1F9E9}',
            ..
        }
    ));
    assert!(refused.to_string().contains("U+1F9E9"), "{refused}");
    assert!(refused.to_string().contains("工作"), "{refused}");
}

#[test]
fn no_word_of_a_document_is_the_typesetters_language() {
    let mut document = small();
    document.title = "#panic(\"x\") $a$ *b* @c <d> \\".to_owned();
    let text = text_of_pdf(&pdf(&document, &fonts()).unwrap());
    assert!(text.contains("#panic(\"x\")$a$*b*@c<d>\\"), "{text}");
}

#[test]
fn marks_of_typed_and_changed_numbers_are_printed() {
    let mut document = small();
    let mut earlier = document.clone();
    earlier.numbers[0].numerator = Some(1);
    compare::mark(&mut document, [(3, &earlier)]);
    let text = text_of_pdf(&pdf(&document, &fonts()).unwrap());
    assert!(
        text.contains('†') && text.contains('‡') && text.contains("第3期发布时为"),
        "{text}"
    );
    let word = docx(&document, &fonts()).unwrap();
    assert!(part(&word, "word/document.xml").contains("‡（第3期发布时为"));
}

#[test]
fn the_docx_has_headings_tables_pictures_links_and_a_language() {
    let bytes = docx(&small(), &fonts()).unwrap();
    let xml = part(&bytes, "word/document.xml");
    for wanted in [
        "<w:pStyle w:val=\"Heading1\" />",
        "<w:tblHeader />",
        "<w:drawing>",
        "<w:hyperlink r:id=",
        "descr=\"",
        "TOC \\o",
    ] {
        assert!(xml.contains(wanted), "{wanted} is not in the document");
    }
    let rels = part(&bytes, "word/_rels/document.xml.rels");
    assert!(rels.contains("https://sanjiang.example/figures/filed"));
    assert!(part(&bytes, "word/styles.xml").contains("w:eastAsia=\"zh-CN\""));
    let core = part(&bytes, "docProps/core.xml");
    assert!(
        core.contains("<dc:title>三江 · 月报 · 2025年6月</dc:title>"),
        "{core}"
    );
    for name in [
        "word/document.xml",
        "word/styles.xml",
        "word/numbering.xml",
        "docProps/core.xml",
        "word/_rels/document.xml.rels",
    ] {
        text_of_xml(&part(&bytes, name));
    }
}

#[test]
fn a_folder_that_is_none_is_refused_with_its_name() {
    let refused = Fonts::with_folder(Path::new("/nowhere/at/all")).unwrap_err();
    assert!(refused.to_string().contains("/nowhere/at/all"), "{refused}");
}
