//! A worker's connections, each with the request it carries: a lane. Free lanes are taken last in, first
//! out; busy lanes stand in a list by the instant of sending, which makes the next time-out the head.

use std::collections::VecDeque;
use std::time::Duration;

use slab::Slab;

use crate::journey::Turn;
use crate::transport::Connection;

/// A request on its way.
#[derive(Debug, Clone)]
pub(super) struct Exchange {
    /// The visit it belongs to.
    pub(super) visit: usize,
    pub(super) turn: Turn,
    pub(super) planned: Duration,
    pub(super) sent: Duration,
    /// Whether it had to wait for a connection.
    pub(super) has_waited: bool,
    /// Whether sending it began with connecting.
    pub(super) is_fresh: bool,
    /// Whether it has been sent once more after the server had closed the connection.
    pub(super) is_resent: bool,
    /// Which attempt of its step it is, from 1.
    pub(super) attempt: u8,
    pub(super) in_flight: u32,
    /// Length of the path in the request, from its start.
    pub(super) path: std::ops::Range<usize>,
    /// Start of the body in the request.
    pub(super) body_start: usize,
    pub(super) key: Option<[u8; 36]>,
}

/// A connection and what is on it.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) connection: Connection,
    pub(super) exchange: Option<Exchange>,
    /// Tells this use of the slot from earlier ones.
    generation: u64,
    before: Option<usize>,
    after: Option<usize>,
}

/// The lanes of one worker.
#[derive(Debug)]
pub(super) struct Lanes {
    slots: Slab<Lane>,
    count_max: usize,
    generations: u64,
    /// Free lanes; entries whose generation has passed are skipped.
    free: Vec<(usize, u64)>,
    oldest: Option<usize>,
    newest: Option<usize>,
    /// Lanes that were opened, by their time-outs; entries that have passed are skipped.
    opening: VecDeque<(Duration, usize, u64)>,
}

impl Lanes {
    pub(super) fn new(count_max: usize) -> Self {
        Self {
            slots: Slab::new(),
            count_max,
            generations: 0,
            free: Vec::new(),
            oldest: None,
            newest: None,
            opening: VecDeque::new(),
        }
    }

