//! Templates become documents: what is marked, what is left out, what is found wrong.

use std::{collections::BTreeMap, sync::Arc};

use whistle_briefing::{
    compare,
    document::{Block, Document, Run},
    evidence::{Absent, Ask, Basis, By, Choice, Evidence, Number, Period, Row, Said, Shape, Story},
    example::Example,
    html,
    template::{Fault, Known, Template},
    write,
};
use whistle_domain::{place::Level, words::Lang};

const TOML: &str = "title = { zh = \"工作汇报\", en = \"Work report\" }\nallow = [\"12345\"]\n\n[[chapter]]\nfile = \"one\"\n\
                    title = { zh = \"一、网格\", en = \"1. The grid\" }\n";

fn files(chapters: &[(&str, &str)]) -> BTreeMap<String, String> {
    let mut files = BTreeMap::from([("briefing/briefing.toml".to_owned(), TOML.to_owned())]);
    for (name, text) in chapters {
        files.insert(format!("briefing/{name}"), (*text).to_owned());
    }
    files
}

fn read(files: &BTreeMap<String, String>, codes: Option<&[&str]>) -> Result<Arc<Template>, Vec<String>> {
    let told = |faults: Vec<Fault>| {
        let told = faults.into_iter().map(|fault| {
            let line = fault.line.map(|line| format!(":{line}")).unwrap_or_default();
            format!("{}{line}: {}", fault.file, fault.what)
        });
        told.collect()
    };
    Template::of_place(
        files.iter().map(|(path, text)| (path.as_str(), text.as_bytes())),
        codes.map(|indicators| Known {
            indicators,
            needs: &["cases"],
        }),
    )
    .map_err(told)
}

fn june() -> Period {
    Period::named("2025-06").unwrap()
}

/// The document of one Chinese chapter.
fn document(text: &str) -> Document {
    let template = read(&files(&[("zh/one.md", text)]), None).unwrap();
    write(
        &template,
        Arc::new(Example::default()),
        Lang::Zh,
        june(),
        "https://sanjiang.example",
    )
    .unwrap()
}

/// What is wrong with one Chinese chapter.
fn wrong(text: &str) -> Vec<String> {
    read(
        &files(&[("zh/one.md", text)]),
        Some(&["filed", "closed", "on_time_handling"]),
    )
    .unwrap_err()
}

fn shipped(lang: Lang, period: &str, evidence: Example) -> Document {
    let period = Period::named(period).unwrap();
    write(
        &Template::shipped(),
        Arc::new(evidence),
        lang,
        period,
        "https://sanjiang.example",
    )
    .unwrap()
}

#[test]
fn the_shipped_template_passes_the_check_of_a_places_own() {
    let files: BTreeMap<_, _> = Template::shipped_files()
        .map(|(path, text)| (path.to_owned(), text.to_owned()))
        .collect();
    assert_eq!(read(&files, None).err(), None);
}

#[test]
fn the_shipped_template_has_no_number_that_was_typed() {
    for lang in Lang::ALL {
        assert_eq!(shipped(lang, "2025-06", Example::default()).typed, []);
    }
}

/// One of each thing that a document can hold.
const EACH: &str = "# 一、网格\n\n受理**{{ indicator(\"filed\") }}件**，{{ change(\"filed\") }}；手工填写35件。\n\n\
                    {{ table(\"filed\", \"on_time_handling\", by=\"group\", sort=\"most\") }}\n\n\
                    {{ chart(\"filed\", by=\"group\", kind=\"stacked\", title=\"各类受理量\") }}\n\n\
                    {{ map(\"on_time_handling\", by=\"town\") }}\n\n\
                    {% for story in stories(kind=\"whistle\") %}{{ story }}{% endfor %}\n\n- 一\n- 二\n";

#[test]
fn a_document_is_the_same_each_time_and_in_its_outputs_as_it_was() {
    let document = document(EACH);
    assert_eq!(document.hash(), self::document(EACH).hash());
    insta::assert_snapshot!("each_json", document.to_json());
    insta::assert_snapshot!("each_html", html::page(&document));
}

