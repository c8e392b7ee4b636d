//! How many documents a second each caller may have handled.
//!
//! The rate is kept as GCRA by governor: after a pause a caller may send a burst, then as many as
//! the rate allows. It holds in each server on its own.

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use governor::RateLimiter;
use governor::clock::{Clock, MonotonicClock};
use governor::state::{InMemoryState, NotKeyed};
use rustc_hash::FxHashMap;

type Limiter = RateLimiter<NotKeyed, InMemoryState, MonotonicClock>;

/// How many callers have an allowance of their own; those beyond share one.
const MAX_CALLERS: usize = 10_000;

/// Everyone's allowances.
#[derive(Debug)]
pub struct Quota {
    rate: governor::Quota,
    callers: Mutex<Callers>,
    /// For those who come when there is no more room.
    others: Allowance,
}

#[derive(Debug, Default)]
struct Callers {
    allowances: FxHashMap<Arc<str>, (Allowance, Instant)>,
    swept: Option<Instant>,
}

/// What one caller has left.
#[derive(Clone, Debug)]
pub struct Allowance {
    limiter: Arc<Limiter>,
    rate: governor::Quota,
}

impl Quota {
    /// `per_second` documents for each caller, and `burst` at once after a pause.
    pub fn new(per_second: NonZeroU32, burst: NonZeroU32) -> Self {
        let rate = governor::Quota::per_second(per_second).allow_burst(burst);
        Self { rate, callers: Mutex::default(), others: Allowance::new(rate) }
    }

    /// The allowance of the caller of this name.
    pub fn of(&self, name: &Arc<str>) -> Allowance {
        // What is kept is whole at every moment, whoever panicked.
        let mut callers = self.callers.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if let Some((allowance, used)) = callers.allowances.get_mut(name) {
            *used = now;
            return allowance.clone();
        }
        if callers.allowances.len() >= MAX_CALLERS && !callers.make_room(now, self.time_to_refill()) {
            return self.others.clone();
        }
        let allowance = Allowance::new(self.rate);
        callers.allowances.insert(Arc::clone(name), (allowance.clone(), now));
        allowance
    }

    /// After how long a caller who did nothing has a whole burst again.
    fn time_to_refill(&self) -> Duration {
        self.rate.burst_size_replenished_in()
    }
}

impl Callers {
    /// Forgets those whose allowance is whole again, so that nothing is lost; not more than once a
    /// second, since that looks at all of them.
    fn make_room(&mut self, now: Instant, refill: Duration) -> bool {
        if self.swept.is_some_and(|swept| now - swept < Duration::from_secs(1)) {
            return false;
        }
        self.swept = Some(now);
        self.allowances.retain(|_, (_, used)| now - *used < refill);
        self.allowances.len() < MAX_CALLERS
    }
}

impl Allowance {
    fn new(rate: governor::Quota) -> Self {
        let limiter = RateLimiter::direct_with_clock(rate, MonotonicClock);
        Self { limiter: Arc::new(limiter), rate }
    }

    /// Takes a call off what is left, as one document.
    ///
    /// # Errors
    /// With the time after which it would be let in.
    pub fn spend(&self) -> Result<(), Duration> {
        self.take(NonZeroU32::MIN)
    }

    /// Takes the other documents of a call off that has several. Together with the call they count as one
    /// burst at most, so there is always a time when they would be let in.
    ///
    /// # Errors
    /// With the time after which the call would be let in with as many.
    pub fn spend_others(&self, documents: usize) -> Result<(), Duration> {
        let counted = u32::try_from(documents).unwrap_or(u32::MAX).min(self.rate.burst_size().get());
        let Some(others) = NonZeroU32::new(counted.saturating_sub(1)) else { return Ok(()) };
        // Whoever tries again makes another call, which counts too.
        self.take(others).map_err(|wait| wait + self.rate.replenish_interval())
    }

    fn take(&self, documents: NonZeroU32) -> Result<(), Duration> {
        // Never more than a burst, which alone is refused for ever.
        let checked = self.limiter.check_n(documents).unwrap_or(Ok(()));
        checked.map_err(|until| until.wait_time_from(self.limiter.clock().now()))
    }

    /// Waits for the turn of one document more.
    pub async fn turn(&self) {
        while let Err(until) = self.limiter.check() {
            tokio::time::sleep(until.wait_time_from(self.limiter.clock().now())).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(number: u32) -> NonZeroU32 {
        NonZeroU32::new(number).unwrap()
    }

    #[test]
    fn each_caller_has_an_allowance_and_more_than_a_burst_counts_as_one() {
        let quota = Quota::new(number(1), number(10));
        let (one, other) = (Arc::from("one"), Arc::from("other"));
        quota.of(&one).spend().unwrap();
        quota.of(&one).spend_others(11).unwrap();
        assert!(quota.of(&one).spend().unwrap_err() <= Duration::from_secs(1));
        // One more after a second, and the call that asks for it after another.
        let wait = quota.of(&one).spend_others(2).unwrap_err();
        assert!(wait > Duration::from_secs(1) && wait <= Duration::from_secs(2), "{wait:?}");
        quota.of(&other).spend().unwrap();
        quota.of(&other).spend_others(10).unwrap();
    }

    #[test]
    fn callers_without_number_share_one_allowance_until_there_is_room() {
        let quota = Quota::new(number(100_000), number(1));
        for caller in 0..MAX_CALLERS + 1000 {
            let _ = quota.of(&format!("caller {caller}").into());
        }
        assert!(quota.callers.lock().unwrap().allowances.len() <= MAX_CALLERS);
        let slow = Quota::new(number(1), number(10_000));
        for caller in 0..MAX_CALLERS {
            let _ = slow.of(&format!("caller {caller}").into());
        }
        let (late, later) = (slow.of(&"late".into()), slow.of(&"later".into()));
        assert!(Arc::ptr_eq(&late.limiter, &later.limiter));
        assert!(!Arc::ptr_eq(&late.limiter, &slow.of(&"caller 7".into()).limiter));
    }
}
