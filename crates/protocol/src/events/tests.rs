//! Both sides at once, and a reader before whom anything stands.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::layout::NAME_BYTES;
use super::*;

fn memory(layout: Layout) -> Vec<AtomicU64> {
    let words: Vec<AtomicU64> = (0..layout.words()).map(|_| AtomicU64::new(0)).collect();
    format(&words, layout).unwrap();
    words
}

fn event(thread: u64, n: i64) -> Event {
    // Words that belong together: a record of two halves is seen.
    Event {
        probe: n as u32,
        exception: (n % 3 == 0).then_some(Thrown { class: (n % 1000) as u16, own: n % 2 == 0 }),
        thread,
        start: n,
        end: n ^ thread as i64,
    }
}

/// So many writers of so many events each, with more shards or fewer than writers, and a ring that is often full.
#[test]
fn what_is_written_is_read_or_counted() {
    const EVENTS: i64 = 50_000;
    for (shards, records, writers) in [(1, 64, 4), (4, 16, 4), (2, 1024, 3)] {
        let layout = Layout::new(shards, records, writers).unwrap();
        let words = &memory(layout);
        let done = &AtomicBool::new(false);
        let mut reader = Reader::new(words).unwrap();
        let (read, lost) = std::thread::scope(|scope| {
            let reading = scope.spawn(move || {
                let (mut next, mut read) = (vec![0; writers], 0);
                loop {
                    let ended = done.load(Ordering::Acquire);
                    let now = Instant::now();
                    let drained = reader.drain(now, |found| {
                        assert_eq!(found, event(found.thread, found.start), "a torn record");
                        let next: &mut i64 = &mut next[found.thread as usize];
                        assert!(found.start >= *next, "out of order");
                        *next = found.start + 1;
                        read += 1;
                    });
                    if ended && drained == 0 {
                        return (read, reader.lost());
                    }
                }
            });
            let writing: Vec<_> = (0..writers)
                .map(|thread| {
                    scope.spawn(move || {
                        for n in 0..EVENTS {
                            let _ = write(words, layout, thread, &event(thread as u64, n));
                        }
                    })
                })
                .collect();
            writing.into_iter().for_each(|thread| thread.join().unwrap());
            done.store(true, Ordering::Release);
            reading.join().unwrap()
        });
        assert_eq!(read + lost, EVENTS as u64 * writers as u64);
        assert!(read > 0);
    }
}

#[test]
fn nothing_is_lost_once_reading_has_begun() {
    let layout = Layout::new(2, 8, 1).unwrap();
    let words = memory(layout);
    let mut reader = Reader::new(&words).unwrap();
    let mut read = 0;
    for n in 0..100 {
        let _ = write(&words, layout, n as usize, &event(n, n as i64));
        if n % 20 == 19 {
            read += reader.drain(Instant::now(), |_| ());
        }
    }
    assert_eq!(read as u64 + reader.lost(), 100);
    // Seven of eight each time in each shard.
    assert_eq!(read, 5 * 2 * 7);
}

#[test]
fn a_writer_that_does_not_come_back_is_given_up() {
    let layout = Layout::new(1, 8, 1).unwrap();
    let words = memory(layout);
    let mut reader = Reader::new(&words).unwrap();
    let position = words[layout.shard(0) + WRITE].fetch_add(1, Ordering::Relaxed);
    write(&words, layout, 0, &event(1, 1)).unwrap();
    let start = Instant::now();
    assert_eq!(reader.drain(start, |_| ()), 0);
    assert_eq!(reader.drain(start + Duration::from_millis(900), |_| ()), 0, "waited for");
    assert_eq!(reader.drain(start + Duration::from_secs(1), |_| ()), 1);
    assert_eq!(reader.lost(), 1);
    // It comes back a lap later, over the record of another.
    for n in 0..7 {
        write(&words, layout, 0, &event(1, n)).unwrap();
    }
    words[layout.record(layout.shard(0), position)]
        .store(Commit::new(9, position, None).0, Ordering::Release);
    assert_eq!(reader.drain(start, |found| assert_ne!(found.probe, 9)), 6);
    assert_eq!(reader.drain(start + Duration::from_secs(1), |found| assert_ne!(found.probe, 9)), 0);
    assert_eq!(reader.lost(), 2);
}

/// One that comes back costs at most the record that it writes over, and nothing in later rounds.
#[test]
fn a_writer_that_comes_back_late_spoils_no_later_round() {
    for records in [8, 1 << 13, 1 << 16] {
        let layout = Layout::new(1, records, 1).unwrap();
        let words = memory(layout);
        let mut reader = Reader::new(&words).unwrap();
        let position = words[layout.shard(0) + WRITE].fetch_add(1, Ordering::Relaxed);
        let start = Instant::now();
        assert_eq!(reader.drain(start, |_| ()), 0);
        assert_eq!((reader.drain(start + Duration::from_secs(1), |_| ()), reader.lost()), (0, 1));
        // All has been read when it comes: nobody has reserved that record again.
        words[layout.record(layout.shard(0), position)]
            .store(Commit::new(9, position, None).0, Ordering::Release);
        for n in 0..4 * records as i64 {
            write(&words, layout, 0, &event(1, n)).unwrap();
            let mut found = Vec::new();
            assert_eq!(reader.drain(start, |event| found.push((event.probe, event.start))), 1);
            assert_eq!(found, [(n as u32, n)], "{records} records");
        }
        assert_eq!(reader.lost(), 1);
    }
}

