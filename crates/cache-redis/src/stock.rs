//! Which products shops saw sold out: one sorted set, scored by when that was, on the clock of Redis.
//!
//! Shops have clocks of their own, so that each learns from every exchange where the clock of Redis stood, within
//! the time that the exchange took. Of that span the end is taken that makes a sold-out observation look
//! older than it is. Because the score is an instant and not an age, an exchange that Redis executes late, after
//! a pause for example, makes nothing look fresh.

use std::sync::LazyLock;
use std::time::Duration;

use double11_store::{SoldOutFlag, StockNews, Stopwatch};
use double11_units::ProductId;

use crate::link::{Call, Procedure};

/// Observations older than this are not kept: nobody would go by them.
const HORIZON: Duration = Duration::from_secs(1);
/// The set is gone when nobody has exchanged anything for this long.
const SET_TTL: Duration = Duration::from_secs(2);
/// Observations in one exchange, each way; more are left out.
const NEWS_MAX: usize = 1_000;
/// Where the clock stood is forgotten after this time.
const TIME_TTL: Duration = Duration::from_secs(2);
/// Beyond what an exchange took, the clock may differ by this much from where it should stand; more is a step.
const STEP: Duration = Duration::from_millis(50);

/// Adds, removes, forgets what is old or, after a step of the clock, in the future; gives the time and the rest.
pub(crate) static EXCHANGE: LazyLock<Procedure> = LazyLock::new(|| {
    Procedure::new(
        "local time = redis.call('TIME') \
         local now = time[1] * 1000000 + time[2] \
         local oldest = now - ARGV[1] \
         local added = tonumber(ARGV[4]) \
         for i = 5, #ARGV, 2 do \
           local score = tonumber(ARGV[i + 1]) \
           if i < 5 + 2 * added then \
             if score > oldest and score <= now then \
               redis.call('ZADD', KEYS[1], 'GT', ARGV[i + 1], ARGV[i]) \
             end \
           else \
             local known = redis.call('ZSCORE', KEYS[1], ARGV[i]) \
             if known and tonumber(known) < score then redis.call('ZREM', KEYS[1], ARGV[i]) end \
           end \
         end \
         redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', oldest)) \
         redis.call('ZREMRANGEBYSCORE', KEYS[1], string.format('(%.0f', now), '+inf') \
         redis.call('PEXPIRE', KEYS[1], ARGV[2]) \
         return {time[1], time[2], \
           redis.call('ZRANGE', KEYS[1], 0, ARGV[3] - 1, 'REV', 'WITHSCORES')}",
    )
});

/// What the script answers: seconds, microseconds, products with their scores in turn.
pub(crate) type Answer = (i64, i64, Vec<String>);

/// Where the clock of Redis stood.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RedisTime {
    /// Microseconds since the Unix epoch.
    micros: i64,
    /// Since the exchange that told it was sent, and since it was answered.
    sent: Stopwatch,
    answered: Stopwatch,
}

impl RedisTime {
    fn is_known(&self) -> bool {
        self.answered.elapsed() < TIME_TTL
    }

    /// The earliest instant that an observation can have had.
    fn earliest(&self, observed: &Stopwatch) -> i64 {
        self.micros + micros(self.answered.elapsed()) - micros(observed.elapsed())
    }

    /// The latest one.
    fn latest(&self, observed: &Stopwatch) -> i64 {
        self.micros + micros(self.sent.elapsed()) - micros(observed.elapsed())
    }
}

/// An exchange that is under way.
pub(crate) struct Exchange {
    known: Option<RedisTime>,
    sent: Stopwatch,
    /// The least that passed on the clock since it was known.
    least: i64,
}

/// What an exchange gave.
pub(crate) struct Exchanged {
    pub(crate) time: RedisTime,
    /// None when the clock made a step, so that the set cannot be trusted.
    pub(crate) flags: Option<Vec<SoldOutFlag>>,
}