/// What somebody reads, without tables and pictures.
fn reading(document: &Document) -> String {
    let lines = document.blocks.iter().map(|block| match block {
        Block::Heading { level, runs, .. } => {
            format!("{} {}", "#".repeat(*level as usize), html::plain(document, runs))
        }
        Block::Paragraph { runs } => html::plain(document, runs),
        Block::Table { caption, .. } => format!("[table: {}]", html::plain(document, caption)),
        Block::Chart { caption, kind, .. } => format!("[{kind:?}: {}]", html::plain(document, caption)),
        Block::Map { caption, .. } => format!("[map: {}]", html::plain(document, caption)),
        Block::Story {
            title, when_where, ..
        } => format!("[story: {title} ({when_where})]"),
        Block::Note { text } => format!("[note: {text}]"),
        other => format!("{other:?}"),
    });
    lines.collect::<Vec<_>>().join("\n\n")
}

#[test]
fn the_shipped_documents_read_as_they_should() {
    insta::assert_snapshot!(
        "shipped_zh",
        reading(&shipped(
            Lang::Zh,
            "2025-06",
            Example::without(&["works", "training"])
        ))
    );
    insta::assert_snapshot!(
        "shipped_en",
        reading(&shipped(
            Lang::En,
            "2025-06",
            Example::without(&["activities", "legal"])
        ))
    );
}

#[test]
fn what_is_read_back_is_the_document() {
    let document = shipped(Lang::Zh, "2025-06", Example::default());
    let read: Document = serde_json::from_str(&document.to_json()).unwrap();
    assert_eq!(read, document);
}

#[test]
fn a_chapter_whose_data_is_not_there_is_left_out_and_the_document_says_so() {
    let document = shipped(Lang::Zh, "2025-06", Example::without(&["works", "training"]));
    let titles: Vec<_> = document.left_out.iter().map(|part| part.title.as_str()).collect();
    assert_eq!(titles, ["（三）业务培训", "二、保障民生，办好实事项目"]);
    let notes = document.blocks.iter().filter_map(|block| match block {
        Block::Note { text } => Some(text.as_str()),
        _ => None,
    });
    let notes: Vec<_> = notes.collect();
    assert_eq!(
        notes,
        [
            "“（三）业务培训”所需的数据（培训）系统内尚未产生，本次从略。",
            "“二、保障民生，办好实事项目”所需的数据（项目）系统内尚未产生，本次从略。"
        ]
    );
}

#[test]
fn a_typed_number_is_marked_with_its_line() {
    let document = document(
        "# 1. 网格\n\n2025年6月，共有 35 人，\n完成率98.5%。拨打12345。受理{{ indicator(\"filed\") }}件。\n",
    );
    let typed: Vec<_> = document
        .typed
        .iter()
        .map(|typed| (typed.text.as_str(), typed.line))
        .collect();
    assert_eq!(typed, [("35", Some(3)), ("98.5%", Some(4))]);
    assert_eq!(document.typed[0].file, "briefing/zh/one.md");
    let page = html::page(&document);
    assert!(page.contains("<span class=\"typed\">98.5%<sup>†</sup></span>"));
    assert!(page.contains("<li>98.5%† — briefing/zh/one.md:4</li>"));
    assert_eq!(document.numbers.len(), 1);
}

#[test]
fn a_number_that_a_template_puts_together_is_marked_too() {
    let document = document(
        "合计{{ 6 * 7 }}，{{ indicator(\"filed\").value }}，{% for n in range(2) %}{{ n }}、{% endfor %}{{ \"33\" }}",
    );
    let typed: Vec<_> = document.typed.iter().map(|typed| typed.text.as_str()).collect();
    assert_eq!(typed.len(), 5, "{typed:?}");
    assert!(document.typed.iter().all(|typed| typed.line.is_none()));
}