    pub(super) fn count(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn has_room(&self) -> bool {
        self.slots.len() < self.count_max
    }

    pub(super) fn get_mut(&mut self, index: usize) -> Option<&mut Lane> {
        self.slots.get_mut(index)
    }

    /// The slot that the next opened connection will get.
    pub(super) fn next_slot(&self) -> usize {
        self.slots.vacant_key()
    }

    /// Adds a connection that is being opened.
    pub(super) fn insert(&mut self, connection: Connection, connect_by: Duration) -> usize {
        self.generations += 1;
        let generation = self.generations;
        let lane = Lane {
            connection,
            exchange: None,
            generation,
            before: None,
            after: None,
        };
        let index = self.slots.insert(lane);
        self.opening.push_back((connect_by, index, generation));
        index
    }

    /// Replaces the connection of a busy lane by another one that is being opened.
    pub(super) fn replace(&mut self, index: usize, connection: Connection, connect_by: Duration) {
        self.generations += 1;
        let generation = self.generations;
        if let Some(lane) = self.slots.get_mut(index) {
            lane.connection = connection;
            lane.generation = generation;
            self.opening.push_back((connect_by, index, generation));
        }
    }

    /// Takes a free lane.
    pub(super) fn take_free(&mut self) -> Option<usize> {
        while let Some((index, generation)) = self.free.pop() {
            if self
                .slots
                .get(index)
                .is_some_and(|lane| lane.generation == generation)
            {
                return Some(index);
            }
        }
        None
    }

    /// Makes a lane free for the next request.
    pub(super) fn set_free(&mut self, index: usize) {
        if let Some(lane) = self.slots.get(index) {
            self.free.push((index, lane.generation));
        }
        if self.free.len() > 2 * self.slots.len() + 64 {
            let slots = &self.slots;
            self.free.retain(|(index, generation)| {
                slots
                    .get(*index)
                    .is_some_and(|lane| lane.generation == *generation)
            });
        }
    }

    /// Closes the connection of a lane that is not busy.
    pub(super) fn close(&mut self, index: usize) {
        self.slots.try_remove(index);
    }

    /// Puts a request on a lane; it becomes the newest.
    pub(super) fn set_busy(&mut self, index: usize, exchange: Exchange) {
        let before = self.newest.replace(index);
        if let Some(lane) = self.slots.get_mut(index) {
            lane.exchange = Some(exchange);
            (lane.before, lane.after) = (before, None);
        }
        match before.and_then(|before| self.slots.get_mut(before)) {
            Some(before) => before.after = Some(index),
            None => self.oldest = Some(index),
        }
    }

    /// Takes the request off a lane.
    pub(super) fn take_exchange(&mut self, index: usize) -> Option<Exchange> {
        let lane = self.slots.get_mut(index)?;
        let exchange = lane.exchange.take()?;
        let (before, after) = (lane.before.take(), lane.after.take());
        match before.and_then(|before| self.slots.get_mut(before)) {
            Some(lane) => lane.after = after,
            None => self.oldest = after,
        }
        match after.and_then(|after| self.slots.get_mut(after)) {
            Some(lane) => lane.before = before,
            None => self.newest = before,
        }
        Some(exchange)
    }

    /// The busy lane whose request was sent first, and when.
    pub(super) fn oldest(&self) -> Option<(usize, Duration)> {
        let index = self.oldest?;
        let exchange = self.slots.get(index)?.exchange.as_ref()?;
        Some((index, exchange.sent))
    }

    /// The next time-out of connecting, and a lane that has reached it by `now`.
    pub(super) fn next_opening(&mut self, now: Duration) -> (Option<Duration>, Option<usize>) {
        while let Some(&(connect_by, index, generation)) = self.opening.front() {
            let is_opening = self
                .slots
                .get(index)
                .is_some_and(|lane| lane.generation == generation && !lane.connection.is_open());
            if is_opening && connect_by > now {
                return (Some(connect_by), None);
            }
            self.opening.pop_front();
            if is_opening {
                return (Some(connect_by), Some(index));
            }
        }
        (None, None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::Limits;

    const LIMITS: Limits = Limits {
        head_bytes_max: 1_024,
        body_bytes_max: 1_024,
    };

    fn exchange(sent_ms: u64) -> Exchange {
        Exchange {
            visit: 0,
            turn: Turn {
                step: 0,
                pause: Duration::ZERO,
                delayed: false,
            },
            planned: Duration::ZERO,
            sent: Duration::from_millis(sent_ms),
            has_waited: false,
            is_fresh: true,
            is_resent: false,
            attempt: 1,
            in_flight: 0,
            path: 0..0,
            body_start: 0,
            key: None,
        }
    }

    #[test]
    fn the_oldest_request_is_found_whatever_ends_first() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let mut lanes = Lanes::new(4);
        let indexes: Vec<usize> = (1..=4)
            .map(|sent| {
                assert!(lanes.has_room());
                let connection = Connection::open(address, None, LIMITS).unwrap();
                let index = lanes.insert(connection, Duration::from_secs(sent));
                lanes.set_busy(index, exchange(sent));
                index
            })
            .collect();
        assert!(!lanes.has_room());
        let oldest = |lanes: &Lanes| lanes.oldest().map(|(_, sent)| sent.as_millis());
        assert_eq!(oldest(&lanes), Some(1));
        for (ended, expected) in [(1, Some(1)), (0, Some(3)), (3, Some(3)), (2, None)] {
            assert!(lanes.take_exchange(indexes[ended]).is_some());
            assert_eq!(oldest(&lanes), expected);
        }
        assert!(lanes.take_exchange(indexes[0]).is_none());
        lanes.set_busy(indexes[2], exchange(9));
        assert_eq!(oldest(&lanes), Some(9));
    }

    #[test]
    fn closed_lanes_are_not_handed_out_again() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let mut lanes = Lanes::new(2);
        let open = |lanes: &mut Lanes| {
            let connection = Connection::open(address, None, LIMITS).unwrap();
            lanes.insert(connection, Duration::from_secs(1))
        };
        let first = open(&mut lanes);
        lanes.set_free(first);
        lanes.close(first);
        let second = open(&mut lanes);
        assert_eq!(first, second, "the slot is used again");
        assert_eq!(lanes.take_free(), None);
        lanes.set_free(second);
        assert_eq!(lanes.take_free(), Some(second));
        let (next, due) = lanes.next_opening(Duration::from_millis(999));
        assert_eq!((next, due), (Some(Duration::from_secs(1)), None));
        assert_eq!(lanes.next_opening(Duration::from_secs(1)).1, Some(second));
        assert_eq!(lanes.next_opening(Duration::from_secs(2)), (None, None));
    }
}
