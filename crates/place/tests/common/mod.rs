//! The village in `tests/folders/village`: small, sound, and easy to break.

#![allow(dead_code, reason = "each test file uses its part")]

use std::{collections::BTreeMap, path::Path};

use whistle_domain::place::Place;
use whistle_place::{Compiled, Fault, Faults, Folder, compile};

/// Its files, to be changed.
#[derive(Clone)]
pub struct Village {
    files: BTreeMap<String, Vec<u8>>,
}

impl Village {
    pub fn new() -> Self {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/folders/village");
        let folder = Folder::read(&dir).expect("the village can be read");
        Self {
            files: folder.files().clone(),
        }
    }

    pub fn text(&self, file: &str) -> String {
        String::from_utf8(self.files[file].clone()).expect("the village is UTF-8")
    }

    pub fn with_bytes(mut self, file: &str, bytes: Vec<u8>) -> Self {
        self.files.insert(file.to_owned(), bytes);
        self
    }

    pub fn with(self, file: &str, text: &str) -> Self {
        self.with_bytes(file, text.as_bytes().to_vec())
    }

    pub fn without(mut self, file: &str) -> Self {
        self.files.remove(file).expect("the file is there");
        self
    }

    pub fn map(self, file: &str, change: impl FnOnce(String) -> String) -> Self {
        let text = change(self.text(file));
        self.with(file, &text)
    }

    /// Replaces what occurs at least once.
    pub fn replace(self, file: &str, from: &str, to: &str) -> Self {
        self.map(file, |text| {
            assert!(text.contains(from), "{file} has no {from:?}");
            text.replace(from, to)
        })
    }

    /// Replaces within the feature of one area, once.
    pub fn in_area(self, code: &str, from: &str, to: &str) -> Self {
        self.map("areas.geojson", |text| {
            let is_it = format!("\"code\":\"{code}\"");
            let line = text
                .lines()
                .find(|line| line.contains(&is_it))
                .expect("the area is there");
            assert!(line.contains(from), "area {code} has no {from:?}: {line}");
            text.replace(line, &line.replacen(from, to, 1))
        })
    }

    pub fn without_area(self, code: &str) -> Self {
        self.map("areas.geojson", |text| {
            let is_it = format!("\"code\":\"{code}\"");
            let lines: Vec<&str> = text.lines().filter(|line| !line.contains(&is_it)).collect();
            lines.join("\n").replace("},\n]}", "}\n]}")
        })
    }

    pub fn folder(&self) -> Folder {
        Folder::from_files(self.files.clone()).expect("the village is small")
    }

    pub fn compiled(&self) -> Result<Compiled, Faults> {
        compile(&self.folder(), 1)
    }

    pub fn place(&self) -> Place {
        self.compiled().expect("the village is sound").place
    }

    pub fn faults(&self) -> Vec<Fault> {
        match self.compiled() {
            Ok(compiled) => compiled.warnings,
            Err(faults) => faults.into_list(),
        }
    }

    /// All faults, one a line.
    pub fn told(&self) -> String {
        let lines: Vec<String> = self.faults().iter().map(ToString::to_string).collect();
        lines.join("\n")
    }
}

pub fn encoded_gbk(text: &str) -> Vec<u8> {
    encoding_rs::GBK.encode(text).0.into_owned()
}