#[test]
fn names_periods_and_stories_are_not_typed() {
    let document = document(
        "{{ period }}（{{ before }}、{{ last_year }}），{{ place }}，{{ name(area=\"330101\") }}。\n\n\
         {% for story in stories(kind=\"whistle\", most=2) %}{{ story.title }}、{{ story.date }}\n\n{{ story }}{% endfor %}",
    );
    assert_eq!(document.typed, []);
    let page = html::page(&document);
    assert!(
        page.contains("2025年6月（2025年5月、2024年6月），三江，东河镇。"),
        "{page}"
    );
    assert_eq!(page.matches("class=\"story\"").count(), 2);
}

#[test]
fn words_of_the_evidence_are_no_markdown_and_no_html() {
    struct Sly(Example);
    impl Evidence for Sly {
        fn basis(&self) -> Basis {
            Basis {
                place: Said::same("**<script>alert(1)</script>** {{ 7*7 }} # x"),
                ..self.0.basis()
            }
        }
        fn has(&self, need: &str) -> bool {
            self.0.has(need)
        }
        fn number(&self, ask: &Ask) -> Result<Number, Absent> {
            self.0.number(ask)
        }
        fn cut(&self, asks: &[Ask], by: By) -> Result<Vec<Row>, Absent> {
            self.0.cut(asks, by)
        }
        fn stories(&self, choice: &Choice) -> Result<Vec<Story>, Absent> {
            self.0.stories(choice)
        }
        fn shapes(&self, level: Level) -> Vec<Shape> {
            self.0.shapes(level)
        }
        fn name(&self, what: &str, code: &str) -> Option<Said> {
            self.0.name(what, code)
        }
    }
    let template = read(&files(&[("zh/one.md", "地点：{{ place }}\n")]), None).unwrap();
    let document = write(&template, Arc::new(Sly(Example::default())), Lang::Zh, june(), "").unwrap();
    let text = match &document.blocks[..] {
        [Block::Paragraph { runs }] => html::plain(&document, runs),
        other => panic!("{other:?}"),
    };
    assert_eq!(text, "地点：**<script>alert(1)</script>** {{ 7*7 }} # x");
    assert!(!html::page(&document).contains("<script"));
}

#[test]
fn every_number_of_the_page_leads_to_its_evidence_and_stands_in_the_annex() {
    let document = shipped(Lang::Zh, "2025-06", Example::default());
    let page = html::page(&document);
    let (text, annex) = page.split_once("<section class=\"annex\"").unwrap();
    for cited in &document.numbers {
        assert!(cited.link.starts_with("/figures/"));
        let link = format!(
            "<a class=\"number\" href=\"https://sanjiang.example{}\">{}</a>",
            cited.link.replace('&', "&amp;"),
            cited.shown
        );
        assert!(annex.contains(&link), "{link}");
    }
    assert_eq!(
        text.matches("<a class=\"number\"").count(),
        document.shown().len()
    );
}

#[test]
fn a_change_is_a_number_with_a_formula() {
    let document = document(
        "受理{{ indicator(\"filed\") }}件，{{ change(\"filed\") }}；按期{{ change(\"on_time_handling\", against=\"last_year\") }}。",
    );
    let changes: Vec<_> = document
        .numbers
        .iter()
        .filter(|cited| cited.key.contains("change from"))
        .collect();
    assert_eq!(changes.len(), 2);
    assert!(changes[0].shown.ends_with('%') && changes[1].shown.ends_with("个百分点"));
    assert!(changes[0].formula.contains("÷ 对比期"));
    assert_eq!(document.typed, []);
    // What it is worked out from stands in the annex.
    assert_eq!(document.numbers.len(), 6);
}

#[test]
fn the_same_number_stands_in_the_annex_once() {
    let document = document(
        "{{ indicator(\"filed\") }}、{{ indicator(\"filed\") }}、{{ indicator(\"filed\", period=\"2025-06\") }}",
    );
    assert_eq!(document.numbers.len(), 1);
    assert_eq!(document.shown().len(), 3);
}