#[test]
fn what_was_reserved_at_the_same_time_is_given_up_together() {
    let layout = Layout::new(1, 64, 1).unwrap();
    let words = memory(layout);
    let mut reader = Reader::new(&words).unwrap();
    words[layout.shard(0) + WRITE].fetch_add(20, Ordering::Relaxed);
    let start = Instant::now();
    assert_eq!(reader.drain(start, |_| ()), 0);
    words[layout.shard(0) + WRITE].fetch_add(1, Ordering::Relaxed);
    write(&words, layout, 0, &event(1, 1)).unwrap();
    let later = start + Duration::from_secs(1);
    assert_eq!((reader.drain(later, |_| ()), reader.lost()), (0, 20), "the last one has its own time");
    assert_eq!(reader.drain(later + Duration::from_secs(1), |_| ()), 1);
    assert_eq!(reader.lost(), 21);
}

#[test]
fn a_reader_has_what_was_written_before_it_came() {
    let layout = Layout::new(1, 8, 1).unwrap();
    let words = memory(layout);
    for n in 0..9 {
        let _ = write(&words, layout, 0, &event(1, n));
    }
    let mut reader = Reader::new(&words).unwrap();
    assert_eq!((reader.drain(Instant::now(), |_| ()), reader.lost()), (7, 2));
    for n in 0..9 {
        let _ = write(&words, layout, 0, &event(1, n));
    }
    reset(&words, layout).unwrap();
    let mut reader = Reader::new(&words).unwrap();
    assert_eq!((reader.drain(Instant::now(), |_| ()), reader.lost()), (0, 0));
    write(&words, layout, 0, &event(1, 5)).unwrap();
    assert_eq!(reader.drain(Instant::now(), |found| assert_eq!(found, event(1, 5))), 1);
}

#[test]
fn anything_may_stand_there() {
    let layout = Layout::new(2, 8, 1).unwrap();
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..2_000 {
        let words = memory(layout);
        let reader = Reader::new(&words);
        for word in &words {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            if random.is_multiple_of(3) {
                word.store(random, Ordering::Relaxed);
            }
        }
        let mut reader = reader.unwrap();
        let _ = Reader::new(&words).map(|mut other| other.drain(Instant::now(), |_| ()));
        assert!(reader.drain(Instant::now(), |_| ()) <= layout.shards * layout.records);
        let _ = (reader.lost(), reader.exception_name(random as u16), Reader::new(&words));
    }
    assert!(Reader::new(&[]).is_err());
    let words = memory(layout);
    assert!(matches!(Reader::new(&words[..words.len() - 1]), Err(LayoutError::Sizes(2, 8))));
    words[2].store(1 << 60, Ordering::Relaxed);
    assert!(matches!(Reader::new(&words), Err(LayoutError::Sizes(..))));
}

#[test]
fn names_of_exceptions() {
    let layout = Layout::new(1, 8, 1).unwrap();
    let words = memory(layout);
    let reader = Reader::new(&words).unwrap();
    assert_eq!(reader.exception_name(3), None);
    let at = layout.names() + 3 * NAME;
    words[at + NAME_BYTES.start].store(u64::from_ne_bytes(*b"a.Broken"), Ordering::Relaxed);
    words[at].store(8, Ordering::Release);
    assert_eq!(reader.exception_name(3).as_deref(), Some("a.Broken"));
    for length in [0, 113, u64::from(u32::MAX)] {
        words[at].store(length, Ordering::Release);
        assert_eq!(reader.exception_name(3), None);
    }
}

#[test]
fn names_of_an_earlier_round_are_none() {
    let layout = Layout::new(1, 8, 1).unwrap();
    let words = memory(layout);
    let old = Reader::new(&words).unwrap();
    let at = layout.names() + 3 * NAME;
    words[at + NAME_BYTES.start].store(u64::from_ne_bytes(*b"a.Broken"), Ordering::Relaxed);
    words[at].store(8, Ordering::Release);
    reset(&words, layout).unwrap();
    let new = Reader::new(&words).unwrap();
    assert_eq!((new.exception_name(3), words[WORD_ROUND].load(Ordering::Relaxed)), (None, 1));
    assert_eq!(old.exception_name(3).as_deref(), Some("a.Broken"), "of its own round");
    words[at].store(1 << 32 | 8, Ordering::Release);
    assert_eq!((new.exception_name(3).as_deref(), old.exception_name(3)), (Some("a.Broken"), None));
}

/// The steps of the Probe: the name's entry is taken again and again, for rounds that go on, while it is read.
#[test]
fn never_half_of_one_name_and_half_of_another() {
    let layout = Layout::new(1, 8, 1).unwrap();
    let words = &memory(layout);
    let at = layout.names() + NAME;
    let done = &AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for round in 1..50_000_u64 {
                words[WORD_ROUND].store(round, Ordering::Release);
                words[at].store(0, Ordering::SeqCst);
                std::sync::atomic::fence(Ordering::Release);
                let letters = [b'a' + (round % 26) as u8; WORD];
                for word in NAME_BYTES {
                    words[at + word].store(u64::from_ne_bytes(letters), Ordering::Relaxed);
                }
                words[at].store(round << 32 | 112, Ordering::Release);
            }
            done.store(true, Ordering::Release);
        });
        let mut read = 0;
        while !done.load(Ordering::Acquire) || read == 0 {
            let reader = Reader::new(words).unwrap();
            for name in (0..100).filter_map(|_| reader.exception_name(1)) {
                assert!(name.bytes().all(|byte| byte == name.as_bytes()[0]), "{name}");
                read += 1;
            }
        }
    });
}
