//! What one sample costs the engine, in instructions, allocations and readings of the clock, held to
//! what was recorded.
//!
//! One worker, the recorder and a shop that always says the same take turns on one thread, over real
//! connections and by a clock that counts, so that every run does the same. The kernel's work is in
//! no count, the shop's two calls a request are among the instructions. Samples file, client ledger
//! and histograms are kept as in any run.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use double11_gate::{
    allocations, check_allocations, check_count, check_instructions, lets_pass, units,
};
use mio::Events;

use super::outbox::{Batch, Outbox};
use super::recorder::{GrowingFiles, Recorder};
use super::shared::Shared;
use super::worker::Worker;
use super::{Limit, LoadModel, RunAbout, RunOptions, SamplePolicy, StopHandle};
use crate::clock::{RunClock, counted, process_processor_time};
use crate::health::HealthWatch;
use crate::plan::Plan;
use crate::run_directory::RunDirectory;
use crate::schedule::Phase;
use crate::shard::Shard;
use crate::transport::{Limits, Target};

/// Virtual users, each with a connection.
const USERS: usize = 64;
/// Samples in a block whose allocations are counted: a batch.
const BLOCK: u64 = 512;
/// Blocks of which the cheapest counts: one in which a second begins makes the second's histograms.
const BLOCKS: usize = 8;

const ANSWER: &str = concat!(
    "HTTP/1.1 201 Created\r\ncontent-type: application/json\r\ncontent-length: 122\r\n",
    "date: Sun, 22 Nov 2026 21:58:40 GMT\r\n\r\n",
    r#"{"order_id":"1000001","status":"pending_payment","total":1.00,"currency":"CNY","#,
    r#""expires_at":"2026-11-22T22:13:40.788066Z"}"#
);

/// The shop: it has read a request when it has read anything.
struct Shop {
    listener: TcpListener,
    connections: Vec<TcpStream>,
}

/// A worker, the recorder and the shop, without threads.
struct Rig<'a> {
    shared: &'a Shared,
    worker: Worker<'a>,
    recorder: Recorder,
    filled: Receiver<Batch>,
    emptied: Vec<SyncSender<Batch>>,
    events: Events,
    shop: Shop,
    answered: u64,
}

impl Shop {
    fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        Self {
            listener,
            connections: Vec::new(),
        }
    }

    /// Answers every request that has come, and says how many.
    fn answer(&mut self) -> u64 {
        while self.connections.len() < USERS
            && let Ok((stream, _)) = self.listener.accept()
        {
            stream.set_nonblocking(true).unwrap();
            stream.set_nodelay(true).unwrap();
            self.connections.push(stream);
        }
        let mut answered = 0;
        let mut request = [0; 4_096];
        for connection in &mut self.connections {
            match connection.read(&mut request) {
                Ok(read) => assert!(read > 0, "the engine keeps its connections"),
                Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
                Err(error) => panic!("{error}"),
            }
            assert_eq!(connection.write(ANSWER.as_bytes()).unwrap(), ANSWER.len());
            answered += 1;
        }
        answered
    }
}

impl<'a> Rig<'a> {
    fn new(options: &RunOptions, shared: &'a Shared, shop: Shop) -> Self {
        let (filled_sender, filled) = sync_channel(4);
        let (emptied_sender, emptied) = sync_channel(4);
        let outbox = Outbox::new(0, filled_sender, emptied);
        let limits = (Limit(options.connections), Limit(options.max_in_flight));
        let mut worker = Worker::new(shared, 0, limits, outbox).unwrap();
        let files = GrowingFiles::create(options, 1).unwrap();
        assert!(files.is_some(), "the files are part of what is counted");
        let health = HealthWatch::new(1, 1, (0, None), process_processor_time());
        counted::start();
        let clock = RunClock::start();
        worker.begin(clock);
        Self {
            shared,
            worker,
            recorder: Recorder::new(options, files, health, clock),
            filled,
            emptied: vec![emptied_sender],
            events: Events::with_capacity(1_024),
            shop,
            answered: 0,
        }
    }