#[test]
fn chinese_lines_are_joined_without_a_gap_and_english_ones_with_one() {
    let document = document("第一行\n第二行 one\ntwo\n");
    let [Block::Paragraph { runs }] = &document.blocks[..] else {
        panic!()
    };
    assert_eq!(html::plain(&document, runs), "第一行第二行 one two");
}

#[test]
fn lists_tables_quotes_links_and_emphasis_are_kept() {
    let document = document(
        "- 一\n- **二**{{ indicator(\"filed\") }}\n\n1. 甲\n\n> 引文\n\n| 项 | 数 |\n| --- | --- |\n| 受理 | {{ indicator(\"filed\") }} |\n\n[网站](https://a.example)，[坏](javascript:x)，*强调*\n",
    );
    let page = html::page(&document);
    for wanted in [
        "<li><strong>二</strong>",
        "<ol>",
        "<blockquote>",
        "<th scope=\"row\">受理</th>",
        "<a href=\"https://a.example\">网站</a>",
        "<em>强调</em>",
    ] {
        assert!(page.contains(wanted), "{wanted} is not in {page}");
    }
    assert!(!page.contains("javascript:"));
}

#[test]
fn faults_name_file_and_line() {
    let cases: [(&str, &str); 9] = [
        (
            "# 一\n\n{{ indicator(\"filde\") }}\n",
            "briefing/zh/one.md:3: there is no indicator \"filde\"",
        ),
        (
            "一\n\n{{ indicater(\"filed\") }}\n",
            "briefing/zh/one.md:3: \"indicater\" is not known",
        ),
        ("一\n{% if %}\n", "briefing/zh/one.md:2: is no expression"),
        (
            "一\n\n\n{{ table(\"filed\", by=\"area\", level=\"twon\") }}\n",
            "briefing/zh/one.md:4: by=\"area\", level=\"twon\" is none",
        ),
        (
            "一\n{{ indicator(\"filed\", period=\"June\") }}\n",
            "briefing/zh/one.md:2: period \"June\" is none",
        ),
        ("一\n\n<b>二</b>\n", "briefing/zh/one.md:3: is HTML"),
        (
            "一\n{{ indicator(\"filed\", aera=\"1\") }}\n",
            "briefing/zh/one.md:2: unknown keyword argument 'aera'",
        ),
        (
            "一\n\n{{ chart(\"filed\", by=\"month\", kind=\"pie\") }}\n",
            "briefing/zh/one.md:3: kind=\"pie\" is none",
        ),
        (
            "一{{ table(\"filed\", by=\"town\") }}二\n{{ indicator(\"filed\") | upper }}",
            "briefing/zh/one.md",
        ),
    ];
    for (text, wanted) in cases {
        let found = wrong(text);
        assert!(
            found.len() == 1 && found[0].starts_with(wanted),
            "{text:?} gives {found:?}"
        );
    }
}

#[test]
fn every_unknown_indicator_is_found_in_one_go() {
    let found =
        wrong("{{ indicator(\"a\") }}\n{{ table(\"filed\", \"b\", by=\"town\") }}\n{{ change('c') }}\n");
    assert_eq!(
        found,
        [
            "briefing/zh/one.md:1: there is no indicator \"a\"",
            "briefing/zh/one.md:2: there is no indicator \"b\"",
            "briefing/zh/one.md:3: there is no indicator \"c\"",
        ]
    );
}

