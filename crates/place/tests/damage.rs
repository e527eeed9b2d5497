//! Whatever a folder holds, it is compiled or refused; nothing panics and nothing hangs.

mod common;

use common::Village;
use proptest::prelude::*;
use whistle_place::difference;

const FILES: [&str; 13] = whistle_place::KNOWN_FILES;

/// The village, with a round.
fn village() -> Village {
    Village::new().with(
        "rounds.csv",
        "round,round_name,area,post,code,name,lon,lat,service,asset,every\n\
         UP,上游日常巡查,230599100,T100-P,UP-1,水井,131.805,46.205,WAT-LEAK,W-1,1\n\
         UP,,,,UP-2,公告栏,131.815,46.205,,,7天\n",
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn random_bytes_in_any_file_never_panic(
        file in prop::sample::select(FILES.as_slice()),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let village = village();
        let mut bytes = village.text(file).into_bytes();
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let broken = village.clone().with_bytes(file, bytes);
        let _ = broken.told();
        let _ = difference(Some(&village.folder()), &broken.folder());
    }

    #[test]
    fn files_that_break_off_never_panic(file in prop::sample::select(FILES.as_slice()), share in 0.0..1.0_f64) {
        let village = village();
        let mut bytes = village.text(file).into_bytes();
        bytes.truncate((bytes.len() as f64 * share) as usize);
        let _ = village.with_bytes(file, bytes).told();
    }

    #[test]
    fn digits_moved_about_in_the_areas_never_panic(
        moves in prop::collection::vec((any::<prop::sample::Index>(), b'0'..=b'9'), 1..20),
    ) {
        let village = village();
        let mut bytes = village.text("areas.geojson").into_bytes();
        let digits: Vec<usize> = (0..bytes.len()).filter(|i| bytes[*i].is_ascii_digit()).collect();
        for (at, digit) in moves {
            bytes[digits[at.index(digits.len())]] = digit;
        }
        let _ = village.with_bytes("areas.geojson", bytes).told();
    }
}