impl Exchange {
    /// Begins an exchange. Without a known time nothing is told, only asked.
    pub(crate) fn begin(key: String, known: Option<RedisTime>, news: &StockNews) -> (Self, Call) {
        let known = known.filter(RedisTime::is_known);
        let mut arguments = vec![
            micros(HORIZON).to_string(),
            SET_TTL.as_millis().to_string(),
            NEWS_MAX.to_string(),
        ];
        let (sold_out, in_stock) = match known {
            Some(_) => (news.sold_out.as_slice(), news.in_stock.as_slice()),
            None => Default::default(),
        };
        arguments.push(sold_out.len().min(NEWS_MAX).to_string());
        for (observations, earliest) in [(sold_out, true), (in_stock, false)] {
            for (product_id, observed) in observations.iter().take(NEWS_MAX) {
                let instant = known.map_or(0, |known| {
                    if earliest {
                        known.earliest(observed)
                    } else {
                        known.latest(observed)
                    }
                });
                arguments.extend([product_id.get().to_string(), instant.to_string()]);
            }
        }
        let exchange = Self {
            known,
            sent: Stopwatch::start(),
            least: known.map_or(0, |known| micros(known.answered.elapsed())),
        };
        let call = Call {
            key,
            arguments: arguments.into_iter().map(String::into_bytes).collect(),
        };
        (exchange, call)
    }

    /// Reads the answer.
    pub(crate) fn end(self, (seconds, rest, products): Answer) -> Exchanged {
        let time = RedisTime {
            micros: seconds.saturating_mul(1_000_000).saturating_add(rest),
            sent: self.sent,
            answered: Stopwatch::start(),
        };
        let is_steady = self.known.is_none_or(|known| {
            let passed = time.micros - known.micros;
            let most = micros(known.sent.elapsed());
            (self.least - micros(STEP)..=most + micros(STEP)).contains(&passed)
        });
        let flags = products
            .chunks_exact(2)
            .filter_map(|pair| flag(pair, &time));
        Exchanged {
            time,
            flags: is_steady.then(|| flags.collect()),
        }
    }
}

fn flag(pair: &[String], time: &RedisTime) -> Option<SoldOutFlag> {
    let [product_id, instant] = pair else {
        return None;
    };
    let age = time.micros - instant.parse::<i64>().ok()?;
    Some(SoldOutFlag {
        product_id: ProductId::parse(product_id).ok()?,
        age: Duration::from_micros(u64::try_from(age).ok()?),
    })
}

fn micros(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn product(id: i64) -> ProductId {
        ProductId::new(id).unwrap()
    }

    fn known(micros: i64) -> RedisTime {
        RedisTime {
            micros,
            sent: Stopwatch::start(),
            answered: Stopwatch::start(),
        }
    }

    fn news() -> StockNews {
        StockNews {
            sold_out: vec![(product(7), Stopwatch::start())],
            in_stock: vec![(product(8), Stopwatch::start())],
        }
    }

    fn arguments(call: &Call) -> Vec<String> {
        let texts = call.arguments.iter();
        texts
            .map(|text| String::from_utf8(text.clone()).unwrap())
            .collect()
    }

    #[test]
    fn nothing_is_told_before_the_time_is_known() {
        let (_, call) = Exchange::begin("key".to_owned(), None, &news());
        assert_eq!(arguments(&call), ["1000000", "2000", "1000", "0"]);
        let (_, call) = Exchange::begin("key".to_owned(), Some(known(5_000_000)), &news());
        let told = arguments(&call);
        assert_eq!((told.len(), told[3].as_str()), (8, "1"));
        assert_eq!((told[4].as_str(), told[6].as_str()), ("7", "8"));
        let instant: i64 = told[5].parse().unwrap();
        assert!((5_000_000..5_100_000).contains(&instant), "{instant}");
    }

    #[test]
    fn ages_are_told_and_a_step_of_the_clock_is_seen() {
        let products = || {
            ["7", "4900000", "8", "5000001", "x", "1"]
                .map(str::to_owned)
                .to_vec()
        };
        let flags = |known: Option<RedisTime>| {
            let (exchange, _) = Exchange::begin("key".to_owned(), known, &StockNews::default());
            exchange.end((5, 0, products())).flags
        };
        let seen = SoldOutFlag {
            product_id: product(7),
            age: Duration::from_millis(100),
        };
        // What lies in the future is no observation.
        assert_eq!(flags(None), Some(vec![seen]));
        assert_eq!(flags(Some(known(4_999_990))), Some(vec![seen]));
        for stepped in [4_900_000, 5_100_000, 5_000_000_000] {
            assert_eq!(flags(Some(known(stepped))), None, "{stepped}");
        }
    }
}