#[test]
fn faults_of_the_list_of_chapters_name_its_lines() {
    let mut files = files(&[("zh/one.md", "一\n"), ("zh/lost.md", "失\n")]);
    let toml = files.get_mut("briefing/briefing.toml").unwrap();
    toml.push_str("needs = [\"wroks\"]\n\n[[chapter]]\nfile = \"two\"\ntitle = { zh = \"二\" }\n");
    let found = read(&files, None).unwrap_err();
    assert_eq!(
        found,
        [
            "briefing/briefing.toml:7: nothing is called \"wroks\" that a chapter may need",
            "briefing/briefing.toml:10: the chapter \"two\" has no file briefing/zh/two.md",
            "briefing/zh/lost.md: belongs to no chapter",
        ]
    );
    let broken = BTreeMap::from([(
        "briefing/briefing.toml".to_owned(),
        "title = { zh = \"a\" }\nchapters = 3\n".to_owned(),
    )]);
    let found = read(&broken, None).unwrap_err();
    assert!(found[0].starts_with("briefing/briefing.toml:"), "{found:?}");
}

#[test]
fn a_loop_without_end_is_stopped() {
    let found = wrong("{% for a in range(9000) %}{% for b in range(9000) %}{{ b }}{% endfor %}{% endfor %}");
    assert!(found[0].contains("fuel"), "{found:?}");
}

#[test]
fn a_number_that_changed_since_it_was_issued_says_what_it_was() {
    let old = shipped(Lang::Zh, "2025-06", Example::default());
    let mut evidence = Example::default();
    evidence.more = 3;
    let mut new = shipped(Lang::Zh, "2025-06", evidence);
    compare::mark(&mut new, [(7, &old)]);
    let filed = new
        .numbers
        .iter()
        .find(|cited| cited.key == "filed 2025-06-01..2025-06-30")
        .unwrap();
    let was = filed.was.as_ref().unwrap();
    let before = old.numbers.iter().find(|cited| cited.key == filed.key).unwrap();
    assert_eq!((was.issue, &was.shown), (7, &before.shown));
    assert!(
        html::page(&new).contains(&format!("（第7期发布时为{}", before.shown))
            || html::page(&new).contains(&format!("(第7期发布时为{})", before.shown))
    );
    // Shares did not change.
    assert!(
        new.numbers
            .iter()
            .filter(|cited| cited.key.starts_with("on_time_handling 2025"))
            .all(|cited| cited.was.is_none())
    );

    let differences = compare::compare(&old, &new);
    assert!(
        differences
            .iter()
            .any(|it| it.key == filed.key && it.old.as_ref() == Some(&before.shown))
    );
    assert!(compare::compare(&old, &old).is_empty());
}

#[test]
fn the_newest_issue_is_the_one_that_is_compared_with() {
    let issue = |more| {
        let mut evidence = Example::default();
        evidence.more = more;
        shipped(Lang::Zh, "2025-06", evidence)
    };
    let mut new = issue(5);
    compare::mark(&mut new, [(2, &issue(5)), (1, &issue(0))]);
    assert!(new.numbers.iter().all(|cited| cited.was.is_none()));
}

#[test]
fn the_period_before_is_as_many_months_and_last_year_the_same_ones() {
    let said = |period: Period| format!("{}..{}", period.from, period.to);
    let half = Period {
        from: "2024-01-01".parse().unwrap(),
        to: "2024-06-30".parse().unwrap(),
    };
    assert_eq!(said(half.before()), "2023-07-01..2023-12-31");
    let february = Period::named("2024-02").unwrap();
    assert_eq!(said(february.last_year()), "2023-02-01..2023-02-28");
    assert_eq!(
        said(Period::named("2023-02").unwrap().before()),
        "2023-01-01..2023-01-31"
    );
    let days = Period {
        from: "2025-06-10".parse().unwrap(),
        to: "2025-06-19".parse().unwrap(),
    };
    assert_eq!(said(days.before()), "2025-05-31..2025-06-09");
}

#[test]
fn a_run_of_text_is_found_once() {
    let document = document("一{{ indicator(\"filed\") }}二");
    let [Block::Paragraph { runs }] = &document.blocks[..] else {
        panic!()
    };
    assert!(
        matches!(
            &runs[..],
            [Run::Text { .. }, Run::Number { .. }, Run::Text { .. }]
        ),
        "{runs:?}"
    );
}
