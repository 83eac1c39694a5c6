use proptest::prelude::*;

use super::{Disk, Fate, Image};
use crate::record::{Record, SyncTarget};

const FILE: SyncTarget = SyncTarget::File(1);

fn created() -> Record<'static> {
    Record::Opened {
        file: 1,
        created: true,
        name: "a",
    }
}

fn write(offset: u64, bytes: &[u8]) -> Record<'_> {
    Record::Write {
        file: 1,
        offset,
        bytes,
    }
}

fn begin(sync: u64, target: SyncTarget) -> Record<'static> {
    Record::SyncBegin { sync, target }
}

fn end(sync: u64, succeeded: bool) -> Record<'static> {
    Record::SyncEnd { sync, succeeded }
}

fn synced(sync: u64, target: SyncTarget) -> [Record<'static>; 2] {
    [begin(sync, target), end(sync, true)]
}

fn image(files: &[(&str, &[u8])]) -> Image {
    let files = files
        .iter()
        .map(|(name, bytes)| ((*name).to_owned(), bytes.to_vec()))
        .collect();
    Image { files }
}

/// What is left when nothing unsynced reaches the disk.
fn left(records: &[Record<'_>]) -> Image {
    let mut disk = Disk::new(Fate::ONLY_SYNCED, 1);
    for record in records {
        disk.apply(record);
    }
    disk.after_power_loss()
}

#[test]
fn a_file_needs_its_own_sync_and_its_folders() {
    let file = synced(1, FILE);
    let folder = synced(2, SyncTarget::Folder);
    let base = [created(), write(0, b"one")];
    assert_eq!(left(&base), image(&[]));
    assert_eq!(left(&[&base[..], &file].concat()), image(&[]));
    assert_eq!(left(&[&base[..], &folder].concat()), image(&[("a", b"")]));
    assert_eq!(
        left(&[&base[..], &file, &folder].concat()),
        image(&[("a", b"one")])
    );
}

#[test]
fn a_sync_covers_what_was_written_before_it_began() {
    let [folder_begin, folder_end] = synced(9, SyncTarget::Folder);
    let records = [
        created(),
        folder_begin,
        folder_end,
        write(0, b"one"),
        begin(1, FILE),
        write(3, b"two"),
        end(1, true),
    ];
    assert_eq!(left(&records), image(&[("a", b"one")]));
    // The kill came before the sync returned.
    assert_eq!(left(&records[..6]), image(&[("a", b"")]));
}

#[test]
fn two_syncs_may_overlap() {
    let [folder_begin, folder_end] = synced(9, SyncTarget::Folder);
    let records = [
        created(),
        folder_begin,
        folder_end,
        write(0, b"one"),
        begin(1, FILE),
        write(3, b"two"),
        begin(2, FILE),
        end(2, true),
        end(1, true),
    ];
    assert_eq!(left(&records), image(&[("a", b"onetwo")]));
}

/// After a failed sync the kernel calls the pages clean: a later sync does not write them.
#[test]
fn what_a_failed_sync_covered_is_lost_for_good() {
    let [folder_begin, folder_end] = synced(9, SyncTarget::Folder);
    let [again_begin, again_end] = synced(2, FILE);
    let records = [
        created(),
        folder_begin,
        folder_end,
        write(0, b"one"),
        begin(1, FILE),
        end(1, false),
        write(3, b"two"),
        again_begin,
        again_end,
    ];
    assert_eq!(left(&records), image(&[("a", b"\0\0\0two")]));
    let mut disk = Disk::new(Fate::ONLY_SYNCED, 1);
    for record in &records {
        disk.apply(record);
    }
    assert_eq!(
        disk.seen(),
        image(&[("a", b"onetwo")]),
        "a reader still sees both"
    );
}

#[test]
fn removed_names_come_back_without_a_sync_of_the_folder() {
    let [file_begin, file_end] = synced(1, FILE);
    let [folder_begin, folder_end] = synced(2, SyncTarget::Folder);
    let base = [
        created(),
        write(0, b"one"),
        file_begin,
        file_end,
        folder_begin,
        folder_end,
    ];
    let unlinked = [&base[..], &[Record::Unlink { name: "a" }]].concat();
    assert_eq!(left(&unlinked), image(&[("a", b"one")]));
    let gone = [&unlinked[..], &synced(3, SyncTarget::Folder)].concat();
    assert_eq!(left(&gone), image(&[]));
    let renamed = [
        &base[..],
        &[Record::Rename { from: "a", to: "b" }],
        &synced(3, SyncTarget::Folder),
    ]
    .concat();
    assert_eq!(left(&renamed), image(&[("b", b"one")]));
}

/// A second process counts its files anew and finds those of the first by name.
#[test]
fn a_second_process_goes_on_with_the_files() {
    let [file_begin, file_end] = synced(1, SyncTarget::File(7));
    let [folder_begin, folder_end] = synced(2, SyncTarget::Folder);
    let records = [
        created(),
        write(0, b"one"),
        Record::Begin,
        Record::Opened {
            file: 7,
            created: false,
            name: "a",
        },
        Record::Write {
            file: 7,
            offset: 3,
            bytes: b"two",
        },
        file_begin,
        file_end,
        folder_begin,
        folder_end,
    ];
    assert_eq!(left(&records), image(&[("a", b"onetwo")]));
}

/// Every kind of fate lets through what it says, in whole sectors, and never what was not written.
#[test]
fn unsynced_sectors_reach_the_disk_by_chance() {
    let bytes = vec![7_u8; 1 << 20];
    for seed in 0..40 {
        let fate = Fate::of_seed(seed);
        let mut disk = Disk::new(fate, seed);
        disk.apply(&created());
        for record in synced(1, SyncTarget::Folder) {
            disk.apply(&record);
        }
        disk.apply(&write(100, &bytes));
        let image = disk.after_power_loss();
        let kept = &image.files["a"];
        let sector = usize::try_from(fate.sector_bytes).unwrap();
        let sectors = kept.len().div_ceil(sector);
        let mut reached = 0_u32;
        for number in 0..sectors {
            let end = (number * sector + sector).min(kept.len());
            let written = &kept[(number * sector).max(100).min(end)..end];
            assert!(written.iter().all(|byte| *byte == written[0]));
            reached += u32::from(written.first() == Some(&7));
        }
        let share = f64::from(reached) / (bytes.len() as f64 / fate.sector_bytes as f64);
        assert!(
            (share - fate.reaches).abs() < 0.15,
            "seed {seed}: {share} of {fate:?}"
        );
    }
}

proptest! {
    /// After a sync of the file, chance has no say; without one, what the program sees is a plain
    /// file.
    #[test]
    fn synced_content_is_what_was_seen(
        writes in prop::collection::vec((0_u64..2_000, prop::collection::vec(any::<u8>(), 0..900)), 1..20),
        cut in prop::option::of(0_u64..2_500),
        seed in any::<u64>(),
    ) {
        let mut plain = Vec::new();
        let mut disk = Disk::new(Fate::of_seed(seed), seed);
        disk.apply(&created());
        for (offset, bytes) in &writes {
            let start = usize::try_from(*offset).unwrap();
            if plain.len() < start + bytes.len() {
                plain.resize(start + bytes.len(), 0);
            }
            plain[start..start + bytes.len()].copy_from_slice(bytes);
            disk.apply(&write(*offset, bytes));
        }
        if let Some(length) = cut {
            plain.resize(usize::try_from(length).unwrap(), 0);
            disk.apply(&Record::Resize { file: 1, length });
        }
        let expected = image(&[("a", &plain)]);
        prop_assert_eq!(&disk.seen(), &expected);
        for record in [synced(1, FILE), synced(2, SyncTarget::Folder)].concat() {
            disk.apply(&record);
        }
        prop_assert_eq!(&disk.after_power_loss(), &expected);
    }
}