    /// Goes on until this many requests more were answered. `planted` is called for each.
    fn drive(&mut self, samples: u64, planted: impl Fn()) {
        let until = self.answered + samples;
        while self.answered < until {
            assert!(self.worker.start_due(), "the run lasts an hour");
            let fresh = self.shop.answer();
            (0..fresh).for_each(|_| planted());
            self.answered += fresh;
            // Once connections are made, only an answer is sure to wake the worker.
            if fresh > 0 || self.answered == 0 {
                self.worker.go_on_ready(&mut self.events).unwrap();
            }
            while let Ok(batch) = self.filled.try_recv() {
                self.recorder.take(batch, self.shared, &self.emptied);
            }
        }
    }
}

fn options(folder: &Path, shop: &Shop) -> RunOptions {
    let target = format!("http://{}", shop.listener.local_addr().unwrap());
    RunOptions {
        plan: Plan::built_in("orders", &[]).unwrap(),
        target: Target::parse(&target).unwrap(),
        extra_roots: Vec::new(),
        model: LoadModel::Closed { users: USERS },
        phases: vec![Phase {
            name: "steady".to_owned(),
            duration: Duration::from_hours(1),
            rate: None,
            peak: false,
            measured: true,
            samples_file: None,
        }],
        seed: 11,
        shard: Shard::WHOLE,
        start_at: None,
        threads: Some(1),
        pin_to: Vec::new(),
        connections: USERS,
        max_in_flight: USERS,
        request_timeout: Duration::from_secs(5),
        connect_timeout: Duration::from_secs(2),
        limits: Limits::DEFAULT,
        require_reachable: false,
        samples: SamplePolicy::All,
        output: Some(RunDirectory::create(folder, true).unwrap()),
        about: RunAbout::default(),
    }
}

fn with_rig(work: impl FnOnce(&mut Rig<'_>)) {
    let folder = tempfile::tempdir().unwrap();
    let shop = Shop::open();
    let options = options(folder.path(), &shop);
    let address = (options.target.resolve().unwrap(), None);
    let shared = Shared::new(&options, address, 1, &StopHandle::new());
    work(&mut Rig::new(&options, &shared, shop));
}

/// What callgrind watches: does nothing in an ordinary run.
#[test]
fn samples_under_callgrind() {
    if let Some(samples) = units() {
        with_rig(|rig| rig.drive(samples, || ()));
    }
}

#[test]
fn instructions_of_a_sample() {
    let what = "load: instructions of a sample of the plan orders";
    check_instructions(what, "engine::gate::samples_under_callgrind")
        .unwrap_or_else(|shut| panic!("{shut}"));
}

#[test]
fn allocations_of_a_sample() {
    let what = "load: allocations of a batch of 512 samples of the plan orders";
    with_rig(|rig| {
        // What is kept is made first: connections, buffers, the batches that go round.
        rig.drive(8 * BLOCK, || ());
        let mut counted = |planted: fn()| {
            let blocks = (0..BLOCKS).map(|_| allocations(|| rig.drive(BLOCK, planted)));
            blocks.min().unwrap_or(u64::MAX)
        };
        let plain = counted(|| ());
        check_allocations(what, plain).unwrap_or_else(|shut| panic!("{shut}"));
        let planted = counted(|| drop(std::hint::black_box(Box::new(7_u64))));
        assert_eq!(planted, plain + BLOCK, "one a sample more");
        assert!(!lets_pass(what, planted), "one a sample more");
    });
}

#[test]
fn readings_of_the_clock_of_a_sample() {
    let what = "load: readings of the clock for a batch of 512 samples of the plan orders";
    with_rig(|rig| {
        rig.drive(8 * BLOCK, || ());
        let before = counted::readings();
        rig.drive(BLOCK, || ());
        let readings = u64::from(counted::readings() - before);
        check_count(what, readings).unwrap_or_else(|shut| panic!("{shut}"));
    });
}
