//! Disks without room: it is said clearly (507), nothing is half written, and work goes on once there is room again.
//!
//! Each test has a small file system of its own, which only root may mount; without that it is skipped, and says so.

mod harness;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use harness::{Answer, Home, Server};

/// A small file system in memory; unmounted when it is dropped.
struct Small(PathBuf);

impl Small {
    /// None where this process may not mount.
    fn at(dir: &Path, mebibytes: u32) -> Option<Self> {
        fs::create_dir_all(dir).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={mebibytes}m"), "tmpfs"])
            .arg(dir)
            .output();
        if mounted.is_ok_and(|run| run.status.success()) {
            return Some(Self(dir.to_owned()));
        }
        eprintln!("skipped: only root may mount a small file system");
        None
    }

    /// Takes all room but a little.
    fn fill(&self) -> PathBuf {
        let ballast = self.0.join("ballast");
        let block = vec![0; 64 * 1024];
        let mut file = fs::File::create(&ballast).unwrap();
        while std::io::Write::write_all(&mut file, &block).is_ok() {}
        ballast
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

fn id_of(answer: &Answer) -> i64 {
    let id = &answer.json()[0]["service_request_id"];
    id.as_str().unwrap().parse().unwrap()
}

/// Reports with a photo of many colours, another one each time.
fn report_with_photo(server: &Server, api_key: &str, seed: u32) -> Answer {
    let picture = image::RgbImage::from_fn(400, 400, |x, y| {
        let n = (x * 7919 + y * 104_729 + seed * 1_299_709).wrapping_mul(2_654_435_761);
        image::Rgb([(n >> 8) as u8, (n >> 16) as u8, (n >> 24) as u8])
    });
    harness::report_with(server, api_key, &picture)
}

#[test]
fn a_full_disk_of_sqlite_is_answered_507_and_nothing_acknowledged_is_lost() {
    let Some(home) = Home::in_files() else { return };
    let Some(small) = Small::at(&home.data(), 12) else {
        return;
    };
    let home = home.with_village();
    let api_key = home.key();
    let server = home.serve();
    let mut acknowledged = Vec::new();
    let mut ballast = None;
    for round in 0..2 {
        for i in 0.. {
            assert!(i < 5000, "the disk is never full");
            let answer = server.report(&api_key, &format!("{round}-{i}")).unwrap();
            if answer.status < 300 {
                acknowledged.push(id_of(&answer));
            } else {
                assert_eq!(answer.status, 507, "{answer:#?}");
                break;
            }
            if i == 10 {
                ballast = Some(small.fill());
            }
        }
        let refused = acknowledged.len();
        assert_eq!(server.get("/healthz").status, 200);
        for id in &acknowledged {
            assert_eq!(server.get(&format!("/open311/v2/requests/{id}.json")).status, 200);
        }
        fs::remove_file(ballast.take().unwrap()).unwrap();
        let answer = server.report(&api_key, &format!("{round}-again")).unwrap();
        assert!(answer.status < 300, "there is room again: {answer:#?}");
        acknowledged.push(id_of(&answer));
        eprintln!("round {round}: full after {refused} reports, goes on when there is room");
    }
    assert_eq!(home.cases(), acknowledged.len() as i64);
    server.stop();
    let verified = home.run(&["verify"]).good();
    eprintln!("{}", verified.out.trim());
}

#[test]
fn a_full_disk_of_the_photos_is_answered_507_and_makes_no_case_and_no_half_photo() {
    let home = Home::village();
    let Some(small) = Small::at(&home.data().join("media"), 2) else {
        return;
    };
    let api_key = home.key();
    let server = home.serve();
    assert!(report_with_photo(&server, &api_key, 1).status < 300);
    let ballast = small.fill();
    let refused = report_with_photo(&server, &api_key, 2);
    assert_eq!(refused.status, 507, "{refused:#?}");
    assert_eq!(home.cases(), 1);
    let files: Vec<_> = files_in(&home.data().join("media/photos"));
    assert!(files.iter().all(|file| !file.contains('#')), "{files:?}");
    // Without a photo nothing is missing.
    assert!(server.report(&api_key, "no photo").unwrap().status < 300);
    fs::remove_file(ballast).unwrap();
    assert!(report_with_photo(&server, &api_key, 2).status < 300);
    assert_eq!(home.cases(), 3);
    eprintln!("photos: refused while full, kept when there is room; {files:?}");
    server.stop();
    home.run(&["verify"]).good();
}

fn files_in(dir: &Path) -> Vec<String> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_in(&path));
        } else {
            files.push(path.file_name().unwrap().to_string_lossy().into_owned());
        }
    }
    files
}
