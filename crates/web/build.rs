//! Has the crate compiled anew when what is built from `front/` is there, gone or another, and says so when it is missing.

use std::path::Path;

fn main() {
    let built = Path::new("../../front/dist/.vite/manifest.json");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=../../front/dist");
    if !built.exists() {
        println!(
            "cargo::warning=front/ is not built, so this program's /map is a list without a map, and /report one long form; run `make front` first"
        );
    }
}
