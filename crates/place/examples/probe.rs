fn main() {
    let dir = std::env::args().nth(1).unwrap();
    let t = std::time::Instant::now();
    let folder = whistle_place::Folder::read(std::path::Path::new(&dir)).unwrap();
    let read = t.elapsed();
    let r = whistle_place::compile(&folder, 1);
    eprintln!("read {read:?} total {:?}", t.elapsed());
    match r {
        Ok(c) => {
            println!(
                "{} areas {} units",
                c.place.areas.all().len(),
                c.place.units().len()
            );
            for w in c.warnings {
                println!("{w}");
            }
            let t = std::time::Instant::now();
            for l in whistle_place::check(&c.place) {
                println!("{l}");
            }
            eprintln!("check {:?}", t.elapsed());
        }
        Err(f) => println!("{f}"),
    }
}
